"""Terse tables: a table without what its caption or a note says as well, for want of room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cbablate.reporting.model.cell import DASH, Cell, Count, Range
from cbablate.reporting.model.table import Table

__all__ = ["without_counts", "without_spans"]

_SPANNED = {
    f": median (slowest{DASH}fastest)": "round",
    f": median (least{DASH}greatest)": "trial",
}
"""How a note on timings begins after their label."""


def without_counts(table: Table) -> tuple[Table, tuple[str, ...]]:
    """The table without `n`, where no value is missing and the caption says it; and what was left
    out, in a sentence."""
    counts = [i for i, column in enumerate(table.columns) if column.quantity == "n"]
    even = [i for i in counts if table.statement and _is_even(table, i)]
    if not even:
        return table, ()
    said = "The column n is left out: the caption says how many there are"
    return _without(table, even), (said,)


def without_spans(table: Table) -> tuple[Table, tuple[str, ...]]:
    """The table without the spans of its timings, of which its notes tell the widest instead; and
    what was left out, in a sentence."""
    widest = dict(_widest(table))
    if not widest:
        return table, ()
    rows = tuple(replace(row, cells=tuple(map(_median, row.cells))) for row in table.rows)
    brief = None if table.brief is None else _retold(table.brief, widest)
    short = replace(table, rows=rows, notes=_retold(table.notes, widest), brief=brief)
    return short, ("Spans of timings are left out: a note tells the widest",)


def _retold(notes: Sequence[str], widest: Mapping[str, str]) -> tuple[str, ...]:
    """The notes, of which those on timings tell how far apart rounds were."""
    retold = []
    for note in notes:
        for span, one in _SPANNED.items():
            label, spanned, rest = note.partition(span)
            if spanned and label in widest:
                said = f"no {one} is further than {widest[label]} from it."
                note = f"{label}: median{rest.removesuffix('.')}; {said}"
                break
        retold.append(note)
    return tuple(retold)


def _without(table: Table, left_out: Sequence[int]) -> Table:
    """The table without these columns."""
    kept = [index for index in range(len(table.columns)) if index not in left_out]
    return replace(
        table,
        columns=tuple(table.columns[index] for index in kept),
        rows=tuple(
            replace(row, cells=tuple(row.cells[index] for index in kept)) for row in table.rows
        ),
    )


def _median(cell: Cell) -> Cell:
    """A timing without its span; a difference keeps its interval."""
    return cell.centre if isinstance(cell, Range) and not cell.centre.signed else cell


def _is_even(table: Table, index: int) -> bool:
    """Whether a column says one number of all rows, and of no row that any is missing."""
    cells = {row.cells[index] for row in table.rows}
    return len(cells) == 1 and all(isinstance(one, Count) and one.n == one.planned for one in cells)


def _widest(table: Table) -> Iterator[tuple[str, str]]:
    """By label, how far the slowest and the fastest round lie from the median, at most."""
    for index, column in enumerate(table.columns):
        cells = [row.cells[index] for row in table.rows]
        apart = [
            abs(end.value / one.centre.value - 1)
            for one in cells
            if isinstance(one, Range) and column.quantity == "timing"
            for end in (one.low, one.high)
            if end.value and one.centre.value
        ]
        if apart:
            yield column.label, f"{100 * max(apart):.1f} %"
