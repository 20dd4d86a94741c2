"""The exact sign-flip test: a second opinion on paired differences, which assumes no normality."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from cbablate.statistics.power import MOST_PAIRS

__all__ = ["MOST_PAIRS", "sign_flip"]

_TIE = 2.0**-44
"""Sums that differ by less than this part of all sizes together differ by rounding only."""


def sign_flip(differences: Sequence[float]) -> float | None:
    """The two-sided p value over all 2^n choices of signs; None without, or above `MOST_PAIRS`.

    If an arm changes nothing, each difference is as likely to have either sign. The p value is
    the share of choices whose sum is at least as far from zero as the sum observed, the observed
    choice included, so it is at least 2 / 2^n (Fisher 1935; Good 2005). Ties count as at least
    as far. All choices are counted, none is drawn: the sums of one half of the differences are
    sorted, and those of the other half looked up in them.
    """
    if not differences or len(differences) > MOST_PAIRS:
        return None
    largest = max(map(abs, differences))
    if largest == 0.0:
        return 1.0
    scaled = [difference / largest for difference in differences]
    bound = abs(math.fsum(scaled)) - _TIE * math.fsum(map(abs, scaled))
    if bound <= 0.0:
        return 1.0
    middle = len(scaled) // 2
    first, second = _sums(scaled[:middle]), sorted(_sums(scaled[middle:]))
    extreme = sum(
        len(second) - bisect_left(second, bound - one) + bisect_right(second, -bound - one)
        for one in first
    )
    return extreme / (len(first) * len(second))


def _sums(values: Sequence[float]) -> list[float]:
    """The sum under every choice of signs, each to some units in the last place."""
    sums = [0.0]
    for value in values:
        sums = [one + value for one in sums] + [one - value for one in sums]
    return sums
