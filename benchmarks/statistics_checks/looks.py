"""Replicates that grow: what looking after every seed spends, claims and covers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from benchmarks.statistics_checks.check import Check, Size, compared, share
from benchmarks.statistics_checks.fabricated import METRIC, one_factor, summarized
from cbablate.spec.sequential import Sequential
from cbablate.statistics.power import ALPHA
from cbablate.statistics.sequential import Looks, nominal_levels

Draws = NDArray[np.float64]
AT_ONCE = 10_000
PUBLISHED = (4.8769, 3.3569, 2.6803, 2.2898, 2.0310)
"""Bounds of five equal looks at 5 %, spending of O'Brien and Fleming's type (Lan and DeMets 1983;
R's ldbounds)."""


def checks(size: Size) -> Iterator[Check]:
    """All of them."""
    levels = nominal_levels(tuple(k / 5 for k in range(1, 6)), ALPHA)
    bounds = scipy.stats.norm.isf(np.array(levels) / 2)
    far = float(abs(bounds - PUBLISHED).max())
    yield compared("bounds of five looks", "Lan and DeMets 1983; R's ldbounds", 5, far, 5.1e-4)
    yield _walk(size)
    for most in (12, 20, 30, 60):
        yield _tests(size, most, "normal", (0.035, 0.05))
    yield _tests(size, 30, "skewed (exponential)", (0.09, 0.12))
    for arms in (1, 3, 8):
        yield from _studies(size, arms)


def _walk(size: Size) -> Check:
    """All of alpha is spent, if spreads are known."""
    walks, looks = size.of(400_000), Looks(6, 30)
    bounds = scipy.stats.norm.isf(np.array(nominal_levels(looks.shares, ALPHA)) / 2)
    out = 0
    for part in range(walks // AT_ONCE):
        sums = np.random.default_rng(part).standard_normal((AT_ONCE, 30)).cumsum(axis=1)
        z = np.abs(sums[:, 5:]) / np.sqrt(np.arange(6, 31))
        out += int((z > bounds).any(axis=1).sum())
    what = "looks at 6 to 30 pairs, spread known: false alarms"
    return share(what, "random walks", out, walks, (0.0495, 0.05))


def _tests(size: Size, most: int, kind: str, bounds: tuple[float, float]) -> Check:
    studies, out = size.of(100_000, 20_000), 0
    levels = np.array(Looks(6, most).levels())
    n = np.arange(6, most + 1)
    beyond = scipy.stats.t.isf(levels / 2, n - 1)
    for part in range(studies // AT_ONCE):
        draw = np.random.default_rng(1_000 * most + part)
        shape = (AT_ONCE, most)
        y = (
            draw.standard_normal(shape)
            if kind == "normal"
            else draw.standard_exponential(shape) - 1
        )
        first, second = y.cumsum(axis=1)[:, 5:], (y**2).cumsum(axis=1)[:, 5:]
        error = np.sqrt((second - first**2 / n) / (n - 1) / n)
        out += int((np.abs(first / n) / error > beyond).any(axis=1).sum())
    what = f"t tests at 6 to {most} pairs, {kind} differences: false alarms"
    if bounds[0] > 0.05:
        what += " (a known limit)"
    return share(what, "simulation", out, studies, bounds)


def _studies(size: Size, arms: int) -> Iterator[Check]:
    """Null studies through the product's own summary."""
    studies = size.of(2_000 if arms < 8 else 600)
    planned = one_factor(arms, Sequential(min=6, max=20, until="decided"))
    wrong = joint = 0
    for study in range(studies):
        draw = np.random.default_rng(study)
        of_seed = draw.standard_normal(20)
        values = {
            arm.id: dict(enumerate(map(float, of_seed + draw.standard_normal(20))))
            for arm in planned.arms
        }
        found = summarized(planned, values).arms[1:]
        wrong += any(one.findings[METRIC].sure for one in found)
        joint += not any(one.contrasts[METRIC].excludes_zero for one in found)
    name = f"{arms} arm{'s' * (arms > 1)} looked at 6 to 20 times"
    yield share(f"{name}: tables with a false claim", "null studies", wrong, studies, (0.0, 0.05))
    yield share(f"{name}: intervals hold jointly", "null studies", joint, studies, (0.95, 1.0))
