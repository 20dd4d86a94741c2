"""Values by arm and replicate: what every analysis starts from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from cbablate.planning.plan import Plan
from cbablate.records.history import History, histories
from cbablate.records.record import Record
from cbablate.records.state import TrialState

__all__ = ["Values", "complete", "entered", "values", "values_of"]

Values = Mapping[str, Mapping[int, float]]
"""Finite values by replicate, by arm id."""


def entered(plan: Plan, told: Mapping[str, History]) -> dict[str, dict[int, History]]:
    """The COMPLETE trials of each arm, by replicate: those whose last measurement counts."""
    found: dict[str, dict[int, History]] = {arm.id: {} for arm in plan.arms}
    for trial in plan.trials:
        history = told.get(trial.id)
        if history and history.state is TrialState.COMPLETE and history.last:
            found[trial.arm][trial.replicate] = history
    return found


def values(past: Mapping[int, History], metric: str) -> dict[int, float]:
    """One arm's finite values of a metric, by replicate."""
    found: dict[int, float] = {}
    for replicate, history in past.items():
        value = history.last.metrics.get(metric) if history.last else None
        if value is not None and math.isfinite(value):
            found[replicate] = float(value)
    return found


def values_of(plan: Plan, facts: Iterable[Record], metric: str) -> dict[str, dict[int, float]]:
    """Every arm's finite values of a metric, by replicate, from a ledger's facts in any order."""
    told = histories(sorted(facts, key=lambda fact: fact.sequence))
    return {arm: values(past, metric) for arm, past in entered(plan, told).items()}


def complete(found: Values, arms: Sequence[str]) -> list[int]:
    """The replicates that every one of these arms has: the whole blocks, in order."""
    shared = [found[arm].keys() for arm in arms]
    return sorted(set(shared[0]).intersection(*shared[1:])) if shared else []
