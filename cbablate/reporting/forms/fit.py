"""`Fit`: how a table comes to stand on a page: in which size and place, in how many parts.

What is tried, until the table fits: a column, the whole width, a smaller size; words broken into
lines; what the rest says as well left out; panels in one float; the page turned; the columns
shared out over several tables. So nothing runs over a margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby

from cbablate.reporting.forms.latex_column import natural_width
from cbablate.reporting.forms.terse_table import without_counts, without_spans
from cbablate.reporting.forms.text_width import EM, LEADING, lines, points
from cbablate.reporting.model.cell import Cell, Text
from cbablate.reporting.model.column import Row
from cbablate.reporting.model.style import INCH, STYLES, Place, Size, Style, rooms
from cbablate.reporting.model.table import Table

__all__ = ["LONG", "Fit", "Pieces", "are_short", "compared_columns", "fit", "pieces"]

LONG = 40
"""A table of more rows runs over pages."""
_LEAST_GAP, _WIDEST_GAP = 6.0, 12.0
"""Points between two columns: what they need, and what they have where there is room."""
_SLACK = 2.1
"""Points that are left free: what the measures may be wrong by."""
_NARROWEST = 8.0
"""In em: no column of words is broken into narrower lines."""
_CAPTION = 12.0
"""Points from line to line of a caption, which LaTeX sets as large as the text."""
_RULES, _SPACES = 12.0, 40.0
"""Points that rules, and the spaces around caption, table and notes, take."""
_MOST_LINES = 36
"""Panels of so many lines together, each with its head and rules, stand below each other."""
_RULED = 2
"""Lines that the rules of a panel take, and the space above it."""
_MOST_SHORT = 12
"""So many floats may wait for a page before LaTeX must be made to set them."""


@dataclass(frozen=True)
class Fit:
    """Size, place, and the columns of each part, by index, of a table that may be shorter than
    the one that was to be set; `share` is the most points that a column of words has, `gaps` what
    is between two columns of each part.

    The parts are `panels` of one float, or floats. `remarks` tell, in sentences, what was done for
    want of room.
    """

    table: Table
    style: Style
    size: Size
    place: Place
    width: float
    share: float
    parts: tuple[tuple[int, ...], ...]
    gaps: tuple[float, ...] = ()
    panels: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def height(self) -> float:
        """The height that there is, in points."""
        return self.style.text if self.place == "turned" else self.style.height


@dataclass(frozen=True)
class Pieces:
    """A table's rows, page by page; `noted` says that its notes fit below the last of them."""

    rows: tuple[tuple[Row, ...], ...]
    noted: bool


def fit(table: Table) -> Fit:
    """How the table fits on the pages of its style."""
    how = table.typesetting
    style, upright = STYLES[how.style], rooms(how)
    turned: tuple[Place, float] = ("turned", style.height)
    if how.orientation == "landscape":
        return _in_one_piece(table, style, turned) or _in_parts(table, style, turned)
    short, uncounted = without_counts(table)
    shortest, spanless = without_spans(short)
    full = [(table, ()), (short, uncounted)]
    tries = (
        found
        for some in (full, [(shortest, uncounted + spanless)])
        for broken in (False, True)
        for one, remarks in some
        if (found := _whole(one, style, upright, *remarks, broken=broken))
    )
    panels = (
        found for one, remarks in full if (found := _in_panels(one, style, upright[-1], *remarks))
    )
    found = next(chain(tries, panels), None)
    if found is None and how.orientation == "auto":
        remark = f"Too wide for {_inches(upright[-1][1])} ({style.name}): turned"
        found = _in_one_piece(table, style, turned, remark)
    return found or _in_parts(table, style, upright[-1])


def are_short(found: Fit) -> bool:
    """Whether parts are so short that LaTeX may set several on a page, and so few that it can."""
    many = len(found.parts)
    high = _lines_of_parts(found) / many * LEADING[found.size]
    return found.place != "turned" and many <= _MOST_SHORT and high < found.height / 3


def pieces(found: Fit, caption: str, notes: Sequence[str]) -> Pieces:
    """The rows, shared out so that each piece is no higher than the page.

    The last piece leaves room for the notes, if they take less than half a page.
    """
    table = found.table
    leading = LEADING[found.size]
    head = 2 * leading + _CAPTION * lines(caption, found.width / 1.09, 9) + _RULES + _SPACES
    below = leading * (1 + sum(lines(note, found.width, found.size) for note in notes))
    room = found.height - head
    rows = [(row, leading * _height(row, found) + leading / 2 * row.opens) for row in table.rows]
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


def _in_one_piece(
    table: Table, style: Style, where: tuple[Place, float], *remarks: str
) -> Fit | None:
    """The table in this place, its words broken if they must be."""
    return _whole(table, style, (where,), *remarks) or _whole(
        table, style, (where,), *remarks, broken=True
    )


def _whole(
    table: Table,
    style: Style,
    places: Sequence[tuple[Place, float]],
    *remarks: str,
    broken: bool = False,
) -> Fit | None:
    """The table in one piece, in the first place and size that have room for it; where names are
    broken, in the place of which that takes least."""
    every = tuple(range(len(table.columns)))
    found: list[Fit] = []
    for place, room in places:
        for size in style.sizes:  # a smaller size before a wider place
            share = _share(table, every, size, room, broken=broken)
            if share is None:
                continue
            both = place == "text" and style.columns == 2 and len(places) > 1
            over = f"Too wide for a column of {_inches(style.column)} ({style.name}): over both"
            said = (*[over] * both, *remarks)
            one = Fit(table, style, size, place, room, share, (every,), remarks=said)
            found.append(replace(one, gaps=_gaps(one)))
            break
        if found and not broken:
            break
    return min(found, key=_page_taken, default=None)


def _page_taken(found: Fit) -> int:
    """How many lines of a column it takes."""
    across = found.style.columns if found.place == "text" else 1
    return across * sum(_height(row, found) for row in found.table.rows)


def _share(
    table: Table, columns: Sequence[int], size: Size, room: float, *, broken: bool
) -> float | None:
    """The most points that a column of words may have so that all fit; None if they do not."""
    natural = {
        index: natural_width(table.columns[index], _cells(table, index), size) for index in columns
    }
    words = sorted(wide for index, wide in natural.items() if table.columns[index].kind == "text")
    left = room - _SLACK - (sum(natural.values()) - sum(words)) - _LEAST_GAP * (len(columns) - 1)
    if sum(words) <= left:
        return max(words, default=0.0) + 1
    if not broken or not words:
        return None
    while words and words[0] <= left / len(words):
        left -= words.pop(0)
    share = left / max(1, len(words))
    return share if share >= _NARROWEST * EM[size] else None


def _in_panels(table: Table, style: Style, where: tuple[Place, float], *remarks: str) -> Fit | None:
    """The table in a few panels of one float, each with the names; None if they do not fit."""
    found = _in_parts(table, style, where)
    compared, others = compared_columns(table)
    two = tuple((*_names(table), *part) for part in (compared, others))
    if len(found.parts) == 2 and all(_fits(found, part) for part in two):
        found = replace(found, parts=two)
    many = len(found.parts)
    if _lines_of_parts(found) > _MOST_LINES or table.typesetting.long is True:
        return None
    if not all(_fits(found, part) for part in found.parts):
        return None
    remark = f"Too wide for {_inches(found.width)} ({style.name}): in {many} panels"
    return replace(found, gaps=_gaps(found), panels=True, remarks=(remark, *remarks))


def _in_parts(table: Table, style: Style, where: tuple[Place, float]) -> Fit:
    """The table as several, each with the names and as many other columns as fit.

    Neighbours that tell of one metric stay together where they can.
    """
    size, (place, room) = style.sizes[-1], where
    names = _names(table)
    share = max(_NARROWEST * EM[size], room / 3 / max(1, len(names)))
    found = Fit(table, style, size, place, room, share, ())
    parts: list[tuple[int, ...]] = []
    every = [index for some in compared_columns(table) for index in some]
    for _, run in groupby(every, key=lambda index: table.columns[index].metric):
        for together in _that_fit(found, names, tuple(run)):
            if parts and _fits(found, (*names, *parts[-1], *together)):
                parts[-1] += together
            else:
                parts.append(together)
    remark = f"Too wide for {_inches(room)} ({style.name}): in {len(parts)} parts"
    found = replace(found, parts=tuple((*names, *part) for part in parts))
    beyond = not all(_fits(found, part) for part in found.parts)
    more = f"Wider than {_inches(room)}: names and one column need more"
    remarks = (remark, *[more] * beyond)
    return replace(found, gaps=(_LEAST_GAP,) * len(parts), remarks=remarks)


def _lines_of_parts(found: Fit) -> int:
    """How many lines all parts take, with their heads and rules."""
    rows = sum(_height(row, found) for row in found.table.rows)
    return sum(rows + _RULED + _head_lines(found, part) for part in found.parts)


def _head_lines(found: Fit, part: Sequence[int]) -> int:
    """How many lines the longest label of a part takes above its numbers."""
    labels = ((index, found.table.columns[index]) for index in part)
    return max(
        lines(column.label, room, found.size) if points(column.label, found.size) > room else 1
        for index, column in labels
        for room in [natural_width(column, _cells(found.table, index), found.size)]
    )


def _names(table: Table) -> tuple[int, ...]:
    return tuple(i for i, column in enumerate(table.columns) if column.kind == "text")


def compared_columns(table: Table) -> tuple[list[int], list[int]]:
    """The columns that tell of the first metric, with those that count what is behind it; and the
    others."""
    every = [index for index, column in enumerate(table.columns) if column.kind != "text"]
    first = table.columns[every[0]].metric if every else ""
    told = {i: (table.columns[i].metric, table.columns[i].quantity) for i in every}
    near = [i for i in every if told[i][0] == first or told[i][1] == "n"]
    return near, [i for i in every if i not in near]


def _that_fit(found: Fit, names: tuple[int, ...], run: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Columns of one metric: together, or each alone if they are too wide for that."""
    return [run] if _fits(found, (*names, *run)) else [(index,) for index in run]


def _fits(found: Fit, part: Sequence[int]) -> bool:
    return _width(found, part, _LEAST_GAP) <= found.width - _SLACK


def _width(found: Fit, part: Sequence[int], gap: float) -> float:
    """How wide these columns come out, so far apart."""
    wide = 0.0
    for index in part:
        column = found.table.columns[index]
        natural = natural_width(column, _cells(found.table, index), found.size)
        wide += min(natural, found.share) if column.kind == "text" else natural
    return wide + gap * (len(part) - 1)


def _gaps(found: Fit) -> tuple[float, ...]:
    """What is between two columns of each part: as much as is good, and so that all parts are
    equally wide, where that does not part their columns too far.
    """
    room = found.width - _SLACK
    bare = [(_width(found, part, 0.0), max(1, len(part) - 1)) for part in found.parts]
    most = min(_WIDEST_GAP, *((room - wide) / many for wide, many in bare))
    widest = max(wide + most * many for wide, many in bare)
    return tuple(
        max(_LEAST_GAP, min(2 * _WIDEST_GAP, (widest - wide) / many)) for wide, many in bare
    )


def _inches(room: float) -> str:
    return f"{room / INCH:.3g} in"


def _cells(table: Table, index: int) -> list[Cell]:
    return [row.cells[index] for row in table.rows]


def _height(row: Row, found: Fit) -> int:
    """How many lines a row takes."""
    words = (one.text for one in row.cells if isinstance(one, Text))
    return max((_lines(text, found) for text in words), default=1)


def _lines(text: str, found: Fit) -> int:
    broken = points(text, found.size) > found.share
    return lines(text, found.share, found.size) if broken else 1
