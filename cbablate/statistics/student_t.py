"""Student's t distribution, without numpy.

Importing scipy costs more than the second in which a table must be printed, and two functions
are all that is needed. Both are compared with scipy in the tests, to 1e-12.
"""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = ["LEVEL", "beyond", "critical", "fraction", "two_sided"]

LEVEL = 0.95
"""The confidence of every interval."""


def two_sided(t: float, freedom: float) -> float:
    """The probability of a statistic at least as far from zero as `t`.

    It is the regularised incomplete beta function I_x(freedom / 2, 1 / 2) at
    x = freedom / (freedom + t^2) (NIST DLMF 8.17), by its continued fraction.
    """
    odds = t * t / freedom
    if math.isinf(odds):
        return 0.0
    a = freedom / 2
    x, rest = 1 / (1 + odds), odds / (1 + odds)
    front = math.exp(-a * math.log1p(odds)) * math.sqrt(rest) * _inverse_beta(freedom)
    if x < (a + 1) / (a + 2.5):
        return front / a * fraction(a, 0.5, x)
    return 1 - front / 0.5 * fraction(0.5, a, rest)


def critical(freedom: float, level: float = LEVEL) -> float:
    """The t that a statistic stays within, on both sides, with probability `level`."""
    return beyond(freedom, 1 - level)


@lru_cache(maxsize=1024)
def beyond(freedom: float, tail: float) -> float:
    """The t beyond which, on either side, a statistic is with this probability above 0."""
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > tail:
        high *= 2
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if two_sided(middle, freedom) > tail:
            low = middle
        else:
            high = middle


@lru_cache(maxsize=1024)
def _inverse_beta(freedom: float) -> float:
    """1 / B(freedom / 2, 1 / 2): of whole ones by recurrence, to some units in the last place."""
    if freedom != int(freedom):
        a = freedom / 2
        return math.exp(math.lgamma(a + 0.5) - math.lgamma(a)) / math.sqrt(math.pi)
    odd = int(freedom) % 2
    value = 1 / math.pi if odd else 0.5
    for k in range(2 - odd, int(freedom), 2):
        value *= (k + 1) / k
    return value


def fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + step * d, tiny)
            c = _away(1 + step / c, tiny)
            value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value


def _away(value: float, tiny: float) -> float:
    """The value, kept away from zero so that it can be divided by."""
    return value if abs(value) > tiny else tiny
