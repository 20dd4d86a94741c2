r"""Words as LaTeX: nothing that TeX would read as more than itself."""

# ruff: noqa: RUF001 - look-alikes are what is tested

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.reporting.forms.tex_text import breakable, escape, prose, unsettable
from tests.reporting.typesetting import bare, needs_tex, typeset


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("a_b & 50% #1 {x}", r"a\_b \& 50\% \#1 \{x\}"),
        ("$~^\\", r"\$\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("<|>", r"\textless{}\textbar{}\textgreater{}"),
        ('"`', r"\texttt{\char34}\textasciigrave{}"),
        ("[1cm] *", "{[}1cm{]} {*}"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("^^5cinput", r"\textasciicircum{}\textasciicircum{}5cinput"),
        ("a--b---c ''x'' ,,y", "a-@-b-@-@-c '@'x'@' ,@,y".replace("@", r"{\kern0pt}")),
        ("1–-2 -–3 –– −-4", "1--@-2 -@--3 --@-- $-$-4".replace("@", r"{\kern0pt}")),
        ("line\n\nbreak % end", r"line break \% end"),
        ("é ñ ü ç ő ǹ ï", r"\'{e} \~{n} \"{u} \c{c} \H{o} \`{n} \"{\i}"),
        ("x\u0302\u0301", r"\'{\^{x}}"),
        ("Straße Łódź", r"Stra\ss{}e \L{}\'{o}d\'{z}"),
        (
            "Δ ± λ ≥ 10⁻⁷ → ∞",
            r"$\Delta$ $\pm$ $\lambda$ $\ge$ 10$^{-7}$ $\rightarrow$ $\infty$",
        ),
        ("½ ﬁ Ａ", "1/2 fi A"),
        ("“a” – b…", r"``{}a''{} -- b\dots{}"),
        ("中", r"\cbscript{han}{中}{\textless{}U+4E2D\textgreater{}}"),
        ("ą", r"\cbscript{letters}{ą}{\textless{}U+0105\textgreater{}}"),  # in no font of TeX's
        ("\x00", r"\textless{}U+0000\textgreater{}"),
        ("", ""),
    ],
)
def test_text_is_escaped(text: str, spelled: str) -> None:
    assert escape(text) == spelled


def test_long_words_may_be_broken() -> None:
    assert breakable("short_word 0.5 a-b") == r"short\_\hspace{0pt}word 0.5 a-b"
    assert breakable("x" * 30).count(r"\hspace{0pt}") == 2
    assert breakable("中文").count(r"\hspace{0pt}") == 2, "between both and behind"
    assert breakable("x\u0302").count(r"\hspace") == 0


def test_what_cannot_be_set_is_named() -> None:
    assert unsettable("plain, é, Δ, ½, “q”") == []
    assert unsettable("中 a 🔥 中\x07") == [
        "U+4E2D CJK UNIFIED IDEOGRAPH-4E2D",
        "U+1F525 FIRE",
        "U+0007 without a name",
    ]


@given(st.text(st.characters(), max_size=40))
def test_any_text_becomes_balanced_ascii_with_what_is_in_no_font_beside_its_number(
    text: str,
) -> None:
    spelled = re.sub(r"(\\cbscript\{\w+\})\{[^{}\\$%&#~^]*\}", r"\1{}", escape(text))
    assert spelled.isascii()
    assert spelled.isprintable()
    bared = re.sub(r"\\[{}%&$#_]", "", spelled)  # what is left of these is TeX's own
    assert bared.count("{") == bared.count("}")
    assert bared.count("$") % 2 == 0
    assert not re.search(r"[%&#~]", re.sub(r"\\~\{", "", bared))


COMMANDS = re.compile(
    r"\\(text(backslash|asciitilde|asciicircum|less|greater|bar|asciigrave|euro)|texttt|char34|"
    r"[OoLlSPijrHvdcbu]|ss|ae|AE|oe|OE|copyright|pounds|dots|[a-zA-Z]+(?=\$)|circ|[`'^~=.\"{}%&$#_])"
)


@given(st.text("\\abcdefginoprtuwx{}^$&%#[]*", max_size=60))
def test_no_text_makes_a_command_of_its_own(text: str) -> None:
    assert "\\" not in COMMANDS.sub("", escape(text))


@pytest.mark.parametrize("reader", [pytest.param("pdflatex", marks=needs_tex)])
def test_every_character_that_we_spell_can_be_typeset(reader: str, tmp_path: Path) -> None:
    from cbablate.reporting.forms import tex_text

    letters = "".join(f"{a}{mark} " for mark in tex_text._ACCENTS for a in "aeiojszAEZ")
    symbols = " ".join([*tex_text._SPECIAL, *tex_text._LETTERS, *tex_text.SYMBOLS])
    ascii_text = " ".join(map(chr, range(33, 127)))
    body = "\n\n".join(map(escape, (letters, symbols, ascii_text)))
    page = f"\\documentclass{{article}}\\begin{{document}}{body}\\end{{document}}"
    shown, log = typeset(page, tmp_path)
    assert "Missing character" not in log
    assert bare(ascii_text).replace("`", "") in bare(shown).replace("`", "")


def test_no_line_ends_after_a_minus_nor_between_a_number_and_its_unit() -> None:
    assert prose("undecided (−2.21 to +0.55 pp).") == "undecided ($-$2.21 to $+$0.55~pp)."
    assert prose("(+1.0), ViT+2, 1e+5") == "($+$1.0), ViT+2, 1e+5"
    assert prose("see `table --effects`, `a_b`") == (
        r"see \texttt{table -{\kern0pt}-effects}, \texttt{a\_b}"
    )
    assert prose("the 95 % interval") == r"the 95~\% interval"
    assert prose("Findings on Top-1 of a ViT-B/16") == r"Findings on Top\mbox{-}1 of a ViT-B/16"


def test_symbols_are_in_italics_as_in_heads_and_words_are_not() -> None:
    said = prose("p: paired t test; n = 6; adjusted p < 0.05; MLP-p, a p and n-gram")
    assert said == (
        r"$p$: paired $t$ test; $n$~=~6; adjusted $p$ \textless{} 0.05; MLP-p, a p and n-gram"
    )
