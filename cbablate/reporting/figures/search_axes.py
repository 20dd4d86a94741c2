"""What figures of searches share: their panels, and where values and hyperparameters stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cbablate.analysis.outcome import Tuned
from cbablate.analysis.searches.tuning import SearchTrial, Tuning
from cbablate.analysis.summary import metric_of
from cbablate.fingerprint import canonical
from cbablate.planning.plan import Plan
from cbablate.reporting.figures.figure import COLOURS, WIDTH, drawable, settings
from cbablate.reporting.sentences.tuning_note import value_words
from cbablate.spec.space import ends
from cbablate.spec.sweep import Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "MOST_ARMS",
    "PANEL",
    "decides",
    "extremes",
    "fraction",
    "grid_of",
    "metric_words",
    "position",
    "score",
    "tick",
    "value_of",
]

MOST_ARMS = len(COLOURS)
PANEL = 1.35
"""Inches that a panel is high."""


def grid_of(
    panels: int, across: int, *, height: float, share: bool = False
) -> tuple[Figure, list[Axes]]:
    """A figure a column wide, and the axes of its panels, so many beside each other."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    down = math.ceil(panels / across)
    with rc_context(settings()):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        grid = figure.subplots(down, across, squeeze=False, sharey=share)
        axes: list[Axes] = list(grid.flat)
        for axis in axes[panels:]:
            axis.remove()
    return figure, axes[:panels]


def decides(tuned: Tuned) -> str:
    """The metric by which the best trial is chosen."""
    first = tuned.tunings[0]
    return first.search.objectives[first.decides].metric


def value_of(one: Tuning, attempt: SearchTrial) -> float:
    """A trial's value of the objective that decides; nan if it has none."""
    return attempt.values[one.decides] if attempt.values else math.nan


def score(one: Tuning, attempt: SearchTrial) -> float:
    """The value, so that more is better."""
    return one.search.objectives[one.decides].score(value_of(one, attempt))


def position(parameter: Parameter, value: Any) -> float:
    """Where a value stands on its panel: a choice at its place among the choices."""
    if parameter.kind == "choice":
        return float([canonical(one) for one in parameter.choices].index(canonical(value)))
    return float(value)


def fraction(parameter: Parameter, value: Any) -> float:
    """Where a value lies between the parameter's ends, 0 to 1, on its own scale."""
    if parameter.kind == "choice":
        return position(parameter, value) / max(1, len(parameter.choices) - 1)
    low, high = ends(parameter)
    if parameter.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return float((value - low) / (high - low))


def extremes(parameter: Parameter) -> Sequence[str]:
    """The ends of a parameter's range, in words."""
    low, *_, high = ends(parameter)
    return [tick(low), tick(high)]


def tick(value: Any) -> str:
    """A hyperparameter's value, short enough for an axis."""
    words = value_words(value, digits=3)
    number = isinstance(value, int | float)
    return drawable(words.replace("-", "\u2212") if number else words, longest=10)


def metric_words(plan: Plan, name: str) -> str:
    """A metric with its unit, as an axis names it."""
    metric = metric_of(plan, name)
    return drawable(f"{metric.label}{f' ({metric.unit})' if metric.unit else ''}")
