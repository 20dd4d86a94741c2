"""Figures of searches: how they went on, what values did, and what was traded for what.

Arms have a colour and a mark each; of more than seven, the first seven are drawn and the title
says so. Pruned trials are drawn hollow, at the last value that was measured of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cbablate.analysis.outcome import Tuned
from cbablate.analysis.searches.tuning import SearchTrial, Tuning
from cbablate.analysis.summary import metric_of
from cbablate.fingerprint import canonical
from cbablate.planning.plan import Plan
from cbablate.records.state import TrialState
from cbablate.reporting.figures.figure import COLOURS, WIDTH, drawable, settings
from cbablate.reporting.sentences.tuning_note import value_words
from cbablate.spec.space import ends
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

MOST_ARMS = len(COLOURS)
TUNING_WORDS = ("tuning-history", "tuning-slices", "tuning-parallel", "tuning-pareto")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_PANEL = 1.35
"""Inches that a panel is high."""
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
    label = metric_of(tuned.plan, _decides(tuned)).label
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
            "Each complete tuning trial as a line through its hyperparameters' values, a panel for "
            f"each arm: the darker, the better its {label}; the best is the widest.",
        ),
        "tuning-pareto": (
            "Tuning: what was traded for what",
            "Each complete tuning trial by two objectives, an arm a colour and a mark; filled are "
            "those that none beats in every objective.",
        ),
    }[word]


def history_figure(tuned: Tuned) -> Figure:
    """Each trial's value by its number, and the best so far as a line, an arm a colour."""
    figure, (axis,) = _figure(1, 1, height=2.0 + _legend_height(tuned))
    from matplotlib import rc_context

    with rc_context(settings()):
        for place, one in _drawn(tuned):
            look = _look(place)
            _points(axis, [(a.number, v, f) for a, v, f in _shown(one)], look)
            best = _best_so_far(one)
            if best:
                axis.step(*zip(*best, strict=True), where="post", color=look["color"])
        axis.set_xlabel("Tuning trial")
        axis.set_ylabel(_metric_words(tuned.plan, _decides(tuned)), parse_math=False)
        _finish(figure, tuned)
    return figure


def slice_figure(tuned: Tuned) -> Figure:
    """Values against each hyperparameter, a panel for each."""
    space = tuned.tunings[0].search.sweep.space
    across = 1 if len(space) == 1 else 2
    high = _PANEL * math.ceil(len(space) / across) + 0.2 + _legend_height(tuned)
    figure, axes = _figure(len(space), across, height=high, share=True)
    from matplotlib import rc_context

    with rc_context(settings()):
        for axis, (key, parameter) in zip(axes, space.items(), strict=True):
            _scaled(axis, parameter)
            for place, one in _drawn(tuned):
                at = [
                    (_position(parameter, attempt.proposal[key]), value, filled)
                    for attempt, value, filled in _shown(one)
                    if key in attempt.proposal
                ]
                _points(axis, at, _look(place))
            axis.set_xlabel(drawable(key, longest=30), parse_math=False)
        axes[0].set_ylabel(_metric_words(tuned.plan, _decides(tuned)), parse_math=False)
        _finish(figure, tuned)
    return figure


def parallel_figure(tuned: Tuned) -> Figure:
    """Each trial as a line through its hyperparameters, darker the better; a panel for each arm."""
    from matplotlib import colormaps, rc_context

    shown = tuned.plan.arms[:MOST_ARMS]
    figure, axes = _figure(len(shown), 1, height=_PANEL * len(shown))
    space = tuned.tunings[0].search.sweep.space
    colours = colormaps["viridis_r"]
    with rc_context(settings()):
        for axis, arm in zip(axes, shown, strict=True):
            found = [one for one in tuned.tunings if one.search.arm.id == arm.id]
            score, best = partial(_score, found[0]), [one.best for one in found]
            every = [a for one in found for a in one.attempts if a.values is not None]
            ranked = sorted(every, key=score)
            for rank, attempt in enumerate(ranked):
                places = [
                    _fraction(parameter, attempt.proposal[key])
                    if key in attempt.proposal
                    else math.nan
                    for key, parameter in space.items()
                ]
                share = (rank + 1) / len(ranked)
                wide = 1.6 if any(attempt is one for one in best) else 0.7
                axis.plot(range(len(space)), places, color=colours(share), linewidth=wide)
            axis.set_title(drawable(arm.name), parse_math=False)
            axis.set_xlim(-0.2, len(space) - 0.8)
            axis.set_ylim(-0.05, 1.05)
            axis.set_yticks([])
            axis.set_xticks(range(len(space)), [""] * len(space))
            for place, parameter in enumerate(space.values()):
                axis.axvline(place, color="0.8", linewidth=0.6, zorder=0)
                for height, end in zip((0.0, 1.0), _extremes(parameter), strict=True):
                    axis.annotate(end, (place, height), fontsize=5.5, color="0.4")
        axes[-1].set_xticklabels([drawable(key, longest=24) for key in space], parse_math=False)
    return figure


def pareto_figure(tuned: Tuned) -> Figure:
    """Each pair of objectives, the proposals that none beats filled and joined."""
    objectives = tuned.tunings[0].search.objectives
    pairs = list(itertools.combinations(range(len(objectives)), 2))
    beside = 1 if len(pairs) == 1 else 2
    high = _PANEL * math.ceil(len(pairs) / beside) + 0.5 + _legend_height(tuned)
    figure, axes = _figure(len(pairs), beside, height=high)
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
            axis.set_xlabel(_metric_words(tuned.plan, objectives[across].metric), parse_math=False)
            axis.set_ylabel(_metric_words(tuned.plan, objectives[up].metric), parse_math=False)
        _finish(figure, tuned)
    return figure


def _legend_height(tuned: Tuned) -> float:
    """Inches that the legend takes."""
    arms = min(len(tuned.plan.arms), MOST_ARMS)
    return 0.14 * math.ceil(arms / 2) if arms > 1 else 0.0


def _figure(
    panels: int, across: int, *, height: float, share: bool = False
) -> tuple[Figure, list[Axes]]:
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


def _finish(figure: Figure, tuned: Tuned) -> None:
    """The legend of arms, below all panels, where there is more than one."""
    from matplotlib.lines import Line2D

    shown = tuned.plan.arms[:MOST_ARMS]
    if len(shown) < 2:
        return
    handles = [Line2D([], [], linestyle="", **_look(place)) for place in range(len(shown))]
    legend = figure.legend(
        handles, [" "] * len(shown), loc="outside lower center", ncols=2, frameon=False
    )
    for text, one in zip(legend.get_texts(), shown, strict=True):
        text.set_parse_math(False)
        text.set_text(drawable(one.name, longest=30))
    if len(tuned.plan.arms) > MOST_ARMS:
        figure.suptitle(f"The first {MOST_ARMS} of {len(tuned.plan.arms)} arms", fontsize=7)


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


def _decides(tuned: Tuned) -> str:
    first = tuned.tunings[0]
    return first.search.objectives[first.decides].metric


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


def _score(one: Tuning, attempt: SearchTrial) -> float:
    value = attempt.values[one.decides] if attempt.values else math.nan
    return one.search.objectives[one.decides].score(value)


def _best_so_far(one: Tuning) -> list[tuple[int, float]]:
    best: SearchTrial | None = None
    line: list[tuple[int, float]] = []
    for attempt in one.attempts:
        if attempt.eligible and (best is None or _score(one, attempt) > _score(one, best)):
            best = attempt
        if best is not None and best.values is not None:
            line.append((attempt.number, best.values[one.decides]))
    return line


def _scaled(axis: Axes, parameter: Parameter) -> None:
    if parameter.log:
        axis.set_xscale("log")
    if parameter.kind == "choice":
        named = [_tick(choice) for choice in parameter.choices]
        axis.set_xticks(range(len(named)), named, parse_math=False)


def _position(parameter: Parameter, value: Any) -> float:
    """Where a value stands on its panel: a choice at its place among the choices."""
    if parameter.kind == "choice":
        return float([canonical(one) for one in parameter.choices].index(canonical(value)))
    return float(value)


def _fraction(parameter: Parameter, value: Any) -> float:
    """Where a value lies between the parameter's ends, 0 to 1, on its own scale."""
    if parameter.kind == "choice":
        return _position(parameter, value) / max(1, len(parameter.choices) - 1)
    low, high = ends(parameter)
    if parameter.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return float((value - low) / (high - low))


def _extremes(parameter: Parameter) -> Sequence[str]:
    low, *_, high = ends(parameter)
    return [_tick(low), _tick(high)]


def _tick(value: Any) -> str:
    return drawable(value_words(value, digits=3), longest=10)


def _metric_words(plan: Plan, name: str) -> str:
    metric = metric_of(plan, name)
    return drawable(f"{metric.label}{f' ({metric.unit})' if metric.unit else ''}")
