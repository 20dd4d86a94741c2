"""What a person reads of a study's searches: bests, importances, slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cbablate.analysis.searches.slices import Slice, slices
from cbablate.analysis.searches.tuning import SearchTrial, Tuning
from cbablate.analysis.standing import Standing
from cbablate.overviews.tuning_overview import tuned_sweep
from cbablate.phrases import duration
from cbablate.planning.plan import Plan
from cbablate.records.book import Recorded
from cbablate.reporting.model.cell import significant
from cbablate.reporting.sentences.tuning_note import (
    proposal_words,
    search_words,
    used_words,
    value_words,
)
from cbablate.searching.optuna_importance import (
    FEWEST,
    PERMUTATIONS,
    Importance,
    importances,
)

__all__ = ["swept"]

_BAR = 20
_FRONT = 12


def swept(plan: Plan, facts: Recorded) -> str:
    """Each arm's search: what it took, the best so far, what matters, and how values did.

    Raises:
        CbablateError: the study does not tune.
    """
    sweep = tuned_sweep(plan)
    lines = [f"{plan.study.name}, tuned by {sweep.name}: {search_words(sweep)}", ""]
    for one in Standing(plan, facts).tunings:
        lines += [*_search(one), ""]
    return "\n".join(lines[:-1])


def _search(one: Tuning) -> Iterator[str]:
    stands = "over" if one.over else "going on"
    yield (
        f"{one.search.name}: {used_words(one)} of {one.wanted}, {stands}; "
        f"{duration(one.seconds)} of training"
    )
    if one.best is None:
        yield "  Nothing usable yet." if not one.over else "  Nothing usable was found."
        return
    if len(one.search.objectives) > 1:
        yield from _front(one)
    else:
        yield f"  Best: {_attempt(one, one.best)}"
    yield from _importance(one)
    for key in one.search.sweep.space:
        yield from _slices(one, key)


def _attempt(one: Tuning, attempt: SearchTrial) -> str:
    values = ", ".join(
        f"{objective.metric} {significant(value, 6)}"
        for objective, value in zip(one.search.objectives, attempt.values or (), strict=True)
    )
    return f"{values} at {proposal_words(attempt.proposal)} (trial {attempt.number})"


def _front(one: Tuning) -> Iterator[str]:
    """The proposals that none beats in every objective, the study's own objective first."""
    objective = one.search.objectives[one.decides]
    ordered = sorted(
        one.front,
        key=lambda a: -objective.score(a.values[one.decides]) if a.values else 0.0,
    )
    yield f"  No single best, but {len(ordered)} that none beats in every objective:"
    for attempt in ordered[:_FRONT]:
        mark = ", to be confirmed" if attempt is one.best else ""
        yield f"    {_attempt(one, attempt)}{mark}"
    if len(ordered) > _FRONT:
        yield f"    and {len(ordered) - _FRONT} more"


def _importance(one: Tuning) -> Iterator[str]:
    rated = importances(one)
    conditional = [key for key, parameter in one.search.sweep.space.items() if parameter.when]
    metric = one.search.objectives[one.decides].metric
    if not rated:
        yield (
            f"  Importance: not told by fewer than {FEWEST} complete trials of unlike value, nor "
            "of one hyperparameter alone."
        )
        return
    yield f"  Importance for {metric} (fANOVA, over {_eligible(one)} complete trials):"
    yield from _bars(rated)
    if conditional:
        yield f"    {', '.join(conditional)}: conditional, not rated"
    yield f"    By chance: mean and largest of {PERMUTATIONS} permutations of {metric}."
    if not any(rated_one.sure for rated_one in rated.values()):
        yield "    Nothing is more important than chance makes it: read nothing into the order."


def _eligible(one: Tuning) -> int:
    return sum(attempt.values is not None for attempt in one.attempts)


def _bars(rated: Mapping[str, Importance]) -> Iterator[str]:
    width = max(map(len, rated))
    for key, one in sorted(rated.items(), key=lambda item: -item[1].share):
        chance = f"by chance {one.chance:.0%}, at most {one.most_by_chance:.0%}"
        bar = "#" * round(one.share * _BAR)
        yield f"    {key:<{width}}  {one.share:4.0%}  {bar:<{_BAR}}  {chance}"


def _slices(one: Tuning, key: str) -> Iterator[str]:
    """A line for each part of a parameter's values: trials, best and median."""
    parts = slices(one, key)
    named = [_span(part) for part in parts]
    width = max(map(len, named), default=0)
    metric = one.search.objectives[one.decides].metric
    yield f"  {key}: best and median {metric} by value"
    for name, part in zip(named, parts, strict=True):
        told = (
            f"{significant(part.best, 6)}  {significant(part.median, 6)}"
            if part.best is not None and part.median is not None
            else "-"
        )
        yield f"    {name:<{width}}  {part.complete}/{part.proposed} complete  {told}"


def _span(part: Slice) -> str:
    low = value_words(part.low, digits=3)
    return low if part.low == part.high else f"{low} to {value_words(part.high, digits=3)}"
