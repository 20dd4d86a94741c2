"""`Estimate`: what the replicates of an arm say of one metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cbablate.statistics.student_t import critical

__all__ = ["Estimate", "estimate", "grouped", "magnitude", "moments"]


@dataclass(frozen=True)
class Estimate:
    """A mean over replicates with its 95 % t-interval.

    `mean` is None where there is no value; `sd`, `low` and `high` are None below two values.
    `n` values of `planned` entered. `constant` says that they were all equal, as parameter
    counts are.

    Values of one group share a source of chance, so that groups are what varies: of `groups` of
    them, `sd` and interval are those of the groups' means. 0 where each value stands by itself.
    """

    mean: float | None
    low: float | None
    high: float | None
    sd: float | None
    n: int
    planned: int
    constant: bool = False
    groups: int = 0

    @property
    def units(self) -> int:
        """How many numbers the interval rests on: groups where there are any, else values."""
        return self.groups or self.n

    @property
    def half_width(self) -> float | None:
        """Half the length of the interval: what is printed behind +-."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2

    @property
    def whole(self) -> bool:
        """Whether every planned replicate entered."""
        return self.n == self.planned


def estimate(values: Iterable[float], planned: int) -> Estimate:
    """The estimate from these values, in any order; what is not finite is no value."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return Estimate(None, None, None, None, 0, planned)
    mean, sd = moments(known)
    constant = min(known) == max(known)
    if sd is None:
        return Estimate(mean, None, None, None, 1, planned, constant)
    half = critical(len(known) - 1) * sd / math.sqrt(len(known))
    return Estimate(mean, mean - half, mean + half, sd, len(known), planned, constant)


def grouped(groups: Iterable[Sequence[float]], planned: int) -> Estimate:
    """The estimate from values in groups, whose means count alike; an empty group is none."""
    finite = [[value for value in one if math.isfinite(value)] for one in groups]
    known = [one for one in finite if one]
    means = [math.fsum(one) / len(one) for one in known]
    every = [value for one in known for value in one]
    constant = bool(every) and min(every) == max(every)
    said = estimate(means, len(means))
    return replace(said, n=len(every), planned=planned, constant=constant, groups=len(known))


def magnitude(values: Iterable[float]) -> float:
    """The power of two that the largest of these values has: divided by it, which rounds nothing,
    they can be squared and summed.
    """
    return math.ldexp(1.0, math.frexp(max(map(abs, values)))[1] - 1)


def moments(values: list[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (None of one value), whatever the values' order.

    Sums are exact before they are rounded once (`math.fsum`), so that the order in which trials
    end cannot turn a last digit. Values are scaled by a power of two, so that no sum overflows.
    """
    n = len(values)
    if min(values) == max(values):
        return values[0], 0.0 if n > 1 else None
    scale = magnitude(values)
    scaled = [value / scale for value in values]
    mean = math.fsum(scaled) / n
    square = math.fsum((value - mean) ** 2 for value in scaled) / (n - 1)
    return mean * scale, math.sqrt(square) * scale
