"""Which tables a study has beside that of its arms: one row each, read without what computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbablate.spec.choice import by_name, code_at

if TYPE_CHECKING:
    from cbablate.analysis.summary import Summary
    from cbablate.planning.plan import Plan
    from cbablate.reporting.model.table import Table

__all__ = ["VIEWS", "View"]

_ROOM = "cbablate.reporting.tables"


@dataclass(frozen=True)
class View:
    """Another table of a study: what computes it, and when it is written beside the first one."""

    name: str
    computed: str
    """A function of this room, as `module:function`."""
    help: str
    """What it tells, for the command line."""
    written: bool = False
    """Whether it is written beside the table, where it is not asked for by its name."""
    factorial: bool = False
    """Whether, of a single factor, it would say what the table says."""

    def __call__(self, plan: Plan, summary: Summary) -> Table:
        """The table.

        Raises:
            CbablateError: the study's design or its trials do not tell that.
        """
        table: Table = code_at(f"{_ROOM}.{self.computed}")(plan, summary)
        return table


VIEWS: Mapping[str, View] = by_name(
    "views",
    [
        View(
            "effects",
            "effects:effect_table",
            "Of a factorial: what each factor and pair of factors explains.",
            written=True,
            factorial=True,
        ),
        View(
            "components",
            "components:component_table",
            "Of two-level factors: what each one contributes.",
            written=True,
            factorial=True,
        ),
        View(
            "pairs",
            "components:pair_table",
            "Of a factorial: whether two components add up.",
            written=True,
            factorial=True,
        ),
        View(
            "mechanism",
            "mechanism:mechanism_table",
            "How the other metrics change with the first one.",
        ),
        View(
            "alignment",
            "alignment:alignment_table",
            "How alike the arms' layers are to their reference's.",
            written=True,
        ),
        View(
            "robust",
            "robustness:robust_table",
            "Over several corruptions or data sets at once: IQM, P(better).",
        ),
    ],
)
"""Every view by its name, which is its flag of `cbablate table`, too."""
