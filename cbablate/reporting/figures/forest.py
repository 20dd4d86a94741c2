"""The forest plot: each arm's difference from its reference, its interval, and its finding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cbablate.analysis.contrasts.verdict import Claim
from cbablate.analysis.summary import ArmSummary, Summary, direction_of, metric_of
from cbablate.planning.plan import Plan
from cbablate.reporting.figures.figure import COLOURS, WIDTH, drawable, settings
from cbablate.reporting.model.scale import difference_scale
from cbablate.reporting.sentences.claim import difference_unit

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MOST_ROWS", "forest_figure"]

MOST_ROWS = 100
"""The most arms that are drawn, the first ones; the figure says how many there are."""
_ROW = 0.175
"""Inches from one arm to the next."""
_BLUE, _RED = COLOURS[0], COLOURS[1]
_GREY, _SHADE = "0.45", "0.9"
_ACROSS_TITLE = 62
"""How many characters of the title a line holds."""
_ACROSS = 3
"""How many entries of the legend stand side by side."""
_LOOKS: dict[Claim, tuple[str, str, str]] = {
    "helps": (_BLUE, _BLUE, "^"),
    "hurts": (_RED, _RED, "v"),
    "differs": (_BLUE, _BLUE, "D"),
    "equivalent": ("black", "black", "s"),
    "unconfirmed": ("black", "white", "D"),
    "undecided": ("black", "white", "o"),
    "too few": (_GREY, "white", "o"),
    "one search": ("black", "white", "d"),
}
"""Edge, face and mark of each claim: no two that can stand together differ in colour alone."""


def forest_figure(plan: Plan, summary: Summary) -> Figure:
    """The primary metric's differences, an arm a row, with 95 % intervals and pairs.

    A zero line, the study's margin shaded, marks by finding. An arm without a pair has a row
    without a mark.

    Raises:
        LookupError: the study compares nothing, or reports no trial metric.
    """
    name = summary.primary
    compared = [one for one in summary.arms if name in one.contrasts]
    if not compared:
        raise LookupError(f"study '{plan.study.name}' has no differences that could be drawn")
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    shown = compared[:MOST_ROWS]
    with rc_context(settings()):
        entries = _entries(plan, summary, shown)
        height = _ROW * (len(shown) + 1) + 0.7 + 0.14 * math.ceil(len(entries) / _ACROSS)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axis = figure.subplots()
        _draw(axis, plan, summary, shown)
        _name(axis, shown, name)
        _label(axis, plan, summary)
        parts = [drawable(part, longest=_ACROSS_TITLE) for part in _title(plan, compared)]
        title = "; ".join(parts)
        title = title if len(title) <= _ACROSS_TITLE else ";\n".join(parts)
        figure.suptitle(title, x=0.01, ha="left", fontsize=8.0, parse_math=False)
        if entries:
            figure.legend(
                handles=entries,
                loc="outside lower center",
                ncols=min(_ACROSS, len(entries)),
                frameon=False,
                handletextpad=0.3,
                columnspacing=1.2,
            )
    return figure


def _draw(axis: Axes, plan: Plan, summary: Summary, shown: Sequence[ArmSummary]) -> None:
    name = summary.primary
    scale = difference_scale(plan, summary, name)
    axis.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    if plan.study.margin is not None:
        margin = scale.number(plan.study.margin).value
        if margin is not None:
            axis.axvspan(-margin, margin, color=_SHADE, linewidth=0, zorder=0)
    for row, one in enumerate(shown):
        contrast = one.contrasts[name]
        edge, face, mark = _LOOKS[one.findings[name].claim]
        centre, low, high = (
            scale.number(value).value
            for value in (contrast.difference, contrast.low, contrast.high)
        )
        if low is not None and high is not None and math.isfinite(high - low):
            axis.plot([low, high], [row, row], color=edge, linewidth=1.1, zorder=2)
        if centre is not None:
            axis.plot([centre], [row], mark, color=edge, markerfacecolor=face, zorder=3)
    axis.set_ylim(len(shown) - 0.5, -0.5)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", linewidth=0.3, alpha=0.5)
    axis.set_axisbelow(True)
    axis.margins(x=0.06)


def _name(axis: Axes, shown: Sequence[ArmSummary], metric: str) -> None:
    """Each arm's name on the left of its row, the number of its pairs on the right."""
    across = axis.get_yaxis_transform()
    for row, one in enumerate(shown):
        words: dict[str, Any] = {"va": "center_baseline", "fontsize": 7.5, "transform": across}
        name = drawable(one.arm.name, longest=32)
        axis.text(-0.02, row, name, ha="right", parse_math=False, **words)
        axis.text(1.02, row, str(one.contrasts[metric].pairs), ha="left", **words)
    axis.annotate(
        "n",
        (1.02, 1),
        xycoords="axes fraction",
        xytext=(0, 2),
        textcoords="offset points",
        style="italic",
    )


def _title(plan: Plan, compared: Sequence[ArmSummary]) -> tuple[str, str]:
    """Which intervals these are, and how many arms are left out; what they are compared with."""
    names = {arm.id: arm.name for arm in plan.arms}
    references = {names[one.arm.against or ""] for one in compared}
    whom = (
        f"“{references.pop()}”"
        if len(references) == 1
        else f"the arm that differs in {plan.study.contrast} only"
    )
    more = f" (first {MOST_ROWS} of {len(compared)})" if len(compared) > MOST_ROWS else ""
    joint = plan.study.analysis.joint and len(compared) > 1
    return f"{'simultaneous ' if joint else ''}95 % intervals{more}", f"against {whom}"


def _label(axis: Axes, plan: Plan, summary: Summary) -> None:
    """The metric, its unit, and where better is."""
    name = summary.primary
    unit = difference_unit(plan, difference_scale(plan, summary, name), name)
    words = f"Δ {metric_of(plan, name).label}{f' ({unit})' if unit else ''}"
    direction = direction_of(plan, name)
    if direction is not None:
        words = f"{words}, better →" if direction == "maximize" else f"← better, {words}"
    axis.set_xlabel(drawable(words), parse_math=False)


def _entries(plan: Plan, summary: Summary, shown: Sequence[ArmSummary]) -> list[Artist]:
    """The legend: the marks that occur, in the words of the notes, and the margin; none of open
    circles alone, which say what their intervals do."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    claims = {one.findings[summary.primary].claim for one in shown}
    if claims == {"undecided"} and plan.study.margin is None:
        return []
    words = {"equivalent": "within the margin", "too few": "too few replicates"}
    words["one search"] = "one search: not the arm's"
    entries: list[Artist] = [
        Line2D(
            *([], []),
            color=edge,
            markerfacecolor=face,
            marker=mark,
            linestyle="none",
            label=words.get(claim, claim),
        )
        for claim, (edge, face, mark) in _LOOKS.items()
        if claim in claims
    ]
    if plan.study.margin is not None:
        entries.append(Patch(color=_SHADE, label="margin"))
    return entries
