"""The tail of Fisher's F distribution, without scipy, whose import a table does not wait for."""

from __future__ import annotations

import math

from cbablate.statistics.student_t import fraction, two_sided

__all__ = ["tail"]


def tail(f: float, above: float, below: float) -> float:
    """The probability of an F statistic at least as large, by its degrees of freedom.

    It is the regularised incomplete beta function I_x(below / 2, above / 2) at
    x = below / (below + above f) (NIST DLMF 8.17). Degrees need not be whole.
    """
    if above == 1:
        return two_sided(math.sqrt(f), below)
    if f <= 0:
        return 1.0
    a, b = below / 2, above / 2
    odds = above * f / below
    x, rest = 1 / (1 + odds), odds / (1 + odds)
    beta = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(beta - a * math.log1p(odds) + b * (math.log(odds) - math.log1p(odds)))
    if x < (a + 1) / (a + b + 2):
        return front / a * fraction(a, b, x)
    return 1 - front / b * fraction(b, a, rest)
