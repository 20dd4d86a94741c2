"""Robust summaries over tasks: data sets, or kinds of corruption, with a few seeds each.

A mean over tasks is moved by one that is easy or broken; these are not so easily. Values are
greater-is-better and comparable across tasks: scores such as accuracies, or scaled to be. Intervals
are percentile bootstraps, stratified: seeds are drawn anew within each task, and tasks are kept,
so they speak of these tasks, not of others (Agarwal et al. 2021, arXiv 2108.13264). They are
called 95 % and cover less with few seeds: over 8 tasks of normal values and 3, 5 or 10 seeds the
interval of a probability of improvement covered 92, 93 and 96 %, that of an interquartile mean
86, 90 and 91 % (400 simulations each).
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from cbablate.statistics.student_t import LEVEL

__all__ = [
    "RESAMPLES",
    "Profile",
    "Scores",
    "TaskSummary",
    "improvement",
    "interquartile_mean",
    "of_arm",
    "performance_profile",
    "probability_of_improvement",
    "robust_mean",
]

RESAMPLES = 2_000

Scores = Sequence[Sequence[float]]
"""One arm's values: a task each, a seed each; tasks may have different numbers of seeds."""


@dataclass(frozen=True)
class TaskSummary:
    """A number with its 95 % interval; the ends are None where no task has two seeds."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Profile:
    """At each threshold, the share of trials above it, each task weighing the same."""

    thresholds: tuple[float, ...]
    shares: tuple[TaskSummary, ...]


def of_arm(matrix: Mapping[str, Mapping[str, Mapping[int, float]]], arm: str) -> list[list[float]]:
    """One arm's scores from values by task, arm and seed: tasks and seeds in sorted order.

    Raises:
        LookupError: a task has no value of this arm.
    """
    lacking = [task for task in sorted(matrix) if not matrix[task].get(arm)]
    if lacking:
        raise LookupError(f"'{arm}' has no value of {', '.join(lacking)}")
    return [
        [matrix[task][arm][seed] for seed in sorted(matrix[task][arm])] for task in sorted(matrix)
    ]


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean of the middle half: a quarter of the values, rounded down, is cut at each end.

    It is `scipy.stats.trim_mean(values, 0.25)`.
    """
    _checked([values])
    cut = len(values) // 4
    kept = sorted(values)[cut : len(values) - cut]
    return math.fsum(kept) / len(kept)


def robust_mean(scores: Scores, seed: int, *, resamples: int = RESAMPLES) -> TaskSummary:
    """The interquartile mean over all trials of all tasks, with its interval."""
    return _bootstrapped(
        (scores,),
        lambda one: interquartile_mean([v for task in one[0] for v in task]),
        seed,
        resamples,
    )


def performance_profile(
    scores: Scores, thresholds: Sequence[float], seed: int, *, resamples: int = RESAMPLES
) -> Profile:
    """The share of trials whose score is above each threshold, with pointwise intervals."""

    def share(threshold: float) -> Callable[[Sequence[Scores]], float]:
        return lambda one: _mean(
            [1 - bisect.bisect_right(sorted(task), threshold) / len(task) for task in one[0]]
        )

    shares = [_bootstrapped((scores,), share(at), seed, resamples) for at in thresholds]
    return Profile(tuple(thresholds), tuple(shares))


def improvement(scores: Sequence[float], others: Sequence[float]) -> float:
    """The chance that a trial of one arm beats one of another on a task; a tie counts half.

    It is the Mann-Whitney U statistic over the number of pairs.
    """
    ordered = sorted(others)
    wins = sum(
        (bisect.bisect_left(ordered, one) + bisect.bisect_right(ordered, one)) / 2 for one in scores
    )
    return wins / (len(scores) * len(ordered))


def probability_of_improvement(
    scores: Scores, others: Scores, seed: int, *, resamples: int = RESAMPLES
) -> TaskSummary:
    """The chance that the arm beats the other on a task drawn at random, with its interval.

    Raises:
        ValueError: the arms have different numbers of tasks.
    """
    if len(scores) != len(others):
        raise ValueError(f"{len(scores)} tasks cannot be compared with {len(others)}")
    return _bootstrapped(
        (scores, others),
        lambda two: _mean([improvement(a, b) for a, b in zip(*two, strict=True)]),
        seed,
        resamples,
    )


def _bootstrapped(
    several: Sequence[Scores],
    statistic: Callable[[Sequence[Scores]], float],
    seed: int,
    resamples: int,
) -> TaskSummary:
    """The statistic, and the percentiles of it over resamples of seeds within tasks."""
    for scores in several:
        _checked(scores)
    value = statistic(several)
    if all(len(task) < 2 for scores in several for task in scores):
        return TaskSummary(value, None, None)
    draw = Random(seed)  # noqa: S311 - a simulation, not a secret
    found = sorted(
        statistic([[_drawn(task, draw) for task in scores] for scores in several])
        for _ in range(resamples)
    )
    return TaskSummary(
        value, _percentile(found, (1 - LEVEL) / 2), _percentile(found, (1 + LEVEL) / 2)
    )


def _drawn(task: Sequence[float], draw: Random) -> list[float]:
    return [task[int(draw.random() * len(task))] for _ in task]


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Between the two nearest values, linearly."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _checked(scores: Scores) -> None:
    """Nothing is summarised that is not there, or that is not a number."""
    if not scores or not all(scores):
        raise ValueError("every task needs at least one value")
    if not all(math.isfinite(value) for task in scores for value in task):
        raise ValueError("a value that is not finite has no place in a summary")


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
