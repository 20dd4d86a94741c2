r"""`Printed`: what a reader sees of LaTeX, Markdown or HTML: characters, each bold or not.

Commands, braces and tags are gone; symbols are the characters that they print. `BREAK` stands where
something begins that is set apart: a caption, a table, a label.
"""

# ruff: noqa: RUF001 - dashes and minus signs are what this module is about

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from cbablate.reporting.forms.tex_text import SYMBOLS

__all__ = ["BREAK", "Printed", "printed_html", "printed_markdown", "printed_tex"]

BREAK = "\x1e"
"""Between two pieces of text that are no one sentence."""
_TOKEN = re.compile(r"\\([A-Za-z]+)\*?[ \t]*|\\(.)|-{2,3}|.", re.DOTALL)
_BOLD_ARGUMENT = frozenset({"textbf", "mathbf", "boldsymbol", "bm", "pmb"})
_PLAIN_ARGUMENT = frozenset(
    {
        *("textmd", "textnormal", "mathrm", "text", "mbox", "hbox", "emph", "textit", "textsc"),
        *("texttt", "ensuremath", "mathit", "mathsf", "textsf"),
    }
)
_BOLD_ON = frozenset({"bfseries", "bf", "boldmath"})
_BOLD_OFF = frozenset({"mdseries", "normalfont", "unboldmath"})
_ARGUMENTS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("multicolumn", "multirow", "setlength", "resizebox", "fontsize"), 2),
        **dict.fromkeys(("begin", "rule", "adjustbox", "addtolength"), 2),
        **dict.fromkeys(("color", "cellcolor", "rowcolor", "textcolor", "hspace", "vspace"), 1),
        **dict.fromkeys(("addlinespace", "cmidrule", "label", "ref", "eqref", "cref"), 1),
        **dict.fromkeys(("cite", "citep", "citet", "end", "sisetup", "raisebox", "scalebox"), 1),
        **dict.fromkeys(("parbox", "makebox", "phantom", "hphantom", "vphantom", "input"), 1),
        **dict.fromkeys(("SetCell", "SetRow", "usepackage", "color", "include", "tnote"), 1),
    }
)
"""Commands whose first arguments in braces are no text."""
_APART = frozenset(
    {
        *("begin", "end", "label", "caption", "captionof", "par", "medskip", "smallskip", "item"),
        *("setlength", "sisetup", "toprule", "midrule", "bottomrule", "endhead", "endfoot"),
        *("endfirsthead", "endlastfoot", "noindent", "centering", "raggedright", "addlinespace"),
        *("footnotesize", "small", "scriptsize", "tiny", "normalsize", "clearpage", "cmidrule"),
        *("begingroup", "endgroup", "tablename", "vspace", "usepackage", "documentclass"),
    }
)
_NAMED = {
    **{
        command[1:]: character
        for character, command in SYMBOLS.items()
        if re.fullmatch(r"\\[A-Za-z]+", command)
    },
    **{"dag": "†", "textdagger": "†", "ddag": "‡", "lt": "<", "textless": "<", "gt": ">"},
    **{"textgreater": ">", "leq": "≤", "geq": "≥", "textminus": "-", "sim": "≈", "ast": "*"},
    **{"star": "*", "textasteriskcentered": "*", "textendash": "–", "textpm": "±"},
    **{"textsection": "§", "dots": "…", "ldots": "…", "textasciitilde": "≈"},
}
_BARE = {"$": "", "^": " ", "_": " ", "~": " ", "--": "–", "---": "—"}
_THIN = "\u2009"
_ESCAPED = {
    **{one: one for one in "%&$#_"},
    **dict.fromkeys((",", ";", ":", "!", " ", "\\", "\n"), _THIN),
}
_OPTION = re.compile(r"\s*\[[^\]]{0,99}\]")
_GROUP = re.compile(r"\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]{0,99}\}){0,99}\}){0,400})\}")
_MARKDOWN = re.compile(
    r"\\(.)|(?<![\w*])\*(\w)\*(?![\w*])|\*\*|__|<!--.{0,9999}?-->|</?[A-Za-z][^<>]{0,99}>|.",
    re.DOTALL,
)
_HTML = re.compile(r"<!--.{0,9999}?-->|<(/?)([A-Za-z]+\d?)[^<>]{0,9999}>|.", re.DOTALL)
_STRONG = frozenset({"b", "strong", "th"})
_BLOCKS = frozenset({"p", "li", "ul", "ol", "caption", "figcaption", "div", "table", "td", "th"})
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_MENDS: Sequence[tuple[re.Pattern[str], Callable[[str], str]]] = (
    (re.compile(r"&(?:#\d{1,6}|#x[0-9A-Fa-f]{1,6}|[A-Za-z]{2,12});"), html.unescape),
    (re.compile("[\u2060\ufeff\u200b\xad]"), lambda _: ""),
    (re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+"), lambda power: f" {power.translate(_LOWERED)}"),
    (re.compile("[\u2212\ufe63\uff0d]"), lambda _: "-"),
    (re.compile(r"(?<![\w.)\]}])[–—](?=[\d.])"), lambda _: "-"),
    (re.compile(r"(?<=[-+])\s+(?=[\d.])"), lambda _: ""),
    (re.compile(r"(?<=\d)[,\u2009\u202f](?=\d{3}(?!\d))"), lambda _: ""),
)


@dataclass(frozen=True)
class Printed:
    """A text and, for each of its characters, whether it is bold."""

    text: str
    bold: tuple[bool, ...]

    @staticmethod
    def of(pieces: Iterable[tuple[str, bool]]) -> Printed:
        """Pieces of text, each bold or not, one after another."""
        texts, bold = list[str](), list[bool]()
        for text, heavy in pieces:
            texts.append(text)
            bold += [heavy] * len(text)
        return Printed("".join(texts), tuple(bold))

    @property
    def settled(self) -> Printed:
        """With numbers as they are compared: one kind of minus, no commas between thousands."""
        told = self
        for pattern, into in _MENDS:
            told = told.mended(pattern, into)
        return told

    def mended(self, pattern: re.Pattern[str], into: Callable[[str], str]) -> Printed:
        """With every match of a pattern replaced, in the face of its first character."""
        texts, bold, last = list[str](), list[bool](), 0
        for match in pattern.finditer(self.text):
            new = into(match[0])
            texts += [self.text[last : match.start()], new]
            bold += self.bold[last : match.start()]
            bold += [self.bold[match.start()]] * len(new)
            last = match.end()
        texts.append(self.text[last:])
        return Printed("".join(texts), (*bold, *self.bold[last:]))


def printed_tex(source: str) -> Printed:
    """What LaTeX prints of a cell or of a paragraph without comments."""
    return Printed.of(_tex_pieces(source)).settled


def _tex_pieces(source: str) -> Iterator[tuple[str, bool]]:
    stack = [False]
    coming: bool | None = None  # the face of the argument that follows
    place = 0
    while place < len(source):
        match = _TOKEN.match(source, place)
        if match is None:
            return
        place = match.end()
        now = stack[-1] if coming is None else coming
        shown = ""
        if match[1] is not None:
            shown, place, coming = _command(match[1], source, place, stack)
        elif match[0] == "{":
            stack.append(now)
            coming = None
        elif match[0] == "}":
            del stack[max(1, len(stack) - 1) :]
        elif match[2] is not None:
            shown = _ESCAPED.get(match[2], "")
        else:
            shown = _BARE.get(match[0], match[0])
            coming = coming if match[0].isspace() else None
        yield shown, now


def _command(word: str, source: str, place: int, stack: list[bool]) -> tuple[str, int, bool | None]:
    """What a command prints, where what it takes ends, and the face of the argument to come."""
    if word in _NAMED:
        return _NAMED[word], place, None
    if word in _BOLD_ARGUMENT or word in _PLAIN_ARGUMENT:
        return "", place, stack[-1] or word in _BOLD_ARGUMENT
    if word in _BOLD_ON or word in _BOLD_OFF:
        stack[-1] = word in _BOLD_ON
        return " ", place, None
    if word in _ARGUMENTS:
        place = _past(source, place, _ARGUMENTS[word])
    elif word in ("num", "caption"):
        place = _past(source, place, 0)
    return BREAK if word in _APART else " ", place, None


def _past(source: str, place: int, groups: int) -> int:
    """Where the options and so many groups after a command end."""
    option = _OPTION.match(source, place)
    place = option.end() if option else place
    for _ in range(groups):
        group = _GROUP.match(source, place)
        if group is None:
            break
        place = group.end()
        option = _OPTION.match(source, place)
        place = option.end() if option else place
    return place


def printed_markdown(source: str) -> Printed:
    """What Markdown prints of a cell or of a line."""
    return Printed.of(_markdown_pieces(source)).settled


def _markdown_pieces(source: str) -> Iterator[tuple[str, bool]]:
    bold = False
    for match in _MARKDOWN.finditer(source):
        if match[0] in ("**", "__"):
            bold = not bold
        elif match[1] or match[2] or len(match[0]) == 1:  # as it is, in italics, or a character
            yield match[1] or match[2] or match[0], bold
        else:
            bold = {"<b>": True, "<strong>": True, "</b>": False, "</strong>": False}.get(
                match[0], bold
            )


def printed_html(source: str) -> Printed:
    """What HTML prints of a cell or of a paragraph."""
    return Printed.of(_html_pieces(source)).settled


def _html_pieces(source: str) -> Iterator[tuple[str, bool]]:
    depth = 0
    for match in _HTML.finditer(source):
        if match[2] is not None:
            depth += (match[2].lower() in _STRONG) * (-1 if match[1] else 1)
            if match[2].lower() in _BLOCKS:
                yield BREAK, False
        elif len(match[0]) == 1:
            yield match[0], depth > 0
