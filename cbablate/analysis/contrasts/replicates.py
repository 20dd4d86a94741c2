"""Values by arm and replicate: what every analysis starts from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cbablate.analysis.printed_unit import in_units
from cbablate.planning.plan import Plan
from cbablate.records.history import History
from cbablate.records.state import TrialState
from cbablate.statistics.estimate import Estimate, estimate, grouped, moments

__all__ = [
    "UNSEARCHED",
    "Replicates",
    "Values",
    "between_means",
    "complete",
    "entered",
    "estimated",
    "values",
]

Values = Mapping[str, Mapping[int, float]]
"""Finite values by replicate, by arm id; by search, where arms are searched more than once."""


@dataclass(frozen=True)
class Replicates:
    """The histories that count, by arm id and replicate; and of how many `searches` of each arm
    they are (`Plan.searches`).
    """

    entered: Mapping[str, Mapping[int, History]]
    searches: int = 0

    def of(self, metric: str) -> dict[str, dict[int, float]]:
        """Every arm's finite values of a metric, by replicate.

        Of several searches, the means over each one's replicates, by its index: what a search
        chose is common to its replicates, so these are not drawn apart.
        """
        found = {arm: values(past, metric) for arm, past in self.entered.items()}
        if self.searches < 2:
            return found
        return {
            arm: {search: math.fsum(of) / len(of) for search, of in _by_search(one, self.searches)}
            for arm, one in found.items()
        }

    def shared(self, metric: str, arms: Sequence[str]) -> int:
        """How many replicates these arms all have a finite value of."""
        return len(complete({arm: values(self.entered[arm], metric) for arm in arms}, arms))


UNSEARCHED = Replicates({})
"""Of arms that no search has tuned there is nothing to know beside their values."""


def entered(plan: Plan, told: Mapping[str, History]) -> dict[str, dict[int, History]]:
    """The COMPLETE trials of each arm, by replicate: those whose last measurement counts.

    Their values are in the units that they are printed in.
    """
    found: dict[str, dict[int, History]] = {arm.id: {} for arm in plan.arms}
    for trial in plan.trials:
        history = told.get(trial.id)
        if history and history.state is TrialState.COMPLETE and history.last:
            found[trial.arm][trial.replicate] = in_units(plan, history)
    return found


def values(past: Mapping[int, History], metric: str) -> dict[int, float]:
    """One arm's finite values of a metric, by replicate."""
    found: dict[int, float] = {}
    for replicate, history in past.items():
        value = history.last.metrics.get(metric) if history.last else None
        if value is not None and math.isfinite(value):
            found[replicate] = float(value)
    return found


def estimated(found: Mapping[int, float], planned: int, searches: int = 0) -> Estimate:
    """The estimate of values by replicate; of several searches, from the mean of each."""
    if searches < 2:
        return estimate(found.values(), planned)
    return grouped((of for _, of in _by_search(found, searches)), planned)


def _by_search(found: Mapping[int, float], searches: int) -> Iterator[tuple[int, list[float]]]:
    """The values of each search that has any, by its index."""
    for search in range(searches):
        of = [found[replicate] for replicate in sorted(found) if replicate % searches == search]
        if of:
            yield search, of


def complete(found: Values, arms: Sequence[str]) -> list[int]:
    """The replicates that every one of these arms has: the whole blocks, in order."""
    shared = [found[arm].keys() for arm in arms]
    return sorted(set(shared[0]).intersection(*shared[1:])) if shared else []


def between_means(found: Values, arm: str, other: str) -> float | None:
    """The difference of two arms' means over all that each has; None where one has nothing."""
    if not found[arm] or not found[other]:
        return None
    return moments([*found[arm].values()])[0] - moments([*found[other].values()])[0]
