"""`place_of`: the cell of a table that a person names by its row and its column."""

from __future__ import annotations

from dataclasses import dataclass

from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.reporting.model.table import Table
from cbablate.spec.yaml.suggestion import did_you_mean

__all__ = ["CellPlace", "columns_listed", "place_of"]

_WORDS = {"delta": "Δ", "difference": "Δ", "diff": "Δ"}
"""What may be typed for a column whose sign is on no keyboard."""
_TYPED = str.maketrans({"\u2212": "-", "\u2011": "-", "\u00a0": " ", "\u2060": None})
"""Signs as pages print them, which who copies a name from there has not typed."""


@dataclass(frozen=True)
class CellPlace:
    """Where a cell stands: its row and its column, each counted from 0."""

    row: int
    column: int


def place_of(table: Table, plan: Plan, *words: str) -> CellPlace:
    """The place of a cell: `ROW COLUMN`, or both joined by a colon.

    A row is its number from 1, its arm's name, or the key that the LaTeX source carries; a column
    its number from 1, its label or its metric's name. Upper and lower case are one.

    Raises:
        CbablateError: there is no such row or column.
    """
    joined = len(words) == 1 and ":" in words[0]
    if joined:
        words = tuple(words[0].rsplit(":", 1))
    if len(words) != 2:
        raise CbablateError(
            'a cell is named by its row and its column: "MLP end" "Top-1", or 3:2, '
            f"or a row's key and a column; not by {len(words)} words"
        )
    return CellPlace(_row(table, plan, words[0], by_number=joined), _column(table, words[1]))


def _row(table: Table, plan: Plan, word: str, *, by_number: bool) -> int:
    """The row; of a number that is also an arm's name, `by_number` says what is meant."""
    names = [plan.arm_of[row.arm].name for row in table.rows]
    counted = int(word) - 1 if word.isdecimal() and 1 <= int(word) <= len(names) else None
    if counted is not None and (by_number or word not in names):
        return counted
    for row, name in enumerate(names):
        if word in (name, table.rows[row].key, table.rows[row].arm):
            return row
    alike = [row for row, name in enumerate(names) if _same(name, word)]
    if len(alike) == 1:
        return alike[0]
    hint = did_you_mean(word, names) or f"rows are {', '.join(map(repr, names[:20]))}"
    raise CbablateError(f"no row of table {table.name} is called '{word}': {hint}")


def _column(table: Table, word: str) -> int:
    if word.isdecimal() and 1 <= int(word) <= len(table.columns):
        return int(word) - 1
    wanted = _WORDS.get(word.casefold(), word)
    found = [
        index
        for index, column in enumerate(table.columns)
        if _same(wanted, column.label)
        or (_same(wanted, column.metric) and column.quantity in ("mean", "timing"))
    ]
    if found:
        return found[0]
    raise CbablateError(
        f"no column of table {table.name} is called '{word}'; there are {columns_listed(table)}"
    )


def _same(one: str, other: str) -> bool:
    """Whether two words are one, but for capitals and kinds of hyphens, minus signs and spaces."""
    return one.translate(_TYPED).casefold() == other.translate(_TYPED).casefold()


def columns_listed(table: Table) -> str:
    """The columns by number and label, for a message."""
    return ", ".join(f"{i} '{column.label}'" for i, column in enumerate(table.columns, 1))
