"""A small plan over the `toy` workload, whose trials take no time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cbablate.planning.plan import Plan, plan
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.sequential import Sequential
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe

__all__ = ["toy_plan"]


def toy_plan(
    *levels: dict[str, Any],
    epochs: int = 3,
    replicates: int | Sequential = 2,
    report: tuple[str, ...] = ("test/score",),
    **baseline: Any,
) -> Plan:
    """A plan whose arms are the baseline and one for each given change of it."""
    changed = tuple(Level(name=f"level {i}", changes=c) for i, c in enumerate(levels, start=1))
    factors = (Factor(name="factor", levels=(Level(name="baseline"), *changed)),) if levels else ()
    study = Study(
        name="toys",
        question="Does it?",
        workload="toy",
        baseline=baseline,
        factors=factors,
        budget=Budget(epochs=epochs),
        replicates=replicates,
        objective=Objective(metric="val/score", direction="maximize"),
        report=report,
    )
    return plan(study, describe("toy", Path()))
