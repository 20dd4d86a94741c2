r"""Words as LaTeX: everything escaped, and nothing that pdfLaTeX cannot set.

What is written needs no package. Every character that TeX reads as more than itself
is spelled as a command; brackets and stars are braced, because `\\` and the rules of booktabs
take them as arguments; pairs that a font would join (`--`) are kept apart. A letter with accents
becomes accents on a letter; symbols become mathematics; compatibility forms their plain ones.
What is left (Chinese, emoji) is written as itself and by its code point, see `script`, and
`unsettable` names it.
"""

# ruff: noqa: RUF001 - characters that look like others are what this module is about

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from cbablate.character import code_point, visible
from cbablate.reporting.forms.script import COMMAND, leftward, script_of, written
from cbablate.reporting.forms.symbol import SYMBOL
from cbablate.reporting.forms.text_width import EM, points

__all__ = ["SYMBOLS", "breakable", "escape", "is_endless", "prose", "unsettable"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\texttt{\char34}",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}

_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0323": "d",
    "\u0327": "c",
    "\u0331": "b",
}

_LETTERS = {
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    "§": r"\S{}",
    "¶": r"\P{}",
    "©": r"\copyright{}",
    "£": r"\pounds{}",
    "€": r"\texteuro{}",
    "¡": "!`",
    "¿": "?`",
    "–": "--",
    "—": "---",
    "‘": "`{}",
    "’": "'{}",
    "“": "``{}",
    "”": "''{}",
    "…": r"\dots{}",
    "⁄": "/",
    "‐": "-",
    "‑": r"\mbox{-}",
}

_SMALL = (
    *(r"\alpha", r"\beta", r"\gamma", r"\delta", r"\epsilon", r"\zeta", r"\eta", r"\theta"),
    *(r"\iota", r"\kappa", r"\lambda", r"\mu", r"\nu", r"\xi", "o", r"\pi", r"\rho"),
    *(r"\varsigma", r"\sigma", r"\tau", r"\upsilon", r"\phi", r"\chi", r"\psi", r"\omega"),
)
"""Greek from alpha on, in Unicode's order."""
_CAPITALS = (
    *(r"\Gamma", r"\Delta", r"\Theta", r"\Lambda", r"\Xi", r"\Pi", r"\Sigma"),
    *(r"\Upsilon", r"\Phi", r"\Psi", r"\Omega"),
)
"""The Greek capitals that do not look like Latin ones."""

SYMBOLS = {
    "±": r"\pm",
    "×": r"\times",
    "÷": r"\div",
    "−": "-",
    "·": r"\cdot",
    "∗": r"\ast",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "≈": r"\approx",
    "∞": r"\infty",
    "√": r"\surd",
    "∂": r"\partial",
    "∇": r"\nabla",
    "∈": r"\in",
    "∑": r"\sum",
    "∏": r"\prod",
    "←": r"\leftarrow",
    "→": r"\rightarrow",
    "↑": r"\uparrow",
    "↓": r"\downarrow",
    "↔": r"\leftrightarrow",
    "⇒": r"\Rightarrow",
    "†": r"\dagger",
    "‡": r"\ddagger",
    "°": r"^{\circ}",
    "µ": r"\mu",
    **{chr(0x3B1 + place): name for place, name in enumerate(_SMALL)},
    **dict(zip("ΓΔΘΛΞΠΣΥΦΨΩ", _CAPITALS, strict=True)),
    **{
        raised: f"^{{{plain}}}"
        for raised, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-", strict=True)
    },
    **{low: f"_{{{plain}}}" for low, plain in zip("₀₁₂₃₄₅₆₇₈₉₊₋", "0123456789+-", strict=True)},
}

_CLUSTER = re.compile(r".[\u0300-\u036f]*", re.DOTALL)
_HYPHEN = re.compile(r"(?<=[^\W\d])-(?=\d)")
"""Of `Top-1`: TeX would end a line after it."""
_UNIT = re.compile(
    r"(?<=\d) (?=(?:\\%|[A-Za-z]+(?:/[A-Za-z]+)?)(?:[);,.]|$)|\\%)"  # 0.55 pp), 95 % of
    r"|(?<=dagger\$:) |(?<=\$) (?==)|(?<=\$ =|\$~=) (?=\d)"  # n = 6
)
"""The space between a number and what it counts, and around the sign after a symbol or mark."""
_PLUS = re.compile(r"(?<![\w+}])\+(?=\d)")
"""The sign of a number, which is as in the cells of a table; not that of `ViT+2`."""
_CODE = re.compile(r"\\textasciigrave\{\}(.+?)\\textasciigrave\{\}")
_JOINED = "-,'"
"""What fonts join with a second of its kind, as LaTeX spells it."""
_APART = r"{\kern0pt}"
"""Keeps two characters apart; LuaLaTeX joins them across an empty group."""
_BREAK = r"\hspace{0pt}"
_SEPARATORS = "_/.,:;+-"
_RUN = 12
"""How many characters stand together in an endless word."""
_ENDLESS = 40
"""A word that is longer may not fit what is left of a line."""


def escape(text: str) -> str:
    """The text as LaTeX that sets it, in one line, wherever words may stand."""
    spelled = "".join(spelled for _, spelled in _words(_clusters(text)))
    return spelled.replace("}$$^{", "")  # 10^{17}


def breakable(text: str, ems: float | None = None) -> str:
    """The text as LaTeX that may be broken inside its words too, for a narrow column.

    A line may end after a separator, after what is spelled by number, and in words that are wider
    than `ems`, which fills a line; without that, in endless words.
    """
    pieces: list[str] = []
    run, wide = 0, 0.0
    for word, spelled in _words(_clusters(text)):
        foreign = spelled.startswith(COMMAND)
        wide += points(word, 9) / EM[9]
        if ems is not None and run and wide > ems and not foreign and word != " ":
            pieces.append(_BREAK)
            run, wide = 0, points(word, 9) / EM[9]
        pieces.append(spelled)
        run = 0 if word == " " else run + 1
        endless = ems is None and run >= _RUN
        if endless or (word in _SEPARATORS and run > 3) or foreign:
            pieces.append(_BREAK)
            run = 0
        wide = wide if run else 0.0
    return "".join(pieces)


def _words(clusters: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Each cluster, but those of one script that stand together, with spaces among them, as one."""
    script, word, spelled, spaces = "", "", list[str](), ""
    for cluster, one in clusters:
        now = script_of(cluster[0], script) if _is_foreign(cluster) else ""
        if cluster == " " and leftward(script):
            spaces += " "
            continue
        if script and now != script:
            yield word, written(script, word, _BREAK.join(spelled))
            if spaces:
                yield " ", " "
            word, spelled, spaces = "", [], ""
        script = now
        if not script:
            yield cluster, one
            continue
        word += spaces + cluster
        spelled.append(("\\ " if spaces else "") + one)
        spaces = ""
    if script:
        yield word, written(script, word, _BREAK.join(spelled))
        if spaces:
            yield " ", " "


def _is_foreign(cluster: str) -> bool:
    """Whether it is a letter that pdfLaTeX cannot set; what cannot be seen is spelled before."""
    return _set(cluster) is None


def prose(text: str) -> str:
    """The text as LaTeX for a paragraph: words are broken only where one is longer than a line.

    No line ends between a number and its unit, nor within `Top-1`; symbols are in italics, and
    what stands in backticks is code.
    """
    together = _HYPHEN.sub("‑", text)
    spelled = breakable(together) if is_endless(text) else escape(together)
    spelled = _PLUS.sub(r"$\g<0>$", SYMBOL.sub(r"$\g<0>$", spelled))
    return _CODE.sub(r"\\texttt{\1}", _UNIT.sub("~", spelled))


def is_endless(text: str) -> bool:
    """Whether any word is longer than a line may be: such a paragraph cannot be justified."""
    return any(len(word) > _ENDLESS for word in text.split())


def _clusters(text: str) -> Iterator[tuple[str, str]]:
    """Each character with its accents, as it is and as LaTeX."""
    before = ""
    for cluster in _CLUSTER.findall(visible(text)):
        spelled = _set(cluster) or _spelled(cluster)
        joined = before != "" and before in _JOINED and spelled.startswith(before)
        yield cluster, (_APART if joined else "") + spelled
        before = spelled[-1:]  # of the range dash, spelled with two hyphens, it is a hyphen


def unsettable(text: str) -> list[str]:
    """What of the text is spelled by its code point, each once: `U+4E2D CJK UNIFIED ...`."""
    found = (
        f"U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"
        for cluster in _CLUSTER.findall(unicodedata.normalize("NFC", " ".join(text.split())))
        if visible(f".{cluster}.") != f".{cluster}." or _set(cluster) is None
        for character in cluster
        if not character.isprintable() or _set(character) is None
    )
    return list(dict.fromkeys(found))


def _spelled(cluster: str) -> str:
    """A cluster that cannot be set as one: what can be of it, and the rest by number."""
    return "".join(_set(one) or escape(code_point(one)) for one in cluster)


def _set(cluster: str) -> str | None:
    """One character with the accents that follow it, or None if pdfLaTeX cannot set it."""
    for spelled in (_SPECIAL, _LETTERS):
        if cluster in spelled:
            return spelled[cluster]
    if cluster in SYMBOLS:
        return f"${SYMBOLS[cluster]}$"
    if cluster.isascii():
        return cluster
    base, *marks = list(unicodedata.normalize("NFD", cluster))
    if marks and base.isascii() and base.isalpha() and all(mark in _ACCENTS for mark in marks):
        return _accented(base, marks)
    plain = unicodedata.normalize("NFKC", cluster)
    if plain == cluster or any(_set(one) is None for one in plain):
        return None
    return escape(plain)


def _accented(base: str, marks: list[str]) -> str:
    above = any(_ACCENTS[mark] not in "cdb" for mark in marks)
    letter = rf"\{base}" if above and base in "ij" else base
    for mark in marks:
        letter = rf"\{_ACCENTS[mark]}{{{letter}}}"
    return letter
