"""Robust summaries over tasks: their values by definition, their intervals by simulation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from benchmarks.statistics_checks.check import Check, Size, apart, compared, share
from cbablate.statistics.robust import performance_profile, probability_of_improvement, robust_mean

Draws = NDArray[np.float64]
TASKS = 8


def checks(size: Size) -> Iterator[Check]:
    """All of them."""
    yield _values(size)
    for n in (3, 5, 6, 10, 20):
        yield from _coverage(size, n, own=1.0, what="one training gives all tasks")
    for n in (3, 5, 10):
        yield from _coverage(size, n, own=0.0, what="each task trained apart")


def _scores(values: Draws) -> list[dict[int, float]]:
    """By task and seed, from an array of seeds by tasks."""
    return [dict(enumerate(map(float, column))) for column in values.T]


def _values(size: Size) -> Check:
    """As rliable defines them: the trimmed mean of all runs; the mean over tasks of U / (n m); the
    mean over tasks of the share of runs above a threshold.
    """
    far, cases = 0.0, size.of(300)
    for case in range(cases):
        draw = np.random.default_rng(case)
        n, tasks = int(draw.integers(2, 12)), int(draw.integers(3, 16))
        one, other = (np.round(draw.normal(0, 2, (n, tasks)), 1) for _ in range(2))  # with ties
        wins = np.mean(
            [scipy.stats.mannwhitneyu(a, b).statistic for a, b in zip(one.T, other.T, strict=True)]
        )
        ours = (
            robust_mean(_scores(one)).value,
            probability_of_improvement(_scores(one), _scores(other)).value,
            performance_profile(_scores(one), [0.5]).shares[0].value,
        )
        theirs = (scipy.stats.trim_mean(one.ravel(), 0.25), wins / n**2, (one > 0.5).mean())
        far = max(far, apart(ours, theirs))
    what = "IQM, probability of improvement, profile"
    return compared(what, "rliable's formulas; scipy", cases, far, 1e-12)


def _coverage(size: Size, n: int, *, own: float, what: str) -> Iterator[Check]:
    """Half of the variance is the training's own where one gives all tasks; seeds are shared."""
    studies = size.of(10_000)
    held, seen = {"IQM": 0, "P": 0}, 0
    means = np.linspace(-2, 2, TASKS)
    chance = float(scipy.stats.norm.cdf(1 / np.sqrt(2 * (own**2 + 1 + 0.25))))
    for study in range(studies):
        draw = np.random.default_rng(study)
        seeds = draw.normal(0, 0.5, (n, 1))
        one, other = (
            means + seeds + own * draw.standard_normal((n, 1)) + draw.standard_normal((n, TASKS))
            for _ in range(2)
        )
        mean = robust_mean(_scores(other))
        assert mean.low is not None
        assert mean.high is not None
        held["IQM"] += mean.low <= 0 <= mean.high
        wins = probability_of_improvement(_scores(one + 1), _scores(other))
        if wins.low is not None and wins.high is not None:
            seen += 1
            held["P"] += wins.low <= chance <= wins.high
    for name, count in ((f"IQM, {what}", held["IQM"]), (f"P, {what}", held["P"])):
        total = studies if name.startswith("IQM") else seen
        bounds = (0.93, 1.0)
        yield share(f"interval of {name}, n = {n}", "simulation, 8 tasks", count, total, bounds)
