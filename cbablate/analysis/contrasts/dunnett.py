"""Dunnett's test: all arms against one baseline, with seeds as blocks (Dunnett 1955, 1964).

Values are taken as an arm's mean plus a seed's plus an error of one spread in all arms, so that
the error is pooled over arms, and tests lean on more degrees of freedom than pairs alone give.
The comparisons share the baseline: their errors correlate by 1/2, which the correction makes use
of where Holm's cannot. `scipy.stats.dunnett` is the same test without blocks: seeds that make arms
rise and fall together would count as error there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from cbablate.analysis.contrasts.contrast import Contrast, contrast, varies
from cbablate.analysis.contrasts.replicates import Values, complete
from cbablate.statistics.estimate import magnitude
from cbablate.statistics.student_t import LEVEL, two_sided

__all__ = ["dunnett", "dunnett_critical", "dunnett_p"]

_SPREADS, _HEIGHTS = 160, 240
"""Points of Gauss's rule over the error's spread and the baseline's mean: errors below 1e-10."""
_REACH = 9.0


def dunnett(found: Values, arms: Sequence[str], against: str) -> list[Contrast]:
    """The contrasts of arms with a baseline, over the replicates that all arms have which have any.

    `p` is the t test's with the pooled error, `p_adjusted` Dunnett's, and the intervals hold
    jointly. The family is all arms given, those without values too. The other numbers of a
    contrast are those of its own pairs.
    """
    family = len(arms)
    present = [arm for arm in arms if found[arm]]
    blocks = complete(found, [against, *present])
    whole = {arm: {r: found[arm][r] for r in blocks} for arm in (against, *present)}
    told = [
        contrast(whole.get(arm, {}), whole[against], against=against, unpaired=False)
        for arm in arms
    ]
    n, freedom = len(blocks), len(present) * (len(blocks) - 1)
    error = _error(whole, blocks)
    if n < 2 or freedom < 1 or error is None:
        return [replace(one, low=None, high=None, p=None, family=family) for one in told]
    half = dunnett_critical(family, freedom) * error
    return [
        replace(one, family=family)
        if one.difference is None
        else replace(
            one,
            low=one.difference - half,
            high=one.difference + half,
            kind="dunnett",
            joint=family > 1,
            p=two_sided(one.difference / error, freedom),
            p_adjusted=dunnett_p(one.difference / error, family, freedom),
            family=family,
        )
        for one in told
    ]


def dunnett_p(t: float, comparisons: int, freedom: int) -> float:
    """The chance that the largest of so many |t|, correlated by 1/2, is at least |t|.

    Given the error's spread s and the baseline's mean z, comparisons are independent, so the
    chance that all stay below is the integral of [Phi(z + sqrt(2) t s) - Phi(z - sqrt(2) t s)]^k
    over a normal z and over s, whose square is chi squared / freedom.
    """
    import numpy as np
    from scipy.special import ndtr  # half a second, for who asks for this test

    low, high = max(0.0, 1 - _REACH / math.sqrt(freedom)), 1 + _REACH / math.sqrt(freedom)
    s, of_s = _gauss(_SPREADS, low, high)
    z, of_z = _gauss(_HEIGHTS, -_REACH, _REACH)
    log_density = (
        math.log(2)
        + freedom / 2 * math.log(freedom / 2)
        - math.lgamma(freedom / 2)
        + (freedom - 1) * np.log(s)
        - freedom * s**2 / 2
    )
    reach = math.sqrt(2) * abs(t) * s[:, None]
    # Phi(z + r) - Phi(z - r), written by tails so that what lies outside keeps its digits
    outside = ndtr(-(z + reach)) + ndtr(z - reach)
    all_within = np.exp(comparisons * np.log1p(-np.minimum(outside, 1 - 2.0**-53)))
    beyond = (1.0 - all_within) @ (of_z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi))
    return float(min(1.0, max(0.0, np.sum(of_s * np.exp(log_density) * beyond))))


@lru_cache(maxsize=256)
def dunnett_critical(comparisons: int, freedom: int, level: float = LEVEL) -> float:
    """The |t| that all comparisons stay within together with probability `level`."""
    from scipy.optimize import brentq

    high = 2.0
    while dunnett_p(high, comparisons, freedom) > 1 - level:
        high *= 2
    return float(
        brentq(lambda t: dunnett_p(t, comparisons, freedom) - (1 - level), 0, high, xtol=1e-12)
    )


def _error(whole: Values, blocks: Sequence[int]) -> float | None:
    """The standard error of a difference, by the mean square of what arms and blocks leave; None
    where that is rounding only.
    """
    arms, n = len(whole), len(blocks)
    if n < 2 or arms < 2:
        return None
    every = [value for one in whole.values() for value in one.values()]
    scale = magnitude(every)
    scaled = {arm: {r: v / scale for r, v in one.items()} for arm, one in whole.items()}
    grand = math.fsum(value / scale for value in every) / len(every)
    of_arm = {arm: math.fsum(one.values()) / n - grand for arm, one in scaled.items()}
    of_block = {r: math.fsum(one[r] for one in scaled.values()) / arms for r in blocks}
    square = math.fsum(
        (value - of_arm[arm] - of_block[r]) ** 2
        for arm, one in scaled.items()
        for r, value in one.items()
    ) / ((arms - 1) * (n - 1))
    varied = varies(math.sqrt(square) * scale, every)
    return math.sqrt(2 * square / n) * scale if varied else None


def _gauss(points: int, low: float, high: float) -> tuple[Any, Any]:
    """Points and weights of Gauss's rule between two ends."""
    import numpy as np

    at, weights = np.polynomial.legendre.leggauss(points)
    half = (high - low) / 2
    return low + half * (at + 1), weights * half
