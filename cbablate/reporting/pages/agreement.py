"""`Agreement`: a table as a paper prints it beside the table of the ledger, cell by cell.

All rows are aligned together: a column counts as left out only where no row has it. What a row
lacks that others have is a number deleted. Names are their author's; numbers with `<`, marks and
bold faces are claims.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cbablate.reporting.forms.fit import compared_columns
from cbablate.reporting.model.column import Row
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.paper import PaperRow
from cbablate.reporting.pages.printed_cell import Token, row_tokens

__all__ = ["Agreement", "Disagreement", "agreement", "disagreements"]

_Part = tuple[int, int]
"""A column, and which of its numbers: a centre, a half-width."""
_Pair = tuple[Token | None, Token | None]
"""What a paper prints, and what stands there in our table; None where either has nothing."""
_ROUNDS = 3
_LESS = 0.4
"""How much cheaper it is to leave out what all rows leave out."""


@dataclass(frozen=True)
class Disagreement:
    """What a paper prints, and what the ledger says now; "" for nothing in its place."""

    row: PaperRow
    printed: str
    now: str
    column: str


@dataclass(frozen=True)
class Agreement:
    """What of a printed table does not hold, and which columns no row of it has."""

    disagreements: tuple[Disagreement, ...] = ()
    left_out: tuple[str, ...] = ()


def disagreements(table: Table, *rows: PaperRow) -> list[Disagreement]:
    """What the printed rows of a table say that the table does not, in the order of the rows."""
    return list(agreement(table, rows).disagreements)


def agreement(table: Table, rows: Sequence[PaperRow]) -> Agreement:
    """How rows that are printed together agree with the table whose rows they are.

    Columns stand in the table's order, or in that of a table in parts: first what tells of the
    first metric, with the numbers behind it.
    """
    found = _agreement(table, rows)
    if not found.disagreements:
        return found
    other = _agreement(_in_parts(table), rows)
    return min(found, other, key=lambda one: len(one.disagreements))


def _in_parts(table: Table) -> Table:
    """The table with its columns in the order of a table in parts."""
    near, _ = compared_columns(table)
    names = [place for place, column in enumerate(table.columns) if column.kind == "text"]
    rest = [i for i in range(len(table.columns)) if i not in names and i not in near]
    order = [*names, *near, *rest]
    rows = (replace(row, cells=tuple(row.cells[place] for place in order)) for row in table.rows)
    return replace(table, columns=tuple(table.columns[i] for i in order), rows=tuple(rows))


def _agreement(table: Table, rows: Sequence[PaperRow]) -> Agreement:
    of_key = {row.key: row for row in table.rows}
    bold = any(one.shows_bold for one in rows)
    names = sum(column.kind == "text" for column in table.columns)
    gone = [
        Disagreement(row, one.text, "", "")
        for row in rows
        if row.key not in of_key
        for one in row.tokens(1)
        if one.number and one.place
    ]
    known = [row for row in rows if row.key in of_key and row.is_printed]
    said = [row.tokens(names) for row in known]
    ours = [_ours(table, of_key[row.key], bold=bold) for row in known]
    pairs, absent = _aligned(said, ours)
    faults = list(gone)
    for row, aligned in zip(known, pairs, strict=True):
        faults += _faults(table, row, aligned, absent)
    return Agreement(tuple(faults), tuple(_spelled(table, absent)))


def _ours(table: Table, row: Row, *, bold: bool) -> list[Token]:
    return list(row_tokens(row, table.columns, bold=bold))


def _aligned(
    said: Sequence[Sequence[Token]], ours: Sequence[Sequence[Token]]
) -> tuple[list[list[_Pair]], set[_Part]]:
    """The pairs of each row, and what is left out of them all."""
    beside = _beside(said, ours)
    if beside is not None:
        kept = [[one for one in own if one.name or one.place in beside] for own in ours]
        pairs = [_path(printed, own, {}) for printed, own in zip(said, kept, strict=True)]
        gone = {(one.place, one.part) for own in ours for one in own if not one.name}
        return pairs, {part for part in gone if part[0] not in beside}
    price: Mapping[_Part, float] = {}
    pairs = []
    for _ in range(_ROUNDS):
        pairs = [_path(printed, own, price) for printed, own in zip(said, ours, strict=True)]
        price = {part: 1.0 - _LESS * share for part, share in _missing(pairs).items()}
    return pairs, _absent(pairs)


def _beside(said: Sequence[Sequence[Token]], ours: Sequence[Sequence[Token]]) -> range | None:
    """The columns of which a table, or a part of one, has all that stand beside each other.

    That is known where half of its rows print them as they are: what is like several columns is
    then of the same one in every row.
    """
    wide = max((one.place for own in ours for one in own), default=0) + 1
    best, most = None, (len(said) + 1) // 2
    printed = [[one.text for one in row if not one.name] for row in said]
    for first in range(wide):
        for last in range(wide, first, -1):
            exact = sum(
                row == [one.text for one in own if first <= one.place < last and not one.name]
                for row, own in zip(printed, ours, strict=True)
            )
            if exact >= most and exact:
                best, most = range(first, last), exact + 1
    return best


def _missing(pairs: Sequence[Sequence[_Pair]]) -> dict[_Part, float]:
    """By part of a column, in which share of the rows that have it it is not printed."""
    there: dict[_Part, list[bool]] = {}
    for row in pairs:
        for printed, own in row:
            if own is not None and not own.name:
                there.setdefault((own.place, own.part), []).append(printed is None)
    return {part: sum(of) / len(of) for part, of in there.items()}


def _absent(pairs: Sequence[Sequence[_Pair]]) -> set[_Part]:
    """The parts of columns that an author left out: whole columns, or all of their intervals.

    A single row cannot show that an interval was left out of all.
    """
    shares = _missing(pairs)
    whole = {place for place, _ in shares}
    whole -= {place for (place, _), share in shares.items() if share < 1}
    rows = [
        {(own.place, own.part) for _, own in row if own is not None and not own.name}
        for row in pairs
    ]
    return {
        (place, part)
        for (place, part), share in shares.items()
        if place in whole or (part and share == 1 and sum((place, part) in row for row in rows) > 1)
    }


def _path(
    printed: Sequence[Token], own: Sequence[Token], price: Mapping[_Part, float]
) -> list[_Pair]:
    """The cheapest way to read one row as the other, token by token."""
    deep, wide = len(printed), len(own)
    drop = [
        0.3 if one.name else (1.0 if one.number else 0.5) * price.get((one.place, one.part), 1.0)
        for one in own
    ]
    extra = [0.3 if one.name and not one.number else 1.0 for one in printed]
    cost = [[0.0] * (wide + 1) for _ in range(deep + 1)]
    for column in range(wide):
        cost[0][column + 1] = cost[0][column] + drop[column]
    for row in range(deep):
        cost[row + 1][0] = cost[row][0] + extra[row]
        for column in range(wide):
            cost[row + 1][column + 1] = min(
                cost[row][column] + _unlike(printed[row], own[column]),
                cost[row + 1][column] + drop[column],
                cost[row][column + 1] + extra[row],
            )
    pairs: list[_Pair] = []
    row, column = deep, wide
    while row or column:
        here = cost[row][column]
        if row and column:
            together = cost[row - 1][column - 1] + _unlike(printed[row - 1], own[column - 1])
            if here == together:
                row, column = row - 1, column - 1
                pairs.append((printed[row], own[column]))
                continue
        if column and here == cost[row][column - 1] + drop[column - 1]:
            column -= 1
            pairs.append((None, own[column]))
        else:
            row -= 1
            pairs.append((printed[row], None))
    return pairs[::-1]


def _unlike(printed: Token, own: Token) -> float:
    """How little one reads as the other; less than leaving out one and adding the other."""
    if own.name:
        return 0.0 if printed.name else 1.5
    if printed.name and not printed.number:
        return 1.5
    if printed.number != own.number:
        return 1.2
    if not own.number or printed.text == own.text:
        return 0.0
    return 0.8 if printed.decimals == own.decimals else 1.0


def _faults(
    table: Table, row: PaperRow, pairs: Sequence[_Pair], absent: set[_Part]
) -> Iterator[Disagreement]:
    """What one row says otherwise than the table."""
    marks: dict[int, tuple[str, str]] = {}
    for printed, own in pairs:
        if own is None:
            if printed is not None and printed.number and printed.place:
                yield Disagreement(row, printed.text, "", "")
            continue
        column = table.columns[own.place].label
        if own.name:
            if printed is not None and _renumbered(printed, own):
                yield Disagreement(row, printed.text, own.text, column)
            continue
        there, here = marks.get(own.place, ("", ""))
        marks[own.place] = there + (printed.marks if printed else ""), here + own.marks
        if printed is None:
            if own.number and (own.place, own.part) not in absent:
                yield Disagreement(row, "", own.text, column)
            continue
        if printed.text != own.text and (printed.number or own.number):
            yield Disagreement(row, printed.text, own.text, column)
        elif own.number and printed.bold != own.bold and (printed.bold or not own.part):
            yield Disagreement(row, *_faces(printed), column)
    shown = {own.place for printed, own in pairs if own is not None and printed is not None}
    for place, (there, here) in marks.items():
        if there != here and place in shown:
            column = table.columns[place].label
            yield Disagreement(row, there or "no mark", here or "no mark", column)


def _faces(printed: Token) -> tuple[str, str]:
    """The number as printed and as it should be, one of them in bold."""
    bold = f"{printed.text} in bold"
    return (bold, f"{printed.text}, not in bold") if printed.bold else (printed.text, bold)


def _renumbered(printed: Token, own: Token) -> bool:
    """Whether a level that is a number has become another; the first name is its author's."""
    return (
        printed.place > 0
        and not own.lettered
        and not printed.lettered
        and printed.text != own.text.replace("\u2212", "-").lstrip("+")
    )


def _spelled(table: Table, absent: set[_Part]) -> Iterator[str]:
    """The labels of columns that are left out, or of which the intervals are."""
    for place, column in enumerate(table.columns):
        parts = {part for at, part in absent if at == place}
        if 0 in parts:
            yield column.label
        elif parts:
            yield f"the intervals of {column.label}"
