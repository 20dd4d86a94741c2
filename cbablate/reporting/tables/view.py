"""Views: the other tables of a study beside its arms, by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from cbablate.analysis.measures.alignment import has_grams
from cbablate.analysis.summary import Summary
from cbablate.errors import CbablateError
from cbablate.fingerprint import fingerprint
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Text
from cbablate.reporting.model.column import Row
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.sequential_note import VIEW_NOTE
from cbablate.reporting.sentences.tuning_note import view_luck
from cbablate.reporting.tables.catalog import VIEWS

__all__ = ["WRITTEN", "view", "views"]

WRITTEN = tuple(name for name, row in VIEWS.items() if row.written)
"""Those written beside the table."""


def view(name: str, plan: Plan, summary: Summary) -> Table:
    """The view of this name; where replicates grow, or arms were tuned, it says what that does to
    its numbers.

    Raises:
        CbablateError: the study does not tell what is asked for.
    """
    table = _dressed(plan, summary, VIEWS[name](plan, summary))
    said = [VIEW_NOTE] if summary.course is not None else [*view_luck(plan)]
    return replace(table, notes=(*table.notes, *said))


def _dressed(plan: Plan, summary: Summary, table: Table) -> Table:
    """A view set as the study's table is; caption and label are that one's alone.

    Its rows are of no arm, so that their keys are made from what they are called.
    """
    look = plan.study.typesetting.model_copy(update={"caption": None, "label": None})
    rows = [
        row
        if row.key
        else replace(row, mark=fingerprint({"row": [table.name, place, _named(row)]}))
        for place, row in enumerate(table.rows)
    ]
    return replace(table, typesetting=look, rows=tuple(rows), data=summary.data)


def _named(row: Row) -> list[str]:
    return [cell.text for cell in row.cells if isinstance(cell, Text)]


def views(plan: Plan, summary: Summary) -> Iterator[Table]:
    """The views that this study has so far, to be written beside its table.

    One that the study lacks is no fault here: whoever asks for it by name is told why.
    """
    several, grams = len(plan.study.factors) > 1, has_grams(summary)
    for name in sorted(WRITTEN, key=lambda name: VIEWS[name].factorial):
        if several if VIEWS[name].factorial else grams:
            with suppress(CbablateError):
                yield view(name, plan, summary)
