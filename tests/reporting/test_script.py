r"""Words that pdfLaTeX cannot set: the newer engines set them, and it prints their numbers."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest

from cbablate.reporting.forms.latex import document, latex
from cbablate.reporting.forms.script import definitions
from cbablate.reporting.forms.tex_text import escape
from tests.reporting.tables import named
from tests.reporting.typesetting import typeset

NAMES = ("中文名称", "日本語 版 2", "עברית مرحبا بك", "emoji 🔥🚀 ħ")
FONTS = {"中": "4e2d", "م": "645", "ע": "5e2", "🔥": "1f525"}
"""A letter of each script, and its number."""


def needs_fonts(engine: str) -> None:
    """Skip where an engine or a font is not installed."""
    if shutil.which(engine) is None or shutil.which("fc-list") is None:
        pytest.skip(f"{engine} (texlive-luatex, texlive-xetex) is not installed")
    for letter, number in FONTS.items():
        found = subprocess.run(["fc-list", f":charset={number}"], capture_output=True).stdout
        if not found:
            pytest.skip(f"no font has {letter} (fonts-droid-fallback, -hosny-amiri, -symbola)")


def letters(text: str) -> set[str]:
    """What a page shows of letters, whatever their order and their forms."""
    return set(unicodedata.normalize("NFKC", text))


@pytest.mark.tex
@pytest.mark.parametrize("engine", ["lualatex", "xelatex"])
def test_words_in_all_scripts_are_set_as_themselves(engine: str, tmp_path: Path) -> None:
    needs_fonts(engine)
    table = named(*NAMES, factor="размер 模型", question="Does 中文 help?")
    shown, log = typeset(document(table), tmp_path, engine)
    assert "Overfull" not in log
    assert "Missing character" not in log
    assert letters("".join(NAMES) + "размер 模型") <= letters(shown)
    assert "U+" not in shown


@pytest.mark.tex
@pytest.mark.parametrize("engine", ["pdflatex", "lualatex", "xelatex"])
def test_without_a_font_their_numbers_are_printed(engine: str, tmp_path: Path) -> None:
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    page = document(named(*NAMES[:2])).replace(r"\usepackage{fontspec}", "")
    shown, log = typeset(page, tmp_path, engine)
    assert "Missing character" not in log
    assert "<U+4E2D><U+6587>" in shown.replace("\n", "")


def test_a_file_says_which_letters_pdflatex_lacks_and_what_the_others_need() -> None:
    above, _, _ = latex(named(*NAMES)).partition(r"\begin{table")
    assert "% pdfLaTeX cannot set U+4E2D CJK UNIFIED IDEOGRAPH-4E2D: it prints its number" in above
    assert r"\usepackage{fontspec}" in above
    assert "{Amiri,Noto Naskh Arabic" in above
    assert r"\newfontfamily\cbscripthan" in above


def test_only_the_scripts_that_are_used_are_defined() -> None:
    assert definitions(escape("Straße λ ½")) == []
    lines = "\n".join(definitions(escape("مرحبا")))
    assert "Amiri" in lines
    assert "CJK" not in lines


def test_words_that_run_to_the_left_stand_in_one_piece() -> None:
    assert escape("مرحبا بك x").startswith(r"\cbscript{arabic}{مرحبا بك}{")
    assert escape("日本語 版").count(r"\cbscript{han}") == 2
