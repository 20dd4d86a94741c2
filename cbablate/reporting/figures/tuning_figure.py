"""Figures of searches: how they went on, what values did, and what was traded for what.

Arms have a colour and a mark each; of more than seven, the first seven are drawn and the title
says so. Pruned trials are drawn hollow, at the last value that was measured; a legend says so.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cbablate.analysis.outcome import Tuned
from cbablate.analysis.searches.tuning import SearchTrial, Tuning
from cbablate.analysis.summary import metric_of
from cbablate.records.state import TrialState
from cbablate.reporting.figures.figure import COLOURS, drawable, legend_columns, settings
from cbablate.reporting.figures.parallel import parallel_figure
from cbablate.reporting.figures.search_axes import (
    MOST_ARMS,
    PANEL,
    decides,
    grid_of,
    metric_words,
    position,
    score,
    tick,
)
from cbablate.spec.sweep import Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "MOST_ARMS",
    "TUNING_WORDS",
    "history_figure",
    "parallel_figure",
    "pareto_figure",
    "slice_figure",
    "tuning_figures",
    "tuning_words",
]

TUNING_WORDS = ("tuning-history", "tuning-slices", "tuning-parallel", "tuning-pareto")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_HOLLOW = " Hollow marks are pruned trials, at the last value that was measured of them."


def tuning_figures(tuned: Tuned) -> Iterator[tuple[str, Figure]]:
    """The figures of a study's searches, each with a word for its file; none of empty ones."""
    if not any(one.values for each in tuned.tunings for one in each.attempts):
        return
    history, slices, parallel, pareto = TUNING_WORDS
    yield history, history_figure(tuned)
    yield slices, slice_figure(tuned)
    if len(tuned.tunings[0].search.sweep.space) > 1:
        yield parallel, parallel_figure(tuned)
    if len(tuned.tunings[0].search.objectives) > 1:
        yield pareto, pareto_figure(tuned)


def tuning_words(tuned: Tuned, word: str) -> tuple[str, str]:
    """A title for one of these figures, by its word, and what it shows."""
    label = metric_of(tuned.plan, decides(tuned)).label
    return {
        "tuning-history": (
            "Tuning: how the searches went on",
            f"Each tuning trial's {label} by its number, an arm a colour and a mark; the line is "
            f"the best so far.{_HOLLOW}",
        ),
        "tuning-slices": (
            "Tuning: what each hyperparameter did",
            f"Each tuning trial's {label} against each hyperparameter's value, an arm a colour and "
            f"a mark.{_HOLLOW}",
        ),
        "tuning-parallel": (
            "Tuning: hyperparameters together",
            "Each complete tuning trial as a line through its hyperparameters' values to its "
            f"{label}, a panel for each arm: the darker, the better; the best is the widest.",
        ),
        "tuning-pareto": (
            "Tuning: what was traded for what",
            "Each complete tuning trial by two objectives, an arm a colour and a mark; filled are "
            "those that none beats in every objective.",
        ),
    }[word]


def history_figure(tuned: Tuned) -> Figure:
    """Each trial's value by its number, and the best so far as a line, an arm a colour."""
    figure, (axis,) = grid_of(1, 1, height=2.0 + _legend_height(tuned))
    from matplotlib import rc_context

    with rc_context(settings()):
        for place, one in _drawn(tuned):
            look = _look(place)
            _points(axis, [(a.number, v, f) for a, v, f in _shown(one)], look)
            best = _best_so_far(one)
            if best:
                axis.step(*zip(*best, strict=True), where="post", color=look["color"])
        axis.set_xlabel("Tuning trial")
        axis.set_ylabel(metric_words(tuned.plan, decides(tuned)), parse_math=False)
        _finish(figure, tuned)
    return figure


def slice_figure(tuned: Tuned) -> Figure:
    """Values against each hyperparameter, a panel for each."""
    space = tuned.tunings[0].search.sweep.space
    across = 1 if len(space) == 1 else 2
    high = PANEL * math.ceil(len(space) / across) + 0.2 + _legend_height(tuned)
    figure, axes = grid_of(len(space), across, height=high, share=True)
    from matplotlib import rc_context

    with rc_context(settings()):
        for axis, (key, parameter) in zip(axes, space.items(), strict=True):
            _scaled(axis, parameter)
            for place, one in _drawn(tuned):
                at = [
                    (position(parameter, attempt.proposal[key]), value, filled)
                    for attempt, value, filled in _shown(one)
                    if key in attempt.proposal
                ]
                _points(axis, at, _look(place))
            axis.set_xlabel(drawable(key, longest=30), parse_math=False)
        axes[0].set_ylabel(metric_words(tuned.plan, decides(tuned)), parse_math=False)
        _finish(figure, tuned)
    return figure


def pareto_figure(tuned: Tuned) -> Figure:
    """Each pair of objectives, the proposals that none beats filled and joined."""
    objectives = tuned.tunings[0].search.objectives
    pairs = list(itertools.combinations(range(len(objectives)), 2))
    beside = 1 if len(pairs) == 1 else 2
    high = PANEL * math.ceil(len(pairs) / beside) + 0.5 + _legend_height(tuned)
    figure, axes = grid_of(len(pairs), beside, height=high)
    from matplotlib import rc_context

    with rc_context(settings()):
        for axis, (across, up) in zip(axes, pairs, strict=True):
            for place, one in _drawn(tuned):
                front = {attempt.number for attempt in one.front}
                at = [
                    (attempt.values[across], attempt.values[up], attempt.number in front)
                    for attempt in one.attempts
                    if attempt.values is not None
                ]
                _points(axis, at, _look(place))
            axis.set_xlabel(metric_words(tuned.plan, objectives[across].metric), parse_math=False)
            axis.set_ylabel(metric_words(tuned.plan, objectives[up].metric), parse_math=False)
        _finish(figure, tuned, hollow=False)
    return figure


def _legend_height(tuned: Tuned) -> float:
    """Inches that the legend takes."""
    words = _legend_words(tuned)
    return 0.15 * math.ceil(len(words) / legend_columns(words)) if words else 0.0


def _legend_words(tuned: Tuned) -> list[str]:
    """The arms, where there are several, and what a hollow mark is, where there is one."""
    shown = tuned.plan.arms[:MOST_ARMS]
    arms = [drawable(arm.name, longest=30) for arm in shown] if len(shown) > 1 else []
    pruned = any(not filled for _, one in _drawn(tuned) for _, _, filled in _shown(one))
    return [*arms, *["pruned, at its last value"] * pruned]


def _finish(figure: Figure, tuned: Tuned, *, hollow: bool = True) -> None:
    """The legend of arms, below all panels, and of hollow marks, where there are any."""
    from matplotlib.lines import Line2D

    words = [one for one in _legend_words(tuned) if hollow or not one.startswith("pruned, ")]
    if not words:
        return
    arms = min(len(tuned.plan.arms), MOST_ARMS) if len(tuned.plan.arms) > 1 else 0
    handles = [Line2D([], [], linestyle="", **_look(place)) for place in range(arms)]
    grey: dict[str, Any] = {"color": "0.4", "marker": "o", "markerfacecolor": "white"}
    handles += [Line2D([], [], linestyle="", **grey)] * (len(words) - arms)
    legend = figure.legend(
        handles[: len(words)],
        [" "] * len(words),
        loc="outside lower center",
        ncols=legend_columns(words),
        frameon=False,
        handletextpad=0.3,
        columnspacing=1.0,
    )
    for text, word in zip(legend.get_texts(), words, strict=True):
        text.set_parse_math(False)
        text.set_text(word)
    if len(tuned.plan.arms) > MOST_ARMS:
        figure.suptitle(f"The first {MOST_ARMS} of {len(tuned.plan.arms)} arms", fontsize=8)


def _drawn(tuned: Tuned) -> Iterator[tuple[int, Tuning]]:
    """The searches of the arms that are drawn, each with its arm's place."""
    places = {arm.id: place for place, arm in enumerate(tuned.plan.arms[:MOST_ARMS])}
    for one in tuned.tunings:
        if one.search.arm.id in places:
            yield places[one.search.arm.id], one


def _look(place: int) -> dict[str, Any]:
    return {"color": COLOURS[place % len(COLOURS)], "marker": _MARKS[place % len(_MARKS)]}


def _points(
    axis: Axes, points: Sequence[tuple[float, float, bool]], look: Mapping[str, Any]
) -> None:
    """Marks at x and y, filled or hollow; hollow ones lie below."""
    for filled in (False, True):
        at = [(x, y) for x, y, full in points if full == filled]
        if at:
            face = look["color"] if filled else "white"
            axis.plot(*zip(*at, strict=True), **look, linestyle="", markerfacecolor=face)


def _shown(one: Tuning) -> list[tuple[SearchTrial, float, bool]]:
    """The trials that have a mark, at which value, and whether it is filled.

    A complete one stands at its value, a pruned one, hollow, at the last that was measured.
    """
    shown: list[tuple[SearchTrial, float, bool]] = []
    for attempt in one.attempts:
        if attempt.values is not None:
            shown.append((attempt, attempt.values[one.decides], True))
        elif attempt.state is TrialState.PRUNED and attempt.curve and one.decides == 0:
            shown.append((attempt, attempt.curve[-1][1], False))
    return shown


def _best_so_far(one: Tuning) -> list[tuple[int, float]]:
    best: SearchTrial | None = None
    line: list[tuple[int, float]] = []
    for attempt in one.attempts:
        if attempt.eligible and (best is None or score(one, attempt) > score(one, best)):
            best = attempt
        if best is not None and best.values is not None:
            line.append((attempt.number, best.values[one.decides]))
    return line


def _scaled(axis: Axes, parameter: Parameter) -> None:
    if parameter.log:
        axis.set_xscale("log")
    if parameter.kind == "choice":
        named = [tick(choice) for choice in parameter.choices]
        axis.set_xticks(range(len(named)), named, parse_math=False)
