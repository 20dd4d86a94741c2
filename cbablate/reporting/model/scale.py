"""`Scale`: how a column writes its numbers, so that all have the same decimals and unit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from cbablate.analysis.summary import Summary, metric_of
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Number
from cbablate.spec.metric import Metric
from cbablate.statistics.estimate import Estimate

__all__ = ["Scale", "scale_in", "scale_of", "scale_of_means"]

_DIGITS = 4
"""Significant digits of a metric that the workload does not describe."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Scale:
    """Numbers are written in units of ten to `power`, with `decimals` decimals."""

    decimals: int
    power: int = 0

    def number(self, value: float | None, *, signed: bool = False) -> Number:
        """The value as it is written."""
        if value is not None and self.power:
            value = value / 10.0**self.power if self.power > 0 else value * 10.0**-self.power
        return Number(value, self.decimals, signed)

    def unit(self, unit: str) -> str:
        """The unit as it is written: `img/s`, `10⁻⁷ s`."""
        if not self.power:
            return unit
        return f"10{str(self.power).translate(_SUPERSCRIPTS)} {unit}".rstrip()


def scale_of(
    metric: Metric, values: Iterable[float | None], *, known: bool, exact: bool = True
) -> Scale:
    """The scale for a column of these values; `exact` says that they are no means of others.

    A metric that is `known` has its own decimals, unless that would print nothing but zeros or
    more digits than fit; another is written with four significant digits of its largest value.
    """
    sizes = [abs(value) for value in values if value is not None and math.isfinite(value)]
    largest = max(sizes, default=0.0)
    if largest == 0.0:
        return Scale(metric.decimals if known else 0)
    magnitude = math.floor(math.log10(largest))
    if known and largest >= 0.5 * 10.0**-metric.decimals and magnitude < 12:
        return Scale(metric.decimals)
    integral = exact and all(value.is_integer() for value in sizes)
    if not known and integral and magnitude < 9:
        return Scale(0)
    if -3 <= magnitude < 6:
        return Scale(max(0, _DIGITS - 1 - magnitude))
    return Scale(_DIGITS - 1, max(-300, min(300, magnitude)))


def scale_in(plan: Plan, summary: Summary, name: str) -> Scale:
    """The scale of a trial metric's means in a summary, and of their differences."""
    return scale_of_means(plan, [one.estimates[name] for one in summary.arms], name)


def scale_of_means(plan: Plan, estimates: Iterable[Estimate], name: str) -> Scale:
    """The scale of these estimates of a trial metric, and of their differences."""
    found = [one for one in estimates if one.mean is not None]
    return scale_of(
        metric_of(plan, name),
        [one.mean for one in found],
        known=name in plan.description.metrics,
        exact=all(one.constant for one in found),
    )
