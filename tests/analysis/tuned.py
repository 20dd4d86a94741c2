"""Plans that tune their arms, and facts as a ledger would tell of their searches."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from cbablate.analysis.standing import Standing
from cbablate.planning.plan import Plan, plan
from cbablate.planning.search import searches
from cbablate.planning.trial import Trial
from cbablate.records.facts import Measured, Proposed, Started
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record
from cbablate.spec.description import Description
from cbablate.spec.metric import Objective
from cbablate.spec.space import draw
from cbablate.spec.sweep import Parameter, Proposal, Pruner, Sampler, Sweep
from tests.analysis.fabrication import Telling, placement
from tests.toys import toy_plan

SPACE = {
    "rate": Parameter(kind="float", low=0.1, high=1.0, log=True),
    "start": Parameter(kind="int", low=0, high=3),
    "fault": Parameter(kind="choice", choices=("none", "silent")),
}


def sweep(**other: Any) -> Sweep:
    """Six trials an arm over three keys of the toy."""
    return Sweep(**{"name": "toy-sweep", "space": SPACE, "trials": 6, **other})


def tuned(planned: Plan, how: Sweep | None = None, **other: Any) -> Plan:
    """The plan of the same study, tuned."""
    study = planned.study.model_copy(update={"tune": how or sweep(), **other})
    return plan(study, planned.description)


def tuned_toys(
    *levels: dict[str, Any], how: Sweep | None = None, searches: int = 1, **other: Any
) -> Plan:
    """A toy study, tuned; of one arm where no level is given."""
    planned = toy_plan(*levels, **{"epochs": 4, "replicates": 6, **other})
    return tuned(planned, how, searches=searches)


def tuned_places(description: Description | None = None, **other: Any) -> Plan:
    """The study of places, tuned over two keys of its optimizer."""
    space = {
        "optimizer.lr": Parameter(kind="float", low=1e-3, high=1e-2, log=True),
        "optimizer.weight_decay": Parameter(kind="float", low=0.0, high=0.3),
    }
    how = Sweep(
        name="recipe",
        space=space,
        trials=12,
        sampler=Sampler(name="tpe", options={"n_startup_trials": 4}),
        pruner=Pruner(name="median", options={"first_rung": 4}),
    )
    report = ("test/top1", "attention/entropy")
    return tuned(placement(report=report, description=description), how, **other)


Ending = Callable[[int, int], str]
Value = Callable[[int, int, Proposal], dict[str, float]]


def proposed(
    telling: Telling, planned: Plan, search: int, number: int, proposal: Proposal
) -> Trial:
    """Tell of a proposal; the trial that it makes."""
    one = searches(planned)[search]
    trial = one.trial(number, proposal, planned.description)
    telling.tell(trial.id, Proposed(one.id, number, proposal))
    return trial


def searched(
    telling: Telling,
    planned: Plan,
    value: Value,
    *,
    ending: Ending = lambda _search, _number: "complete",
    trials: int | None = None,
) -> None:
    """Tell of all searches, their proposals drawn from a seed.

    `ending` gives each trial's end by its search's index and its number: "open", "proposed" (never
    started), "pruned", "complete" or a class of failure.
    """
    how = planned.study.tune
    assert how is not None
    source = random.Random(7)
    for number in range(how.trials if trials is None else trials):
        proposal = draw(how.space, source)
        for index in range(len(searches(planned))):
            end = ending(index, number)
            trial = proposed(telling, planned, index, number, proposal)
            if end == "proposed":
                continue
            metrics = value(index, number, proposal)
            if end == "pruned":
                telling.tell(trial.id, Started(1, "session 1"))
                telling.tell(trial.id, Measured(Measurement(1, metrics, seconds=1.0)))
            else:
                telling.measure(trial, metrics)
            if end in ("pruned", "complete"):
                telling.end(trial, end)
            elif end != "open":
                telling.end(trial, "failed", end)


def replicated(telling: Telling, planned: Plan, *, gain: float = 1.0, primary: str) -> None:
    """Tell of all replicates at the fixed hyperparameters, and of those that can be confirmed."""
    rows = Standing(planned, telling.facts).rows
    source = random.Random(3)
    done: set[str] = set()
    for part, shift in ((planned, 0.0), (rows, gain)):
        index = {arm.id: place for place, arm in enumerate(part.arms)}
        for trial in part.trials:
            if trial.id not in done:
                done.add(trial.id)
                common = random.Random(trial.replicate).gauss(0, 0.4)
                value = 90 + common + shift + 0.3 * index[trial.arm] + source.gauss(0, 0.1)
                metrics = {primary: value, "attention/entropy": 1.0}
                telling.complete(trial, {**metrics, planned.study.objective.metric: value})


def thirds(_search: int, number: int) -> str:
    """One trial in three goes on to its end."""
    return "pruned" if number % 3 else "complete"


def places_told(planned: Plan, ending: Ending = thirds) -> list[Record]:
    """The facts of `tuned_places`, searched and confirmed."""
    telling = Telling()
    telling.session()

    def value(search: int, number: int, proposal: Proposal) -> dict[str, float]:
        return {"val/top1": 80 + search + 1000 * proposal["optimizer.lr"] - number * 0.01}

    searched(telling, planned, value, ending=ending)
    replicated(telling, planned, primary="test/top1")
    return telling.facts


BOTH = (
    Objective(metric="val/score", direction="maximize"),
    Objective(metric="cost", direction="minimize"),
)
