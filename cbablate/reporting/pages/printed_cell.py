"""`Token`: a number or a word of a cell, as a reader sees it, with its marks and its face."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cbablate.reporting.model.cell import Spread
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.pages.printed import Printed

__all__ = ["NUMBER", "Token", "row_tokens", "tokens"]

NUMBER = re.compile(
    r"(?P<relation>[<>≤≥≈]+)?\s*(?P<sign>(?<![\w.)\]}])[-+])?"
    r"(?P<digits>(?<![\d.])(?:\d+(?:\.\d+)?|\.\d+)(?:/\d+)?)"
)
"""A number with what stands before it; `4/6` is one."""
_MARKS = re.compile(r"[†‡*⋆§¶]+")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Token:
    """A number, or the words of a cell without any; where it stands, and how it is set.

    `place` counts cells or columns, `part` the numbers of one of them. `name` says that it may be
    an arm's name or a level's, which an author may change.
    """

    text: str
    place: int
    part: int = 0
    number: bool = True
    name: bool = False
    bold: bool = False
    marks: str = ""

    @property
    def lettered(self) -> bool:
        """Whether there is a letter in it, so that it is a name and not a value."""
        return _LETTER.search(self.text) is not None

    @property
    def decimals(self) -> int:
        """How many digits follow the point."""
        return len(self.text.partition(".")[2])


def numeral(match: re.Match[str]) -> str:
    """A number as it is compared: no plus, a digit before the point."""
    digits = match["digits"]
    sign = "-" if match["sign"] == "-" else ""
    return f"{match['relation'] or ''}{sign}{'0' if digits[0] == '.' else ''}{digits}"


def tokens(cells: Sequence[Printed], names: int) -> list[Token]:
    """The tokens of a row's cells, of which the first `names` hold names.

    A cell of marks alone is part of the one before it, as LaTeX aligns marks in their own column.
    """
    made: list[Token] = []
    for place, cell in enumerate(cells):
        name = place < max(1, names)
        for one in _pieces(cell, place, name):
            if one.text:
                made.append(one)
            elif made:
                made[-1] = replace(made[-1], marks=made[-1].marks + one.marks)
    return made


def _pieces(cell: Printed, place: int, name: bool) -> Iterator[Token]:
    """The tokens of a cell; one without text where there are marks and nothing else."""
    text = cell.text.strip()
    if not text:
        return
    if name and _LETTER.search(text):
        yield Token(text, place, number=False, name=True)
        return
    found = list(NUMBER.finditer(cell.text))
    marks = _MARKS.findall(cell.text)
    if not found:
        words = _MARKS.sub("", text).strip(" ±()\u2009")
        yield Token(words, place, number=False, name=name, marks="".join(marks))
        return
    for part, match in enumerate(found):
        begins = 0 if not part else match.start()
        ends = found[part + 1].start() if part + 1 < len(found) else len(cell.text)
        heavy = any(cell.bold[match.start("digits") : match.end()])
        around = "".join(_MARKS.findall(cell.text[begins:ends]))
        yield Token(numeral(match), place, part, name=name, bold=heavy, marks=around)


def row_tokens(row: Row, columns: Sequence[Column], *, bold: bool) -> Iterator[Token]:
    """The tokens of a row of ours, in any form; `bold` says whether it shows faces."""
    for place, (cell, column) in enumerate(zip(row.cells, columns, strict=True)):
        plain = Printed.of([(cell.plain, False)])
        if column.kind == "text":
            if cell.plain.strip():
                yield Token(cell.plain.strip(), place, number=False, name=True)
            continue
        best = bold and isinstance(cell, Spread) and cell.best
        for one in tokens([Printed("", ()), plain.settled], 1):
            yield replace(one, place=place, name=False, bold=best)
