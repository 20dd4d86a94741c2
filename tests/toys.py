"""Small plans and studies over the `toy` workload, for tests of everything around a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cbablate.planning.plan import Plan, plan
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe

TOY_STUDY = """\
question: Does a higher ceiling score higher?
workload: toy
baseline: {{ceiling: 1.0, noise: 0.05, seconds: {seconds}}}
factors:
  - name: ceiling
    levels:
      - {{name: one}}
      - {{name: two, changes: {{ceiling: 2.0}}}}
      - {{name: three, changes: {{ceiling: 3.0}}}}
      - {{name: four, changes: {{ceiling: 4.0}}}}
budget: {{epochs: {epochs}}}
replicates: {replicates}
objective: {{metric: val/score, direction: maximize}}
report: [test/score]
"""


def toy_file(
    folder: Path, *, seconds: float = 0.0, epochs: int = 4, replicates: int = 3, name: str = "toys"
) -> Path:
    """A study file of four arms."""
    path = folder / f"{name}.yaml"
    path.write_text(TOY_STUDY.format(seconds=seconds, epochs=epochs, replicates=replicates))
    return path


def toy_plan(
    *levels: dict[str, Any],
    epochs: int = 3,
    replicates: int = 2,
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
