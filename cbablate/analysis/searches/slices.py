"""`Slice`: how good a search's trials were where one hyperparameter had certain values."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cbablate.analysis.searches.tuning import SearchTrial, Tuning
from cbablate.fingerprint import canonical
from cbablate.spec.space import ends
from cbablate.spec.sweep import Parameter

__all__ = ["Slice", "slices"]

_BINS = 5


@dataclass(frozen=True)
class Slice:
    """The trials whose hyperparameter lies from `low` to `high` (equal for a single value).

    `complete` of `proposed` trials have a value; `best` and `median` are of these, None where
    there is none.
    """

    low: Any
    high: Any
    proposed: int
    complete: int
    best: float | None
    median: float | None


def slices(tuning: Tuning, key: str) -> tuple[Slice, ...]:
    """The search's trials by the values of one hyperparameter, in the parameter's own order.

    A range is cut into five parts, equally long on its own scale; a choice, or a range of few
    whole numbers, into its values. Trials that do not have the parameter are in no slice.
    """
    parameter = tuning.search.sweep.space[key]
    having = [attempt for attempt in tuning.attempts if key in attempt.proposal]
    groups = [
        (low, high, [one for one in having if _inside(one.proposal[key], low, high, last)])
        for low, high, last in _parts(parameter)
    ]
    return tuple(_slice(tuning, low, high, members) for low, high, members in groups)


def _parts(parameter: Parameter) -> Sequence[tuple[Any, Any, bool]]:
    """Least and greatest value of each part, and whether the greatest belongs to it."""
    if parameter.kind == "choice":
        return [(value, value, True) for value in parameter.choices]
    low, high = ends(parameter)
    if parameter.kind == "int" and (high - low) // int(parameter.step or 1) < 2 * _BINS:
        return [(n, n, True) for n in range(low, high + 1, int(parameter.step or 1))]
    if parameter.log:
        edges = [
            math.exp(math.log(low) + part * (math.log(high) - math.log(low)) / _BINS)
            for part in range(_BINS + 1)
        ]
    else:
        edges = [low + part * (high - low) / _BINS for part in range(_BINS + 1)]
    edges[0], edges[-1] = low, high
    return [(edges[i], edges[i + 1], i == _BINS - 1) for i in range(_BINS)]


def _inside(value: Any, low: Any, high: Any, closed: bool) -> bool:
    if low == high:
        return canonical(value) == canonical(low)
    return bool(low <= value <= high if closed else low <= value < high)


def _slice(tuning: Tuning, low: Any, high: Any, members: Sequence[SearchTrial]) -> Slice:
    objective = tuning.search.objectives[tuning.decides]
    values = [one.values[tuning.decides] for one in members if one.values is not None]
    return Slice(
        low=low,
        high=high,
        proposed=len(members),
        complete=len(values),
        best=max(values, key=objective.score, default=None),
        median=statistics.median(values) if values else None,
    )
