"""`Fit`: how a table comes to stand on a page: in which size and place, in how many parts.

What is tried, until the table fits: a column, the whole width, a smaller size; words broken into
lines; the page turned; the columns shared out over several tables. So nothing runs over a margin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cbablate.reporting.forms.latex_column import natural_width
from cbablate.reporting.forms.text_width import EM, LEADING, lines, points
from cbablate.reporting.model.cell import Cell, Text
from cbablate.reporting.model.column import Row
from cbablate.reporting.model.style import STYLES, Size, Style
from cbablate.reporting.model.table import Table

__all__ = ["LONG", "Fit", "Pieces", "fit", "pieces"]

LONG = 40
"""A table of more rows runs over pages."""
Place = Literal["column", "text", "turned"]
_INCH = 72.27
_GAP = 5.0
"""Points between two columns."""
_SLACK = 2.1
"""Points that are left free: what the measures may be wrong by."""
_NARROWEST = 8.0
"""In em: no column of words is broken into narrower lines."""
_CAPTION = 12.0
"""Points from line to line of a caption, which LaTeX sets as large as the text."""
_RULES, _SPACES = 12.0, 40.0
"""Points that rules, and the spaces around caption, table and notes, take."""


@dataclass(frozen=True)
class Fit:
    """Size, place, and the columns of each part, by index; `share` is the most points that a
    column of words has.

    `said` tells, in sentences, what was done for want of room.
    """

    style: Style
    size: Size
    place: Place
    share: float
    parts: tuple[tuple[int, ...], ...]
    said: tuple[str, ...] = ()

    @property
    def width(self) -> float:
        """The width that there is, in points."""
        return _room(self.style, self.place)

    @property
    def height(self) -> float:
        """The height that there is, in points."""
        turned = self.place == "turned"
        return _INCH * (self.style.text if turned else self.style.height)


@dataclass(frozen=True)
class Pieces:
    """A table's rows, page by page; `noted` says that its notes fit below the last of them."""

    rows: tuple[tuple[Row, ...], ...]
    noted: bool


def fit(table: Table) -> Fit:
    """How the table fits on the pages of its style."""
    style, wish = STYLES[table.typesetting.style], table.typesetting.orientation
    upright: tuple[Place, ...] = ("column", "text") if style.columns == 2 else ("text",)
    every = tuple(range(len(table.columns)))
    for places in [upright] * (wish != "landscape") + [("turned",)] * (wish != "portrait"):
        for broken in (False, True):
            for place, size in _tries(style, places):
                share = _share(table, every, size, _room(style, place), broken=broken)
                if share is not None:
                    said = _told(style, place, wished=wish == "landscape")
                    return Fit(style, size, place, share, (every,), said)
    return _in_parts(table, style, "turned" if wish == "landscape" else "text")


def pieces(table: Table, found: Fit, caption: str, notes: Sequence[str]) -> Pieces:
    """The rows, shared out so that each piece is no higher than the page.

    The last piece leaves room for the notes, if they take less than half a page.
    """
    leading = LEADING[found.size]
    head = 2 * leading + _CAPTION * lines(caption, found.width / 1.09, "small") + _RULES + _SPACES
    below = leading * (1 + sum(lines(note, found.width, found.size) for note in notes))
    room = found.height - head
    rows = [
        (row, leading * _height(row, table, found) + leading / 2 * row.opens) for row in table.rows
    ]
    whole = sum(high for _, high in rows)
    if whole + below <= room:
        return Pieces((table.rows,), True)
    shared: list[list[Row]] = [[]]
    used, left = 0.0, whole
    for row, high in rows:
        ends = left + used <= room and below < room / 2
        if shared[-1] and used + high > (room - below if ends else room):
            shared.append([])
            used = 0.0
        shared[-1].append(row)
        used, left = used + high, left - high
    return Pieces(tuple(tuple(piece) for piece in shared), used + below <= room)


def _tries(style: Style, places: Sequence[Place]) -> Iterator[tuple[Place, Size]]:
    """Where, in which size: a smaller size before a wider place."""
    return ((place, size) for place in places for size in style.sizes)


def _room(style: Style, place: Place) -> float:
    inches = {"column": style.column, "text": style.text, "turned": style.height}
    return _INCH * inches[place]


def _share(
    table: Table, columns: Sequence[int], size: Size, room: float, *, broken: bool
) -> float | None:
    """The most points that a column of words may have so that all fit; None if they do not."""
    natural = {
        index: natural_width(table.columns[index], _cells(table, index), size) for index in columns
    }
    words = sorted(wide for index, wide in natural.items() if table.columns[index].kind == "text")
    left = room - _SLACK - (sum(natural.values()) - sum(words)) - _GAP * (len(columns) - 1)
    if sum(words) <= left:
        return max(words, default=0.0) + 1
    if not broken or not words:
        return None
    while words and words[0] <= left / len(words):
        left -= words.pop(0)
    share = left / max(1, len(words))
    return share if share >= _NARROWEST * EM[size] else None


def _in_parts(table: Table, style: Style, place: Place) -> Fit:
    """The table as several, each with the names and as many other columns as fit."""
    size, room = style.sizes[-1], _room(style, place)
    names = [i for i, column in enumerate(table.columns) if column.kind == "text"]
    share = max(_NARROWEST * EM[size], room / 3 / max(1, len(names)))
    parts: list[list[int]] = [[]]
    for index, column in enumerate(table.columns):
        if column.kind == "text":
            continue
        tried = [*names, *parts[-1], index]
        if parts[-1] and _beyond(table, tried, size, share=share) > room - _SLACK:
            parts.append([])
        parts[-1].append(index)
    told = f"Too wide for {room / _INCH:g} in ({style.name}): in {len(parts)} parts"
    return Fit(style, size, place, share, tuple((*names, *part) for part in parts), (told,))


def _beyond(table: Table, columns: Sequence[int], size: Size, *, share: float) -> float:
    """How wide these columns are where words have `share` at most."""
    wide = 0.0
    for index in columns:
        natural = natural_width(table.columns[index], _cells(table, index), size)
        wide += min(natural, share) if table.columns[index].kind == "text" else natural
    return wide + _GAP * (len(columns) - 1)


def _told(style: Style, place: Place, *, wished: bool) -> tuple[str, ...]:
    if place == "turned" and not wished:
        return (f"Too wide for {style.text:g} in ({style.name}): turned",)
    if place == "text" and style.columns == 2:
        return (f"Too wide for a column of {style.column:g} in ({style.name}): over both",)
    return ()


def _cells(table: Table, index: int) -> list[Cell]:
    return [row.cells[index] for row in table.rows]


def _height(row: Row, table: Table, found: Fit) -> int:
    """How many lines a row takes."""
    words = (one.text for one in row.cells if isinstance(one, Text))
    return max((_lines(text, found) for text in words), default=1)


def _lines(text: str, found: Fit) -> int:
    broken = points(text, found.size) > found.share
    return lines(text, found.share, found.size) if broken else 1
