"""Small plans and studies over the `toy` workload, for tests of everything around a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cbablate.planning.plan import Plan, plan
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.sequential import Sequential
from cbablate.spec.study import Study
from cbablate.spec.sweep import Parameter, Pruner, Sampler, Sweep
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


RATE_AND_START = {
    "rate": Parameter(kind="float", low=0.05, high=5.0, log=True),
    "start": Parameter(kind="float", low=-1.0, high=0.5),
}


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


def tuned_plan(
    *levels: dict[str, Any],
    space: Mapping[str, Parameter] | None = None,
    trials: int = 6,
    sampler: str = "tpe",
    pruner: Pruner | None = None,
    sweep: Mapping[str, Any] | None = None,
    name: str = "toys",
    **study: Any,
) -> Plan:
    """As `toy_plan`, of a study that tunes: by default the rate of the curve and its start.

    What the planner would refuse is not refused, so that it can be met further on.
    """
    planned = toy_plan(*levels, **study)
    tune = Sweep(
        name="sweep",
        space=space or RATE_AND_START,
        sampler=Sampler(name=sampler),  # type: ignore[arg-type]  # a word is as good here
        pruner=pruner,
        trials=trials,
        **(sweep or {}),
    )
    asked = planned.study.model_copy(update={"tune": tune, "name": name})
    return replace(planned, study=asked)
