"""Figures of values by layer: one vector, or several beside each other with one legend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.planning.plan import Plan
from cbablate.reporting.figures.figure import (
    MOST_LINES,
    WIDTH,
    draw_legend,
    draw_lines,
    drawable,
    labelled,
    legend_columns,
    line_figure,
    panels_of,
    settings,
)
from cbablate.spec.metric import Metric
from cbablate.statistics.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["layer_figure", "layers_figure"]

_ACROSS = 3
"""How many panels stand beside each other in a figure of two columns."""
_PANEL = 1.6
"""Inches that a panel is high."""


def layer_figure(plan: Plan, summary: Summary, vector: str) -> Figure:
    """A vector by layer, or along the axis its metric names: a panel for each reference, its arms
    with it, bands of 95 %.

    Raises:
        LookupError: no completed trial measured such a vector.
    """
    if vector not in summary.vectors:
        listed = ", ".join(summary.vectors) or "none yet"
        raise LookupError(f"no completed trial measured '{vector}' by layer; there are: {listed}")
    metric = metric_of(plan, vector)
    panels = {
        title: {
            label: tuple(zip(_places(metric, len(layers)), layers, strict=False))
            for label, layers in _by_label(panel, vector).items()
        }
        for title, panel in panels_of(plan, summary.arms)
    }
    return line_figure(panels, along=metric.axis, up=labelled(metric), counted=not metric.at)


def layers_figure(plan: Plan, summary: Summary, vectors: Sequence[str]) -> Figure:
    """Several vectors by layer, a panel each, all equally high, with one legend; two columns wide.

    For studies whose arms have one reference.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    named = [one.arm.name for one in summary.arms if any(one.vectors.get(v) for v in vectors)]
    named = named[:MOST_LINES]
    places = {one.arm.name: place for place, one in enumerate(summary.arms)}
    across = min(_ACROSS, len(vectors))
    down = math.ceil(len(vectors) / across)
    width = 2 * WIDTH
    with rc_context(settings()):
        legend = 0.15 * math.ceil(len(named) / legend_columns(named, width)) + 0.08
        figure = Figure(figsize=(width, _PANEL * down + legend), layout="constrained")
        axes = list(figure.subplots(down, across, squeeze=False).flat)
        for axis, vector in zip(axes, vectors, strict=False):
            metric = metric_of(plan, vector)
            lines = {
                one.arm.name: tuple(enumerate(one.vectors[vector]))
                for one in summary.arms
                if one.arm.name in named and one.vectors.get(vector)
            }
            draw_lines(axis, lines, places, counted=True)
            axis.set_title(drawable(labelled(metric), longest=32), parse_math=False)
            axis.set_xlabel(drawable(metric.axis), parse_math=False)
        for axis in axes[len(vectors) :]:
            axis.remove()
        draw_legend(figure, axes[: len(vectors)], named, width=width)
    return figure


def _places(metric: Metric, count: int) -> Sequence[float]:
    """Where along its axis a vector's values stand: at their strengths, or numbered from 0, as
    blocks are in studies and in MLflow."""
    return metric.at if len(metric.at) >= count else range(count)


def _by_label(panel: Mapping[str, ArmSummary], vector: str) -> dict[str, tuple[Estimate, ...]]:
    return {label: one.vectors.get(vector, ()) for label, one in panel.items()}
