"""Small plans and studies over the `toy` workload, for tests of everything around a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cbablate.planning.plan import Plan
from cbablate.spec.sweep import Parameter, Pruner, Sampler, Sweep
from cbablate.testing.toy_plan import toy_plan

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


def tuned_plan(
    *levels: dict[str, Any],
    space: Mapping[str, Parameter] | None = None,
    trials: int = 6,
    sampler: str = "tpe",
    pruner: Pruner | None = None,
    sweep: Mapping[str, Any] | None = None,
    name: str = "toys",
    searches: int = 1,
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
    asked = planned.study.model_copy(update={"tune": tune, "name": name, "searches": searches})
    return replace(planned, study=asked)
