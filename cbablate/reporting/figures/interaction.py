"""The interaction plot: a factor's levels side by side, a line for each level of another."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from cbablate.analysis.designs.factorial import Effects, by_cell, effects
from cbablate.analysis.summary import Summary, metric_of
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.reporting.figures.figure import COLOURS, WIDTH, drawable, settings
from cbablate.reporting.model.scale import Scale, scale_in
from cbablate.statistics.student_t import critical

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["interaction_figure"]

_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_MOST_LINES = 7
"""The most levels whose lines can be told apart: one a colour."""

_Means = Mapping[tuple[str, str], float]


def interaction_figure(plan: Plan, summary: Summary) -> Figure:
    """Means of the primary metric over whole replicates: lines are the levels of the factor that
    the study contrasts (else of its last), a panel for each other factor, averaged over the rest.
    Lines that are parallel add up.

    Bars are 95 % intervals of the means by the error of the panel's own effects, seeds taken out,
    so that they suit comparing points, not reading one of them.

    Raises:
        CbablateError: the study is not a factorial of two factors or more, has too few whole
            replicates, or has more lines than can be told apart.
    """
    names = [factor.name for factor in plan.study.factors]
    if len(names) < 2 or not summary.primary:
        raise CbablateError(f"study '{plan.study.name}' has no two factors that could interact")
    inner = plan.study.contrast or names[-1]
    lines = _lines(plan, inner)
    known = summary.replicates.of(summary.primary)
    split = effects(plan, known, summary.primary)
    cells = by_cell(plan)
    means = {
        cell: math.fsum(known[arm][block] for block in split.blocks) / len(split.blocks)
        for cell, arm in cells.items()
    }
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    others = [name for name in names if name != inner]
    across = min(2, len(others))
    down = math.ceil(len(others) / across)
    scale = scale_in(plan, summary, summary.primary)
    with rc_context(settings()):
        figure = Figure(figsize=(WIDTH, 1.9 * down + 0.3), layout="constrained")
        axes: list[Axes] = list(figure.subplots(down, across, squeeze=False, sharey=True).flat)
        for place, (axis, name) in enumerate(zip(axes, others, strict=False)):
            pair = (names.index(name), names.index(inner))
            shown = _averaged(means, pair)
            count = len(split.blocks) * len(cells) // len(shown)
            half = _half_width(split, {name, inner}, count)
            levels = [level.name for level in plan.study.factors[pair[0]].levels]
            _draw(axis, shown, levels=levels, lines=lines, half=half, scale=scale)
            axis.set_xlabel(drawable(name, longest=30), parse_math=False)
            if place % across == 0:
                axis.set_ylabel(_label(plan, summary.primary, scale), parse_math=False)
        for axis in axes[len(others) :]:
            axis.remove()
        _legend(figure, axes[0], inner, lines)
    return figure


def _half_width(split: Effects, shown: Collection[str], count: int) -> float:
    """Of a mean of so many values, by how the effects of the factors shown differ between seeds."""
    own = [one.error for one in split.effects if set(one.factors) <= {*shown}]
    freedom = sum(part.freedom for part in own)
    error = math.fsum(part.squares for part in own) / freedom
    return critical(freedom) * math.sqrt(error / count)


def _lines(plan: Plan, inner: str) -> list[str]:
    """The levels of the factor whose levels are lines.

    Raises:
        CbablateError: they are too many to be told apart.
    """
    lines = [
        level.name
        for factor in plan.study.factors
        if factor.name == inner
        for level in factor.levels
    ]
    if len(lines) > _MOST_LINES:
        raise CbablateError(
            f"{len(lines)} lines, one for each level of {inner}, cannot be told apart"
        )
    return lines


def _averaged(means: Mapping[tuple[str, ...], float], places: tuple[int, int]) -> _Means:
    gathered: dict[tuple[str, str], list[float]] = {}
    for cell, mean in means.items():
        gathered.setdefault((cell[places[0]], cell[places[1]]), []).append(mean)
    return {key: math.fsum(found) / len(found) for key, found in gathered.items()}


def _draw(
    axis: Axes,
    means: _Means,
    *,
    levels: Sequence[str],
    lines: Sequence[str],
    half: float,
    scale: Scale,
) -> None:
    width = scale.number(half).value or 0.0
    for index, line in enumerate(lines):
        heights = [scale.number(means[level, line]).value or 0.0 for level in levels]
        beside = 0.03 * (index - (len(lines) - 1) / 2)  # so that bars do not cover one another
        axis.errorbar(
            [place + beside for place in range(len(levels))],
            heights,
            label=f"line {index}",
            yerr=width if width else None,
            color="black" if index == 0 else COLOURS[(index - 1) % len(COLOURS)],
            linestyle=(0, (4, 1.5)) if index == 0 else "-",
            marker=_MARKS[index % len(_MARKS)],
            capsize=1.5,
            elinewidth=0.7,
        )
    words = [drawable(level, longest=14) for level in levels]
    axis.set_xticks(range(len(levels)), words, parse_math=False)
    axis.set_xlim(-0.3, len(levels) - 0.7)
    axis.grid(axis="y", linewidth=0.3, alpha=0.5)


def _label(plan: Plan, name: str, scale: Scale) -> str:
    metric = metric_of(plan, name)
    unit = scale.unit(metric.unit)
    return drawable(f"{metric.label}{f' ({unit})' if unit else ''}")


def _legend(figure: Figure, axis: Axes, inner: str, lines: Sequence[str]) -> None:
    handles, _ = axis.get_legend_handles_labels()
    legend = figure.legend(
        handles,
        [" "] * len(lines),
        loc="outside lower center",
        ncols=min(4, len(lines)),
        frameon=False,
        title=" ",
        title_fontsize=8.0,
    )
    words = [*lines, inner]
    for text, word in zip([*legend.get_texts(), legend.get_title()], words, strict=True):
        text.set_parse_math(False)
        text.set_text(drawable(word, longest=30))
