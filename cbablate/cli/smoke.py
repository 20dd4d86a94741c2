"""`smoke_run`: a study tried out: whether everything in it runs, before it is paid for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cbablate.cli.output import spelled
from cbablate.cli.words import TEXT, Form, say, tell
from cbablate.errors import StudyError
from cbablate.phrases import amount, counted, duration
from cbablate.planning import plan as planning
from cbablate.planning.plan import Plan
from cbablate.spec.budget import Budget

if TYPE_CHECKING:
    from cbablate.api import Resources
    from cbablate.running.completion import Completion

__all__ = ["smoke_plan", "smoke_run"]


def smoke_run(plan: Plan, resources: Resources) -> int:
    """Train one replicate of each arm at the least budget, and throw it away; the exit code.

    The table is printed below a line that says what it is.

    Raises:
        CbablateError: as `api.run` says.
    """
    from cbablate import api
    from cbablate.overviews.overview import failure_lines
    from cbablate.running.isolation.scratch import remove_scratch, scratch_folder
    from cbablate.running.isolation.signals import stoppable
    from cbablate.running.isolation.stdout import stdout_set_aside

    began = time.monotonic()
    folder = scratch_folder("smoke")
    try:
        with stoppable():
            stdout_set_aside()
            done = _least_run(
                plan,
                lambda one: api.run(
                    one, results=folder / "results", resources=resources, mirrored=False
                ),
            )
        tried = done.plan.study
        say(
            f"SMOKE RUN of {tried.name}: {counted(len(done.plan.trials), 'trial')}, one replicate "
            f"of each arm, {amount(tried.budget.amount, tried.budget.unit)} each. These numbers "
            "are no results.\n"
        )
        say(spelled(api.table_of(done.plan, done.book, view="shown"), Form(TEXT)), end="")
    finally:
        remove_scratch(folder)
    for line in failure_lines(done):
        tell(line)
    how = "everything ran" if not done.exit_code else "not everything ran"
    tell(f"Smoke run: {how}, in {duration(time.monotonic() - began)}; nothing of it is kept.")
    return done.exit_code


def smoke_plan(plan: Plan, budget: int) -> Plan:
    """The arms of a plan, each trained once for so much budget, at the hyperparameters as written.

    Raises:
        StudyError: the arms do not go with so little budget.
    """
    study = plan.study
    least = {
        "replicates": 1,
        "searches": 1,
        "tune": None,
        "budget": Budget(**{study.budget.unit: budget}),
    }
    return planning.plan(study.model_copy(update=least), plan.description)


def _least_run(plan: Plan, run: Callable[[Plan], Completion]) -> Completion:
    """The run of the least budget that the workload takes: twice as much each time it refuses.

    A schedule may be refused that ends within its warm-up, which only the workload can tell.
    """
    most, said = plan.study.budget.amount, ""
    budget = min(most, _first_guess(plan))
    while True:
        try:
            return run(smoke_plan(plan, budget))
        except StudyError as error:
            if budget == most or str(error) == said:
                raise
            said, budget = str(error), min(most, 2 * budget)


def _first_guess(plan: Plan) -> int:
    """One more than the largest part of the budget that a config names, `warmup_epochs: 2`."""
    unit, most = plan.study.budget.unit, plan.study.budget.amount
    parts = (part for arm in plan.arms for part in _parts(arm.config, f"_{unit}"))
    return 1 + max((math.ceil(part) for part in parts if 0 < part < most), default=0)


def _parts(config: Mapping[str, Any], suffix: str) -> Iterator[float]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _parts(value, suffix)
        elif key.endswith(suffix) and isinstance(value, int | float):
            yield value
