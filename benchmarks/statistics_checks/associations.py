"""Associations: how probes go with the metric, how alike layers are, what matters in a search."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from benchmarks.statistics_checks.check import Check, Size, apart, compared, share
from cbablate.analysis.measures.alignment import aligned
from cbablate.analysis.measures.mechanism import Change, association
from cbablate.statistics.estimate import estimate

Draws = NDArray[np.float64]
MEASURES = ("pearson", "spearman", "slope", "within")


def checks(size: Size) -> Iterator[Check]:
    """All of them."""
    yield _values(size)
    for n in (5, 8, 12, 20):
        yield from _coverage(size, n)
    yield _permutation(size)
    yield _alike(size)
    for n in (5, 10):
        yield _alignment(size, n)


def _drawn(draw: np.random.Generator, n: int, arms: int, slope: float) -> list[Change]:
    """Changes that share their reference's noise, whose metric follows the probe by so much."""
    own, other = (draw.standard_normal((n, arms + 1)) for _ in range(2))
    x = own[:, 1:] - own[:, :1]
    y = slope * x + np.sqrt(1 - slope**2) * (other[:, 1:] - other[:, :1])
    return [
        Change(str(arm), r, float(x[r, arm]), float(y[r, arm]))
        for r in range(n)
        for arm in range(arms)
    ]


def _values(size: Size) -> Check:
    far, cases = 0.0, size.of(300)
    for case in range(cases):
        found = _drawn(np.random.default_rng(case), 6, 3, 0.5)
        xs, ys = [one.probe for one in found], [one.metric for one in found]
        arms = np.array([int(one.arm) for one in found])
        residuals = [
            np.array(side) - np.array([np.mean(np.array(side)[arms == arm]) for arm in arms])
            for side in (xs, ys)
        ]
        said = association(found, 1, permutations=1)
        theirs = (
            scipy.stats.pearsonr(xs, ys).statistic,
            scipy.stats.spearmanr(xs, ys).statistic,
            scipy.stats.linregress(xs, ys).slope,
            scipy.stats.pearsonr(*residuals).statistic,
        )
        far = max(far, apart((getattr(said, name).value for name in MEASURES), theirs))
    return compared("correlation, rank, slope, within arms", "scipy", cases, far, 1e-9)


def _coverage(size: Size, n: int) -> Iterator[Check]:
    studies = size.of(4_000)
    held = dict.fromkeys(MEASURES, 0)
    rank = 6 / np.pi * np.arcsin(0.3)  # of two normal variables with correlation 0.6
    truth = {"pearson": 0.6, "spearman": rank, "slope": 0.6, "within": 0.6}
    for study in range(studies):
        found = _drawn(np.random.default_rng(study), n, 4, 0.6)
        said = association(found, study, permutations=1)
        for name in MEASURES:
            one = getattr(said, name)
            held[name] += one.low <= truth[name] <= one.high
    for name, count in held.items():
        what = f"interval of an association ({name}), n = {n}"
        yield share(what, "simulation, 4 arms", count, studies, (0.93, 0.985))


def _permutation(size: Size) -> Check:
    studies, wrong = size.of(2_000), 0
    for study in range(studies):
        found = _drawn(np.random.default_rng(study), 8, 3, 0.0)
        p = association(found, study, permutations=199).p_within
        wrong += p is not None and p <= 0.05
    what = "permutation test within arms: false alarms"
    return share(what, "simulation", wrong, studies, (0.03, 0.05))


def _alike(size: Size) -> Check:
    far, cases = 0.0, size.of(200)
    for case in range(cases):
        draw = np.random.default_rng(case)
        n = int(draw.integers(5, 40))
        one, other = (draw.standard_normal((n, int(draw.integers(1, 30)))) for _ in range(2))
        other[:, 0] += one[:, 0]
        found = aligned(_gram(one), _gram(other))
        assert found is not None
        unbiased = _song(one, other) / (_song(one, one) * _song(other, other)) ** 0.5
        far = max(far, apart(found, (unbiased, _kornblith(one, other))))
    return compared(
        "CKA, unbiased and plain", "Song et al. 2012; Kornblith et al. 2019", cases, far, 1e-9
    )


def _gram(features: Draws) -> Draws:
    centred = features - features.mean(axis=0)
    found: Draws = centred @ centred.T
    return found


def _kornblith(one: Draws, other: Draws) -> float:
    """Linear CKA from whole features."""
    one, other = (each - each.mean(axis=0) for each in (one, other))
    cross = np.linalg.norm(other.T @ one) ** 2
    return float(cross / np.linalg.norm(one.T @ one) / np.linalg.norm(other.T @ other))


def _song(one: Draws, other: Draws) -> float:
    """HSIC without bias, their equation 5."""
    n = len(one)
    first, second = (each @ each.T for each in (one, other))
    np.fill_diagonal(first, 0.0)
    np.fill_diagonal(second, 0.0)
    ones = np.ones(n)
    sums = ones @ first @ ones * (ones @ second @ ones) / (n - 1) / (n - 2)
    inner = 2 * (ones @ first @ second @ ones) / (n - 2)
    return float((np.trace(first @ second) + sums - inner) / n / (n - 3))


def _alignment(size: Size, n: int) -> Check:
    """Networks that share a part with their reference: features of 32 images, seeds drawn anew."""
    common = np.random.default_rng(0).standard_normal((32, 8))

    def one(draw: np.random.Generator) -> float:
        first, second = (_gram(common + draw.normal(0, 1, (32, 8))) for _ in range(2))
        found = aligned(first, second)
        assert found is not None
        return found[0]

    draw = np.random.default_rng(1)
    truth = float(np.mean([one(draw) for _ in range(20_000)]))
    studies, held = size.of(2_000), 0
    for _ in range(studies):
        said = estimate([one(draw) for _ in range(n)], n)
        held += (said.low or 0.0) <= truth <= (said.high or 0.0)
    return share(f"interval of an alignment, n = {n}", "simulation", held, studies, (0.935, 0.965))
