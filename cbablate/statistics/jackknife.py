"""The jackknife's t-interval: how far a statistic moves where one unit after another is left out.

A unit is a seed with all that was trained from it, so that whatever its values have in common is
left out together. With d the statistic without each of n units, the standard error is
sqrt((n - 1) / n sum (d - mean d)^2) (Tukey 1958; Efron and Stein 1981), and Student's t of n - 1
degrees stands for the few units. A statistic that is bounded has its interval on a scale that is
not: log odds of a chance, Fisher's z of a correlation; the error follows by the delta method.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cbablate.statistics.student_t import critical

__all__ = ["CHANCE", "CORRELATION", "PLAIN", "Scale", "jackknife"]

_ROUNDING = 2.0**-40
"""Statistics that differ by less than this part of them differ by rounding."""


@dataclass(frozen=True)
class Scale:
    """A scale without bounds, for values between two: the way to it, its slope, the way back."""

    least: float
    most: float
    to: Callable[[float], float]
    slope: Callable[[float], float]
    back: Callable[[float], float]


Unit = TypeVar("Unit")

PLAIN = Scale(-math.inf, math.inf, float, lambda _: 1.0, float)
CHANCE = Scale(
    0.0,
    1.0,
    lambda p: math.log(p / (1 - p)),
    lambda p: 1 / (p * (1 - p)),
    lambda x: 0.5 * (1 + math.tanh(x / 2)),
)
CORRELATION = Scale(-1.0, 1.0, math.atanh, lambda r: 1 / (1 - r * r), math.tanh)


def jackknife(
    statistic: Callable[[Sequence[Unit]], float | None],
    units: Sequence[Unit],
    scale: Scale = PLAIN,
) -> tuple[float, float] | None:
    """The ends of the 95 % interval of a statistic of these units.

    None where units cannot tell: there are fewer than two, the statistic does not exist without
    one of them, it is the same without any of them, or it is at the end of its scale.
    """
    value, n = statistic(units), len(units)
    without = [statistic([*units[:i], *units[i + 1 :]]) for i in range(n)] if n > 1 else []
    found = [one for one in without if one is not None]
    if value is None or not found or len(found) < n:
        return None
    mean = math.fsum(found) / n
    error = math.sqrt((n - 1) / n * math.fsum((one - mean) ** 2 for one in found))
    varies = error > _ROUNDING * max(abs(one) for one in (value, *found))
    if not varies or not scale.least < value < scale.most:
        return None
    half = critical(n - 1) * error * scale.slope(value)
    at = scale.to(value)
    return scale.back(at - half), scale.back(at + half)
