"""Figures of lines: values over a training, each arm against its reference, a column wide.

matplotlib is imported where a figure is drawn, so that printing a table does not wait for it;
pyplot, with its global state, is not used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cbablate.analysis.measures.curve import Curve
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.character import code_point, visible
from cbablate.planning.plan import Plan
from cbablate.spec.metric import Metric
from cbablate.statistics.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "WIDTH",
    "curve_figure",
    "draw_legend",
    "draw_lines",
    "drawable",
    "labelled",
    "legend_columns",
    "line_figure",
    "panels_of",
    "settings",
    "write_figure",
]

WIDTH = 3.25
"""Inches: one column of a two-column paper."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
"""Okabe and Ito's, which the colour-blind can tell apart, but the yellow, too pale on white."""
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_DASHES = ("-", "--", "-.", ":")
MOST_LINES = 2 * len(COLOURS)
"""How many lines can be told apart."""
MOST_PANELS = 12
_HANDLE = 2.0
"""How long the lines of a legend are, in its letters' heights."""
_ENTRY, _LETTER = 0.38, 0.058
"""Inches that an entry of a legend takes, and about what each of its letters adds."""
_FEWEST_FOR_TAIL, _FLAT = 6, 5.0
"""An inset is drawn of so many points at least, whose end spans less than this part of the axis."""
_MARKED = 20
"""A line of more points has no marks: they would hide it."""
_FONTS = ("STIXGeneral", "DejaVu Sans")
"""Times, as papers are set in; matplotlib brings both. What the first lacks is of the other."""
_STYLE = {
    "font.family": list(_FONTS),
    "mathtext.fontset": "stix",
    "font.size": 8.0,
    "axes.labelsize": 8.5,
    "axes.titlesize": 8.0,
    "legend.fontsize": 8.0,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "cbablate",
}


def curve_figure(plan: Plan, summary: Summary, curves: Mapping[str, Curve], name: str) -> Figure:
    """A metric over budget spent, by arm id: a panel for each reference, bands of 95 %.

    Raises:
        LookupError: there is no curve.
    """
    if not curves:
        raise LookupError(f"no completed trial measured '{name}' on its way")
    panels = {
        title: {label: curves.get(one.arm.id, ()) for label, one in panel.items()}
        for title, panel in panels_of(plan, summary.arms)
    }
    along = plan.study.budget.unit.capitalize()
    return line_figure(panels, along=along, up=labelled(metric_of(plan, name)), tail=True)


def labelled(metric: Metric) -> str:
    """A metric with its unit, as an axis names it."""
    return f"{metric.label}{f' ({metric.unit})' if metric.unit else ''}"


def line_figure(
    panels: Mapping[str, Mapping[str, Curve]],
    *,
    along: str,
    up: str,
    counted: bool = True,
    tail: bool = False,
) -> Figure:
    """Estimates by label, by panel title, as lines with bands; the first label is the reference.

    A label with an empty curve is not drawn, and keeps its look for whoever compares two figures.
    Of more than `MOST_LINES` labels the first are drawn, and the figure says so. `counted` says
    that places are whole numbers, `tail` that the end of flat curves is drawn larger in an inset.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    places = {label: place for place, label in enumerate(dict.fromkeys(chain(*panels.values())))}
    panels = {title: panel for title, panel in panels.items() if any(panel.values())}
    every = [name for name in places if any(panel.get(name) for panel in panels.values())]
    named = every[:MOST_LINES]
    across = 1 if len(panels) == 1 else 2
    shown = dict(list(panels.items())[:MOST_PANELS])
    down = math.ceil(len(shown) / across)
    legend = 0.15 * math.ceil(len(named) / legend_columns(named)) + 0.08
    with rc_context(settings()):
        height = (2.0 if across == 1 else 1.35) * down + legend
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        grid = figure.subplots(down, across, squeeze=False, sharey=True)
        axes: list[Axes] = list(grid.flat)
        for axis, (title, panel) in zip(axes, shown.items(), strict=False):
            lines = {name: panel[name] for name in named if panel.get(name)}
            draw_lines(axis, lines, places, counted=counted)
            if tail and len(shown) == 1:
                _inset(axis, lines, places)
            axis.set_title(drawable(title), parse_math=False)
        for axis in axes[len(shown) :]:
            axis.remove()
        for place, axis in enumerate(axes[: len(shown)]):
            if place % across == 0:
                axis.set_ylabel(drawable(up), parse_math=False)
            if place + across >= len(shown):
                axis.set_xlabel(drawable(along), parse_math=False)
        cut = [f"first {len(named)} of {len(every)} arms"] * (len(every) > len(named))
        cut += [f"first {len(shown)} of {len(panels)} groups"] * (len(panels) > len(shown))
        if cut:
            figure.suptitle(", ".join(cut), x=0.01, ha="left", fontsize=7.0)
        draw_legend(figure, axes[: len(shown)], named)
    return figure


def write_figure(figure: Figure, to: Path | IO[bytes], *, form: str = "") -> None:
    """Write a figure as `form` or its file's suffix says, pdf, png or svg: the same figure, the
    same bytes.

    Raises:
        LookupError: there is no such form.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    wanted = form or (to.suffix.lstrip(".") if isinstance(to, Path) else "")
    metadata: dict[str, Any]
    with rc_context(settings()):
        if wanted == "pdf":
            metadata = {"Creator": "cbablate", "CreationDate": None}
            FigureCanvasPdf(figure).print_figure(to, format="pdf", metadata=metadata)
        elif wanted == "png":
            metadata = {"Software": "cbablate"}
            FigureCanvasAgg(figure).print_figure(to, format="png", dpi=300, metadata=metadata)
        elif wanted == "svg":
            metadata = {"Creator": "cbablate", "Date": None}
            FigureCanvasSVG(figure).print_figure(to, format="svg", metadata=metadata)
        else:
            raise LookupError(
                f"there is no form '.{wanted}' of a figure; there are .pdf, .png and .svg"
            )


def panels_of(plan: Plan, arms: Sequence[ArmSummary]) -> list[tuple[str, dict[str, ArmSummary]]]:
    """Arms by label, the reference first, with their panel's title: a panel a reference."""
    contrast = plan.study.contrast
    panels: dict[str, dict[str, ArmSummary]] = {}
    for one in arms:
        title, label = ("", one.arm.name) if contrast is None else _split(one, contrast)
        panels.setdefault(title, {})[label] = one
    return list(panels.items())


def _split(one: ArmSummary, contrast: str) -> tuple[str, str]:
    others = [f"{factor} {level}" for factor, level in one.arm.levels.items() if factor != contrast]
    return ", ".join(others), one.arm.levels[contrast]


def draw_lines(
    axis: Axes, panel: Mapping[str, Curve], places: Mapping[str, int], *, counted: bool
) -> None:
    """A panel's lines with their bands; each label looks as its place says."""
    from matplotlib.ticker import MaxNLocator

    for label, curve in panel.items():
        means = [(place, one.mean) for place, one in curve if one.mean is not None]
        style = _style(places[label])
        if len(means) > _MARKED:
            style["marker"] = ""
        axis.plot([place for place, _ in means], [y for _, y in means], label=label, **style)
        banded = [(p, one.low, one.high) for p, one in curve if one.low is not None]
        if banded:
            where, low, high = zip(*banded, strict=True)
            axis.fill_between(where, low, high, color=style["color"], alpha=0.12, linewidth=0)
    if counted:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.margins(x=0.04)
    axis.grid(axis="y", linewidth=0.3, alpha=0.5)


def _inset(axis: Axes, panel: Mapping[str, Curve], places: Mapping[str, int]) -> None:
    """The last third of the curves, drawn larger where the axis has room, if it is flat there."""
    from matplotlib.ticker import MaxNLocator

    every = sorted({place for curve in panel.values() for place, _ in curve})
    late = every[-max(2, len(every) // 3) :]
    ends = {
        name: [(place, one) for place, one in curve if place >= late[0]]
        for name, curve in panel.items()
    }
    tails = [y for curve in ends.values() for _, one in curve for y in _reach(one)]
    whole = [y for curve in panel.values() for _, one in curve for y in _reach(one)]
    if len(every) < _FEWEST_FOR_TAIL or not tails:
        return
    if max(whole) - min(whole) < _FLAT * (max(tails) - min(tails)):
        return
    high = sum(tails) / len(tails) > (max(whole) + min(whole)) / 2
    inner = axis.inset_axes((0.42, 0.1 if high else 0.5, 0.56, 0.42))
    draw_lines(inner, ends, places, counted=True)
    inner.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    inner.tick_params(labelsize=6.5, length=2, pad=1.5)
    inner.set_facecolor((1, 1, 1, 0.85))
    for line in inner.get_lines():
        line.set_markersize(2.2)
    axis.indicate_inset_zoom(inner, edgecolor="0.6", linewidth=0.5, alpha=1.0)


def _reach(one: Estimate) -> list[float]:
    """The mean and the ends of its interval, as far as they are known."""
    return [value for value in (one.mean, one.low, one.high) if value is not None]


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


def draw_legend(
    figure: Figure, axes: Sequence[Axes], named: Sequence[str], *, width: float = WIDTH
) -> None:
    """One legend for all panels, below them, whose names are never read as mathematics."""
    handles: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    legend = figure.legend(
        [handles[label] for label in named],
        [" "] * len(named),
        loc="outside lower center",
        ncols=legend_columns(named, width),
        frameon=False,
        handlelength=_HANDLE,
        handletextpad=0.5,
        columnspacing=1.0,
    )
    for text, label in zip(legend.get_texts(), named, strict=True):
        text.set_parse_math(False)
        text.set_text(drawable(label, longest=40))


def legend_columns(named: Sequence[str], width: float = WIDTH) -> int:
    """How many entries of a legend stand side by side in so many inches."""
    lengths = [min(40, len(name)) for name in named]
    for count in range(len(named), 1, -1):
        down, more = divmod(len(named), count)
        begins = [place * down + min(place, more) for place in range(count + 1)]
        longest = (max(lengths[a:b]) for a, b in pairwise(begins))
        if sum(_ENTRY + _LETTER * letters for letters in longest) <= width:
            return count
    return 1


def drawable(text: str, longest: int = 60) -> str:
    """Words as the figure's fonts can draw them, cut where they are long."""
    from matplotlib.font_manager import findfont, get_font

    fonts = [get_font(findfont(name)) for name in _FONTS]
    shown = visible(text)
    cut = shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
    known = (any(font.get_char_index(ord(c)) for font in fonts) for c in cut)
    return "".join(c if is_known else code_point(c) for c, is_known in zip(cut, known, strict=True))


def settings() -> Any:
    """matplotlib's own defaults with our style, whatever the user's settings are."""
    from matplotlib import rcParamsDefault

    unsettled = ("backend", "backend_fallback", "toolbar", "interactive")
    base = {str(key): value for key, value in rcParamsDefault.items() if key not in unsettled}
    return base | _STYLE
