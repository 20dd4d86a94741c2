"""Studies of the toy workload whose trials have given values, as a ledger would tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cbablate.analysis.summary import Summary, summarize
from cbablate.planning.plan import Plan, plan
from cbablate.records.facts import Ended, Measured, Started
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe

__all__ = ["METRIC", "factorial", "one_factor", "summarized"]

METRIC = "test/score"
KEYS = ("ceiling", "start", "rate", "noise", "seconds")
Values = Mapping[str, Mapping[int, float]]


def one_factor(arms: int, replicates: Any, **more: Any) -> Plan:
    """A baseline and so many arms."""
    return _planned((arms + 1,), replicates, design="one_at_a_time", **more)


def factorial(sizes: Sequence[int], replicates: int, design: str = "factorial") -> Plan:
    """Factors of so many levels each."""
    return _planned(sizes, replicates, design=design)


def _planned(sizes: Sequence[int], replicates: Any, **more: Any) -> Plan:
    factors = tuple(
        Factor(
            name=key,
            levels=(
                Level(name="0"),
                *(Level(name=f"{key} {i}", changes={key: 1.0 + i}) for i in range(1, size)),
            ),
        )
        for key, size in zip(KEYS, sizes, strict=False)
    )
    asked = {
        "name": "checked",
        "question": "Which?",
        "workload": "toy",
        "baseline": {},
        "factors": factors,
        "budget": Budget(epochs=1),
        "replicates": replicates,
        "objective": Objective(metric="val/score", direction="maximize"),
        "report": (METRIC,),
    }
    return plan(Study.model_validate({**asked, **more}), describe("toy", Path()))


def summarized(planned: Plan, values: Values) -> Summary:
    """The product's own summary of trials with these values; those without one did not run."""
    return summarize(planned, list(_facts(planned, values)))


def _facts(planned: Plan, values: Values) -> Iterator[Record]:
    for trial in planned.trials:
        value = values[trial.arm].get(trial.replicate)
        if value is None:
            continue
        measured = Measurement(trial.budget.amount, {METRIC: value, "val/score": value})
        for fact in (Started(1, "made up"), Measured(measured), Ended("complete")):
            yield fact.record(trial.id, 1e9)
