"""The figure of parallel coordinates: hyperparameters side by side, and what came of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cbablate.analysis.outcome import Tuned
from cbablate.analysis.searches.tuning import SearchTrial, Tuning
from cbablate.reporting.figures.figure import drawable, settings
from cbablate.reporting.figures.search_axes import (
    MOST_ARMS,
    PANEL,
    decides,
    extremes,
    fraction,
    grid_of,
    metric_words,
    score,
    value_of,
)
from cbablate.spec.sweep import Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["parallel_figure"]


def parallel_figure(tuned: Tuned) -> Figure:
    """Each trial as a line through its hyperparameters to its value, whose axis is the key of the
    colours, too; a panel for each arm.

    Values that are far worse than the rest stand at that axis's bad end.
    """
    from matplotlib import rc_context

    shown = [
        [one for one in tuned.tunings if one.search.arm.id == arm.id]
        for arm in tuned.plan.arms[:MOST_ARMS]
    ]
    figure, axes = grid_of(len(shown), 1, height=PANEL * len(shown) + 0.3)
    space = tuned.tunings[0].search.sweep.space
    worst, best = _span([one for searches in shown for one in searches])
    with rc_context(settings()):
        for axis, searches in zip(axes, shown, strict=True):
            every = [(one, attempt) for one in searches for attempt in _valued(one)]
            for one, attempt in sorted(every, key=lambda pair: score(*pair)):
                places = [
                    fraction(parameter, attempt.proposal[key])
                    if key in attempt.proposal
                    else math.nan
                    for key, parameter in space.items()
                ]
                share = min(1.0, max(0.0, (value_of(one, attempt) - worst) / (best - worst)))
                wide = 1.8 if attempt is one.best else 0.8
                axis.plot(
                    range(len(space) + 1), [*places, share], color=_shade(share), linewidth=wide
                )
            _axes_beside(axis, list(space.values()), (worst, best))
            axis.set_title(drawable(searches[0].search.arm.name), parse_math=False)
        words = [*(drawable(key, longest=24) for key in space)]
        label = metric_words(tuned.plan, decides(tuned))
        axes[-1].set_xticklabels([*words, label], parse_math=False)
    return figure


def _valued(one: Tuning) -> list[SearchTrial]:
    """The trials that have a value which can be drawn."""
    return [
        attempt
        for attempt in one.attempts
        if attempt.values is not None and math.isfinite(attempt.values[one.decides])
    ]


def _span(shown: Sequence[Tuning]) -> tuple[float, float]:
    """The worst and the best value of an axis for all arms; what is worse than most by more than
    most differ lies beyond it."""
    scored = sorted(
        (score(one, attempt), value_of(one, attempt)) for one in shown for attempt in _valued(one)
    )
    if not scored:
        return 0.0, 1.0
    best, middle = scored[-1], scored[len(scored) // 2]
    near = [one for one in scored if middle[0] - one[0] <= 3 * (best[0] - middle[0])]
    worst = near[0][1]
    return (worst, best[1]) if worst != best[1] else (worst - 1.0, best[1])


def _shade(share: float) -> Any:
    """The colour of a value: the better, the darker."""
    from matplotlib import colormaps

    return colormaps["viridis_r"](0.1 + 0.9 * share)


def _axes_beside(axis: Axes, space: Sequence[Parameter], span: tuple[float, float]) -> None:
    """The upright lines with their ends: one for each hyperparameter, and a strip of colours."""
    axis.set_xlim(-0.25, len(space) + 0.35)
    axis.set_ylim(-0.08, 1.08)
    axis.set_yticks([])
    for side in ("left", "bottom"):
        axis.spines[side].set_visible(False)
    axis.set_xticks(range(len(space) + 1), [""] * (len(space) + 1))
    axis.tick_params(axis="x", length=0)
    for place, parameter in enumerate(space):
        axis.axvline(place, color="0.75", linewidth=0.7, zorder=0)
        _ends(axis, place, extremes(parameter))
    steps = 40
    for step in range(steps):
        low, high = step / steps, (step + 1) / steps
        axis.fill_between(
            [len(space), len(space) + 0.05], low, high, color=_shade(low), linewidth=0
        )
    _ends(axis, len(space) + 0.06, [_rounded(value, span) for value in span])


def _ends(axis: Axes, place: float, words: Sequence[str]) -> None:
    """What the ends of an upright line are, to its right, on white."""
    for height, word in zip((0.0, 1.0), words, strict=True):
        axis.annotate(
            word,
            (place, height),
            xytext=(2, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.0,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
            zorder=5,
        )


def _rounded(value: float, span: tuple[float, float]) -> str:
    """An end of the axis of values, with as many digits as tell its ends apart."""
    decimals = max(0, 1 - math.floor(math.log10(abs(span[1] - span[0]))))
    return drawable(f"{value:.{decimals}f}".replace("-", "\u2212"))
