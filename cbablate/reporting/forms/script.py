r"""`Script`: letters that the fonts of pdfLaTeX lack, and how LuaLaTeX and XeLaTeX set them.

Such a word is written three ways at once, `\cbscript{han}{中文}{<U+4E2D><U+6587>}`: the script, the
word, and its code points. The two newer engines set the word where the font in force has all its
letters, or where `fontspec` is loaded and one of the script's fonts is there that has; else, as in
pdfLaTeX, its code points are printed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["COMMAND", "definitions", "leftward", "script_of", "written"]

COMMAND = r"\cbscript"


@dataclass(frozen=True)
class Script:
    """A script: how Unicode begins the names of its letters, and fonts that have them.

    `option` is what `fontspec` must know of it, `leftward` says that it runs to the left, `broken`
    that a line may end after each of its letters.
    """

    name: str
    begins: tuple[str, ...]
    fonts: tuple[str, ...]
    option: str = ""
    leftward: bool = False
    broken: bool = False


_SCRIPTS = (
    Script(
        "han",
        ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH"),
        (
            *("Noto Serif CJK SC", "Noto Sans CJK SC", "Droid Sans Fallback"),
            *("WenQuanYi Micro Hei", "Songti SC", "SimSun"),
        ),
        broken=True,
    ),
    Script(
        "arabic",
        ("ARABIC",),
        ("Amiri", "Noto Naskh Arabic", "Geeza Pro", "Arial"),
        "[Script=Arabic]",
        leftward=True,
    ),
    Script(
        "hebrew",
        ("HEBREW",),
        ("Noto Serif Hebrew", "FreeSerif", "DejaVu Sans", "Arial Hebrew", "David"),
        "[Script=Hebrew]",
        leftward=True,
    ),
)
_LETTERS = Script(
    "letters", (), ("Noto Serif", "FreeSerif", "DejaVu Serif", "DejaVu Sans", "Times New Roman")
)
_SYMBOLS = Script(
    "symbols", (), ("Noto Emoji", "Symbola", "Segoe UI Symbol", "Apple Symbols", "DejaVu Sans")
)
_MARK = "M"
"""Unicode's category of what belongs to the letter before it."""


def script_of(character: str, before: str = "") -> str:
    """The script of a character; a mark's is that of the character `before` it."""
    category = unicodedata.category(character)[0]
    if category == _MARK and before:
        return before
    name = unicodedata.name(character, "")
    for script in _SCRIPTS:
        if name.startswith(script.begins):
            return script.name
    return (_LETTERS if category in "LMN" else _SYMBOLS).name


def leftward(name: str) -> bool:
    """Whether a script runs to the left, so that its words stand in one piece."""
    return any(script.name == name and script.leftward for script in _SCRIPTS)


def written(script: str, word: str, spelled: str) -> str:
    """A word of a script with what stands in its place where it cannot be set."""
    return f"{COMMAND}{{{script}}}{{{word}}}{{{spelled}}}"


def definitions(source: str) -> list[str]:
    """What must stand before a source that has such words, in lines; nothing if it has none."""
    used = [
        script
        for script in (*_SCRIPTS, _LETTERS, _SYMBOLS)
        if f"{COMMAND}{{{script.name}}}" in source
    ]
    lines = [*_remarks(used), *_macros(used)] if used else []
    return [f"{line}%" if line.endswith("}") and line[0] != "%" else line for line in lines]


def _remarks(used: Sequence[Script]) -> Iterator[str]:
    yield "% LuaLaTeX and XeLaTeX set words that pdfLaTeX cannot, with \\usepackage{fontspec} and,"
    yield "% for each script, one of the fonts named below; or one of yours: in the preamble,"
    yield rf"% \newfontfamily\cbscript{used[0].name}{used[0].option}{{Name of the Font}}"


def _macros(used: Sequence[Script]) -> Iterator[str]:
    yield r"\makeatletter"
    yield r"\DeclareRobustCommand\cbscript[3]{#3}"
    yield r"\ifdefined\Umathchar % not in pdfLaTeX"
    yield r"  \def\cb@has#1{\iffontchar\font`#1 \else\let\cb@set\@secondoftwo\fi}"
    yield r"  \def\cb@try#1#2#3{\let\cb@set\@firstoftwo"
    yield r"    \@tfor\cb@one:=#1\do{\expandafter\cb@has\cb@one}\cb@set{#2}{#3}}"
    yield r"  \DeclareRobustCommand\cbscript[3]{{\cb@try{#2}{\@nameuse{cb@#1}{#2}}{%"
    yield r"    \@nameuse{cbscript#1}\cb@try{#2}{\@nameuse{cb@#1}{#2}}{\normalfont#3}}}}"
    if any(script.leftward for script in used):
        yield r"  \def\cb@left#1{\ifdefined\textdir{\textdir TRT #1}\else"
        yield r"    {\TeXXeTstate=1 \beginR#1\endR}\fi}"
    for script in used:
        yield rf"  \def\cb@{script.name}#1{{{_body(script)}}}"
    yield r"  \def\cb@font#1#2#3{\ifdefined\IfFontExistsTF \@for\cb@one:=#3\do{%"
    yield r"    \@ifundefined{cbscript#1}{\IfFontExistsTF{\cb@one}{\edef\cb@do{\noexpand"
    yield r"    \newfontfamily\expandafter\noexpand\csname cbscript#1\endcsname#2{\cb@one}}%"
    yield r"    \cb@do}{}}{}}\fi}"
    for script in used:
        yield rf"  \cb@font{{{script.name}}}{{{script.option}}}{{{','.join(script.fonts)}}}"
    yield r"\fi"
    yield r"\makeatother"


def _body(script: Script) -> str:
    """How a word of the script is set in a font that has its letters."""
    if script.leftward:
        return r"\cb@left{#1}"
    if script.broken:
        return r"\@tfor\cb@one:=#1\do{\cb@one\hskip0pt\relax}"
    return "#1"
