"""Views: the other tables of a study beside its arms, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType

from cbablate.analysis.measures.alignment import has_grams
from cbablate.analysis.summary import Summary
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.sequential_note import VIEW_NOTE
from cbablate.reporting.tables.alignment import alignment_table
from cbablate.reporting.tables.components import component_table, pair_table
from cbablate.reporting.tables.effects import effect_table
from cbablate.reporting.tables.mechanism import mechanism_table
from cbablate.reporting.tables.robustness import robust_table

__all__ = ["VIEWS", "WRITTEN", "view", "views"]

VIEWS: Mapping[str, Callable[[Plan, Summary], Table]] = MappingProxyType(
    {
        "effects": effect_table,
        "components": component_table,
        "pairs": pair_table,
        "mechanism": mechanism_table,
        "alignment": alignment_table,
        "robust": robust_table,
    }
)
"""Each raises `CbablateError` where the study's design or its trials do not tell that."""
_FACTORIAL = ("effects", "components", "pairs")
WRITTEN = ("alignment", *_FACTORIAL)
"""Those written beside the table; what takes seconds to resample is asked for."""


def view(name: str, plan: Plan, summary: Summary) -> Table:
    """The view of this name; where replicates grow, it says what that does to its numbers.

    Raises:
        CbablateError: the study does not tell what is asked for.
    """
    table = _dressed(plan, VIEWS[name](plan, summary))
    if summary.course is None:
        return table
    return replace(table, notes=(*table.notes, VIEW_NOTE))


def _dressed(plan: Plan, table: Table) -> Table:
    """A view set as the study's table is; caption and label are that one's alone."""
    look = plan.study.typesetting.model_copy(update={"caption": None, "label": None})
    return replace(table, typesetting=look)


def views(plan: Plan, summary: Summary) -> Iterator[Table]:
    """The views that this study has so far, to be written beside its table.

    Of a single factor the factorial ones would say what the table says. One that the study lacks
    is no fault here: whoever asks for it by name is told why.
    """
    if has_grams(summary):
        with suppress(CbablateError):
            yield view("alignment", plan, summary)
    if len(plan.study.factors) < 2:
        return
    for name in _FACTORIAL:
        try:
            yield view(name, plan, summary)
        except CbablateError:
            continue
