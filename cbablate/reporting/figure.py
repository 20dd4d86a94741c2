"""Figures: values by layer, each arm against its reference, at the width of a paper's column.

matplotlib is imported where a figure is drawn, so that printing a table does not wait for it;
pyplot, with its global state, is not used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbablate.analysis.estimate import Estimate
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.planning.plan import Plan
from cbablate.reporting.character import code_point, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "WIDTH", "drawable", "layer_figure", "settings", "write_figure"]

WIDTH = 3.25
"""Inches: one column of a two-column paper."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
"""Okabe and Ito's, which the colour-blind can tell apart, but the yellow, too pale on white."""
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_DASHES = ("-", "--", "-.", ":")
_STYLE = {
    "font.size": 7.0,
    "axes.labelsize": 7.5,
    "axes.titlesize": 7.0,
    "legend.fontsize": 6.5,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "cbablate",
}


def layer_figure(plan: Plan, summary: Summary, vector: str) -> Figure:
    """A vector by layer, or along the axis its metric names: a panel for each reference, its arms
    with it, bands of 95 %.

    Raises:
        LookupError: no completed trial measured such a vector.
    """
    if vector not in summary.vectors:
        listed = ", ".join(summary.vectors) or "none yet"
        raise LookupError(f"no completed trial measured '{vector}' by layer; there are: {listed}")
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    panels = _panels(plan, summary, vector)
    across = 1 if len(panels) == 1 else 2
    down = math.ceil(len(panels) / across)
    named = list(dict.fromkeys(label for panel in panels.values() for label in panel))
    legend = 0.13 * math.ceil(len(named) / _legend_columns(named)) + 0.08
    metric = metric_of(plan, vector)
    with rc_context(settings()):
        height = (2.0 if across == 1 else 1.35) * down + legend
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        grid = figure.subplots(down, across, squeeze=False, sharey=True)
        axes: list[Axes] = list(grid.flat)
        for axis, (title, panel) in zip(axes, panels.items(), strict=False):
            _draw(axis, panel, named, metric.at)
            axis.set_title(drawable(title), parse_math=False)
        for axis in axes[len(panels) :]:
            axis.remove()
        unit = f" ({metric.unit})" if metric.unit else ""
        for place, axis in enumerate(axes[: len(panels)]):
            if place % across == 0:
                axis.set_ylabel(drawable(f"{metric.label}{unit}"), parse_math=False)
            if place + across >= len(panels):
                axis.set_xlabel(drawable(metric.axis), parse_math=False)
        _legend(figure, axes[: len(panels)], named)
    return figure


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as its suffix says, `.pdf` or `.png`: the same figure, the same bytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    metadata: dict[str, Any]
    with rc_context(settings()):
        if path.suffix == ".pdf":
            metadata = {"Creator": "cbablate", "CreationDate": None}
            FigureCanvasPdf(figure).print_figure(path, format="pdf", metadata=metadata)
        elif path.suffix == ".png":
            metadata = {"Software": "cbablate"}
            FigureCanvasAgg(figure).print_figure(path, format="png", dpi=300, metadata=metadata)
        else:
            raise LookupError(f"'{path.suffix}' is no form of a figure; there are .pdf and .png")


_Panel = dict[str, tuple[Estimate, ...]]


def _panels(plan: Plan, summary: Summary, vector: str) -> dict[str, _Panel]:
    """Layers by label, the reference first, by panel title: a panel for each reference."""
    contrast = plan.study.contrast
    panels: dict[str, _Panel] = {}
    for one in summary.arms:
        if vector not in one.vectors:
            continue
        title, label = "", one.arm.name
        if contrast is not None:
            title, label = _split(one, contrast)
        panels.setdefault(title, {})[label] = one.vectors[vector]
    return panels


def _split(one: ArmSummary, contrast: str) -> tuple[str, str]:
    others = [f"{factor} {level}" for factor, level in one.arm.levels.items() if factor != contrast]
    return ", ".join(others), one.arm.levels[contrast]


def _draw(
    axis: Axes,
    panel: Mapping[str, Sequence[Estimate]],
    named: Sequence[str],
    at: Sequence[float],
) -> None:
    from matplotlib.ticker import MaxNLocator

    for label, layers in panel.items():
        index = named.index(label)
        places = at if len(at) >= len(layers) else range(1, len(layers) + 1)
        told = list(zip(places, layers, strict=False))
        means = [(place, one.mean) for place, one in told if one.mean is not None]
        style = _style(index)
        axis.plot([place for place, _ in means], [y for _, y in means], label=label, **style)
        banded = [(p, one.low, one.high) for p, one in told if one.low is not None]
        if banded:
            where, low, high = zip(*banded, strict=True)
            axis.fill_between(where, low, high, color=style["color"], alpha=0.12, linewidth=0)
    if not at:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.margins(x=0.04)
    axis.grid(axis="y", linewidth=0.3, alpha=0.5)


def _style(index: int) -> dict[str, Any]:
    """The reference is black and dashed; the others differ in colour, mark and, later, dash."""
    if index == 0:
        return {"color": "black", "linestyle": (0, (4, 1.5)), "marker": "o", "zorder": 3}
    turn, colour = divmod(index - 1, len(COLOURS))
    return {
        "color": COLOURS[colour],
        "linestyle": _DASHES[turn % len(_DASHES)],
        "marker": _MARKS[index % len(_MARKS)],
    }


def _legend(figure: Figure, axes: Sequence[Axes], named: Sequence[str]) -> None:
    """One legend for all panels, below them, whose names are never read as mathematics."""
    handles: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    legend = figure.legend(
        [handles[label] for label in named],
        [" "] * len(named),
        loc="outside lower center",
        ncols=_legend_columns(named),
        frameon=False,
        handlelength=2.4,
        columnspacing=1.2,
    )
    for text, label in zip(legend.get_texts(), named, strict=True):
        text.set_parse_math(False)
        text.set_text(drawable(label, longest=40))


def _legend_columns(named: Sequence[str]) -> int:
    longest = max(len(label) for label in named)
    return max(1, min(3, len(named), 42 // (longest + 6)))


def drawable(text: str, longest: int = 60) -> str:
    """Words as the figure's font can draw them, cut where they are long."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    shown = visible(text)
    cut = shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
    return "".join(c if font.get_char_index(ord(c)) else code_point(c) for c in cut)


def settings() -> Any:
    """matplotlib's own defaults with our style, whatever the user's settings are."""
    from matplotlib import rcParamsDefault

    unsettled = ("backend", "backend_fallback", "toolbar", "interactive")
    base = {str(key): value for key, value in rcParamsDefault.items() if key not in unsettled}
    return base | _STYLE
