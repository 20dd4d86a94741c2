"""The BCa bootstrap interval of a mean: bias-corrected, accelerated (Efron 1987)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

from cbablate.statistics.estimate import magnitude
from cbablate.statistics.student_t import LEVEL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RESAMPLES", "bca", "bca_ends", "resampled_means"]

RESAMPLES = 9_999
"""The bootstrap's own error then moves an end by a few hundredths of the interval's length."""
_AT_ONCE = 1_000


def bca(values: Sequence[float], seed: int) -> tuple[float, float]:
    """The ends of the 95 % interval of the mean; the same values and seed give the same ends.

    Values are taken in the order given: sort them by replicate. They must not all be equal.
    """
    scale = magnitude(values)
    scaled = [value / scale for value in values]
    low, high = bca_ends(scaled, resampled_means(scaled, seed))
    return low * scale, high * scale


def resampled_means(values: Sequence[float], seed: int) -> NDArray[np.float64]:
    """The means of `RESAMPLES` samples with replacement, drawn from a generator of our own."""
    import numpy as np

    draw = np.random.Generator(np.random.PCG64(seed))
    known, n = np.asarray(values, dtype=np.float64), len(values)
    means = []
    for start in range(0, RESAMPLES, _AT_ONCE):
        count = min(_AT_ONCE, RESAMPLES - start)
        # doubles, as their stream has never changed between numpy's versions; integers' has
        chosen = (draw.random((count, n)) * n).astype(np.int64)
        means.append(known[chosen].mean(axis=1))
    return np.concatenate(means)


def bca_ends(values: Sequence[float], means: NDArray[np.float64]) -> tuple[float, float]:
    """The ends from these resampled means: percentiles, moved for bias and for skewness.

    Bias is by how much less or more than half of the resampled means lie below the mean (ties
    count half); acceleration comes from the jackknife.
    """
    import numpy as np

    normal, n = NormalDist(), len(values)
    mean = math.fsum(values) / n
    centred = [value - mean for value in values]
    acceleration = math.fsum(c**3 for c in centred) / (
        6.0 * math.fsum(c**2 for c in centred) ** 1.5
    )
    observed = float(np.asarray(values, dtype=np.float64).mean())
    below = (np.count_nonzero(means < observed) + np.count_nonzero(means <= observed)) / 2
    bias = normal.inv_cdf(min(max(below / len(means), 0.5 / len(means)), 1 - 0.5 / len(means)))
    ends = []
    for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        moved = bias + normal.inv_cdf(tail)
        ends.append(100 * normal.cdf(bias + moved / (1 - acceleration * moved)))
    low, high = np.percentile(means, ends)
    return float(low), float(high)
