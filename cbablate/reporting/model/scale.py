"""`Scale`: how a column writes its numbers, so that all have the same decimals and unit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from cbablate.analysis.summary import Summary, metric_of
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Number, Spread, raised
from cbablate.reporting.model.rounding import Ends, enough, exponent, like
from cbablate.spec.metric import Metric
from cbablate.statistics.estimate import Estimate

__all__ = [
    "Interval",
    "Scale",
    "difference_scale",
    "scale_in",
    "scale_of",
    "scale_of_differences",
    "scale_of_means",
]

_DIGITS = 4
"""Significant digits of a metric whose decimals nobody has said."""
_HALF_DIGITS = 2
"""Significant digits of the half-width of a difference, which give the difference its decimals."""
_MOST_DECIMALS = 6
"""Beyond them, numbers are written in units of a power of ten."""
_SHARED = 2
"""So many decimals more, and no others, are given to a whole column for the sake of one cell."""
_LONGEST = 8
"""Digits of a number that is never written with a power of its own."""


class Interval(NamedTuple):
    """A difference as it is written: with its half-width and its ends, where these are known."""

    centre: Number
    half: Number | None
    low: Number | None
    high: Number | None

    def spread(self, mark: str = "") -> Spread:
        """As a cell: `+0.38 ± 0.41`."""
        return Spread(self.centre, self.half, mark)


@dataclass(frozen=True)
class Scale:
    """Numbers are written in units of ten to `power`, with `decimals` decimals.

    Those of ten to `limit` or more, in that unit, have a power of their own.
    """

    decimals: int
    power: int = 0
    limit: int = 308

    def number(self, value: float | None, *, signed: bool = False) -> Number:
        """The value as it is written."""
        value = self.measured(value)
        apart = value is not None and math.isfinite(value) and abs(value) >= 10.0**self.limit
        return Number(value, 1 if apart else self.decimals, signed, apart)

    def measured(self, value: float | None) -> float | None:
        """The value in the unit that it is written in."""
        if value is None or not self.power:
            return value
        if self.power > 0:
            return value / 10.0**self.power
        factor = min(-self.power, 300)  # no float is 10 to 310
        return value * 10.0**factor * 10.0 ** (-self.power - factor)

    def ends(self, ends: Ends) -> Ends:
        """A difference and its interval in the unit that they are written in.

        An interval that is not finite is not known.
        """
        centre, low, high = (self.measured(end) for end in ends)
        if low is None or high is None or not math.isfinite(high - low):
            return centre, None, None
        return centre, low, high

    def interval(self, *ends: float | None) -> Interval:
        """A difference with the least and the greatest value of its interval, as it is written.

        It has decimals enough that an interval without 0 is printed without 0, and a half-width
        never as 0.
        """
        centre, low, high = told = self.ends(ends)  # type: ignore[arg-type]  # three of them
        half = None if low is None or high is None else (high - low) / 2
        decimals = self.decimals if half is None else enough(told, self.decimals)
        largest = max(abs(centre or 0.0), half or 0.0)
        apart = largest >= 10.0**self.limit or decimals > max(_LONGEST, self.decimals + _SHARED)
        if apart:  # huge or tiny, beside others that are not
            decimals = enough(told, 1, form="e")
        written = [
            None if value is None else Number(value, decimals, signed, apart)
            for value, signed in ((half, False), (low, True), (high, True))
        ]
        return Interval(Number(centre, decimals, True, apart), *written)

    def unit(self, unit: str) -> str:
        """The unit as it is written: `img/s`, `10⁻⁷ s`."""
        return f"10{raised(self.power)} {unit}".rstrip() if self.power else unit


def scale_of(metric: Metric, values: Iterable[float | None], *, exact: bool = True) -> Scale:
    """The scale for a column of these values; `exact` says that they are no means of others.

    A metric that has decimals of its own is written with them, unless that would print nothing but
    zeros or more digits than fit; another with four significant digits of its largest value, one
    that is decades beyond the others apart.
    """
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    own = metric.decimals
    if not sizes:
        return Scale(own or 0)
    shown = [size for size in sizes if own is not None and size >= 0.5 * 10.0**-own]
    common = like(shown or sizes)
    magnitude = math.floor(math.log10(common[-1]))
    limit = Scale.limit if common[-1] == max(sizes) else magnitude + 5
    if own is not None and shown and magnitude < 12:
        return Scale(own, limit=max(limit, _LONGEST - own))
    integral = exact and all(value.is_integer() for value in sizes)
    if own is None and integral and magnitude < 9:
        return Scale(0, limit=max(limit, _LONGEST))
    if -3 <= magnitude < 6:
        decimals = max(0, _DIGITS - 1 - magnitude)
        return Scale(decimals, limit=max(limit, _LONGEST - decimals))
    return Scale(_DIGITS - 1, max(-300, min(300, magnitude)))


def scale_in(plan: Plan, summary: Summary, name: str) -> Scale:
    """The scale of a trial metric's means in a summary."""
    return scale_of_means(plan, [one.estimates[name] for one in summary.arms], name)


def scale_of_means(plan: Plan, estimates: Iterable[Estimate], name: str) -> Scale:
    """The scale of these estimates of a trial metric.

    It has more decimals than the metric where no half-width could be told from 0 otherwise.
    """
    found = [one for one in estimates if one.mean is not None]
    scale = scale_of(
        metric_of(plan, name),
        [one.mean for one in found],
        exact=all(one.constant for one in found),
    )
    widest = max((scale.measured(one.half_width) or 0.0 for one in found), default=0.0)
    if 0.0 < widest < 0.5 * 10.0**-scale.decimals:
        decimals = _HALF_DIGITS - 1 - exponent(widest)
        return replace(scale, decimals=min(decimals, max(_MOST_DECIMALS, scale.decimals)))
    return scale


def difference_scale(plan: Plan, summary: Summary, name: str) -> Scale:
    """The scale of a trial metric's differences in a summary."""
    found = [one.contrasts[name] for one in summary.arms if name in one.contrasts]
    ends = [(one.difference, one.low, one.high) for one in found]
    return scale_of_differences(scale_in(plan, summary, name), ends)


def scale_of_differences(means: Scale, differences: Iterable[Ends]) -> Scale:
    """The scale of a column of differences, in the unit of the means if that will do.

    Decimals are those that two significant digits of the half-width have: of the middle one, as a
    column has as many in all its rows. A few more are given where an interval without 0 would else
    be printed with it; where that takes many more, that cell alone has them (`Scale.interval`).
    Differences without an interval have the decimals of the means.
    """
    found = list(differences)
    told = [means.ends(ends) for ends in found]
    halves = [(high - low) / 2 for _, low, high in told if low is not None and high is not None]
    sizes = [half for half in halves if half > 0 and math.isfinite(half)]
    decimals, limit = means.decimals, means.limit
    if sizes:
        common = like(sizes)
        typical = exponent(common[(len(common) - 1) // 2])
        decimals = max(0, _HALF_DIGITS - 1 - typical)
        if decimals > _MOST_DECIMALS:
            return scale_of_differences(replace(means, power=means.power + typical), found)
        beyond = exponent(common[-1]) + 5 if common[-1] < max(sizes) else Scale.limit
        limit = max(beyond, _LONGEST - decimals)
    wanted = [enough(ends, decimals) for ends in told]
    shared = [one for one in wanted if one <= decimals + _SHARED]
    return Scale(max(shared, default=decimals), means.power, limit)
