"""Tuning notes: what each arm of a study was given and used to be tuned, and what it chose."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cbablate.analysis.outcome import Tuned
from cbablate.analysis.provenance.origin import Origin
from cbablate.analysis.searches.tuning import Tuning
from cbablate.analysis.summary import Summary
from cbablate.phrases import LISTED, counted, first_few
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.reporting.sentences.note import fixed_marks
from cbablate.reporting.sentences.shortfall import incomplete, mixed
from cbablate.spec.space import ends
from cbablate.spec.sweep import Parameter, Proposal, Sweep
from cbablate.spec.yaml.scalar import guess

__all__ = [
    "chosen",
    "effort_notes",
    "given",
    "luck",
    "proposal_words",
    "search_words",
    "tuning_comment",
    "tuning_doubts",
    "tuning_notes",
    "used_words",
    "value_words",
    "view_luck",
]

_EDGE = 0.02
"""A value within this part of a range's length from an end lies at the range's edge."""


def tuning_comment(tuned: Tuned | None) -> tuple[str, ...]:
    """The lines above a table of tuned arms."""
    if tuned is None:
        return ()
    ended = sum(map(_ended, tuned.tunings))
    asked = sum(one.wanted for one in tuned.tunings)
    sweep = tuned.tunings[0].search.sweep
    return (f"Tuned by sweep {sweep.name}, {search_words(sweep)}: {ended} of {asked} trials ended",)


def search_words(sweep: Sweep) -> str:
    """Sampler and pruner with the options that the file says."""
    words = [f"sampler {_with_options(sweep.sampler.name, sweep.sampler.options)}"]
    if sweep.pruner is None:
        words.append("no pruner")
    else:
        words.append(f"pruner {_with_options(sweep.pruner.name, sweep.pruner.options)}")
    return ", ".join(words)


def _with_options(name: str, options: Mapping[str, Any]) -> str:
    said = ", ".join(f"{key} {value_words(value)}" for key, value in options.items())
    return f"{name} ({said})" if said else name


def effort_notes(tuned: Tuned | None) -> Iterator[str]:
    """What must be read before any number: searches that are not over, or not alike."""
    if tuned is None:
        return
    unfinished = [
        f"{one.search.name} ({_ended(one)} of {one.wanted} trials)"
        for one in tuned.tunings
        if not one.over
    ]
    if unfinished:
        yield f"TUNING IS NOT OVER, so these have no tuned values yet: {first_few(unfinished)}."
    empty = [one.search.name for one in tuned.tunings if one.over and one.best is None]
    if empty:
        yield f"TUNING FOUND NOTHING USABLE, so these have no tuned values: {first_few(empty)}."
    usable = {one.complete + one.pruned for one in tuned.tunings if one.over}
    if len(usable) > 1:
        each = [f"{one.search.name} {_usable(one)}" for one in tuned.tunings if one.over]
        yield (
            "TUNING EFFORT DIFFERS between arms, so a difference between them may be one of "
            f"effort; trials that gave the search a value: {first_few(each)}."
        )


def tuning_notes(summary: Summary, tuned: Tuned | None) -> Iterator[str]:
    """How the arms were tuned, what that took, what it chose, and whether effects survived it."""
    if tuned is None:
        return
    yield given(tuned)
    yield luck(tuned)
    yield f"Used: {_used(tuned.tunings)}."
    chosen = [
        f"{one.search.name} {proposal_words(tuned.proposals[one.search.id])}"
        for one in tuned.tunings
        if one.search.id in tuned.proposals
    ]
    if chosen:
        yield f"Chosen: {first_few(chosen)}."
    yield from tuning_doubts(summary, tuned)
    yield from _survival(summary, tuned)


def tuning_doubts(summary: Summary, tuned: Tuned | None) -> Iterator[str]:
    """What tuned and fixed numbers lack, and where better may lie beyond what was searched."""
    if tuned is None:
        return
    edges = [
        f"{one.search.name} ({', '.join(found)})"
        for one in tuned.tunings
        if (found := _at_edge(one.search.sweep, tuned.proposals.get(one.search.id, {})))
    ]
    if edges:
        yield (
            "Chosen at the edge of what was searched, so better may lie beyond: "
            f"{first_few(edges)}."
        )
    if tuned.fixed is not None:
        short = incomplete(tuned.fixed)
        if short:
            yield f"Not complete at the fixed hyperparameters, and in no mean: {short}."
        yield from fixed_marks(tuned.plan, tuned.fixed)
        yield from _mixtures(summary, tuned.fixed)


def _used(tunings: Sequence[Tuning]) -> str:
    """What each arm's search took; once, where it is the same of all."""
    words = [used_words(one) for one in tunings]
    if len(words) > 1 and len(set(words)) == 1:
        return f"{words[0]} for each {'arm' if tunings[0].search.many == 1 else 'search'}"
    return first_few(f"{one.search.name} {said}" for one, said in zip(tunings, words, strict=True))


def _mixtures(summary: Summary, fixed: Summary) -> Iterator[str]:
    """Where tuned and fixed replicates were computed differently, each alike among themselves."""
    parts = (summary.origin.traits, fixed.origin.traits)
    both = Origin(
        {trait: tuple(sorted({v for p in parts for v in p.get(trait, ())})) for trait in parts[0]}
    )
    for trait, values in mixed(both).items():
        if trait not in mixed(summary.origin):
            told = ", ".join(values)
            yield f"Trials at fixed and at tuned hyperparameters differ in {trait}: {told}."


def given(tuned: Tuned) -> str:
    """The sentence that says what each arm was given to be tuned, and what is shown of it."""
    first = tuned.tunings[0]
    study, sweep = tuned.plan.study, first.search.sweep
    budget = study.budget
    each = "Each arm is" if len(tuned.plan.arms) > 1 else "It is"
    whose, shared, over = "its", "", ""
    many = f"{counted(first.wanted, 'trial')}"
    if study.searches > 1:
        many = f"{study.searches} searches of {many} each,"
        whose, shared = "each search's", f", {study.most_replicates // study.searches} a search"
        over = ", with intervals over seeds and differences paired by seed"
    length = f"of {'at most ' if sweep.pruner else ''}{budget}"
    goals = " and ".join(one.metric for one in first.search.objectives)
    front = f"; of the front, the best by {study.objective.metric}" if sweep.objectives[1:] else ""
    return (
        f"{each} tuned by {many} {length} ({search_words(sweep)}), and {whose} best chosen on "
        f"{goals} alone{front}, from seeds that no replicate has. What is shown is trained anew "
        f"from {study.most_replicates} fresh seed{'s' * (study.most_replicates > 1)}{shared}, "
        "to full budget."
        + (
            f" Fixed: the same arms and seeds at the hyperparameters as written{over}."
            if tuned.fixed is not None
            else ""
        )
    )


def luck(tuned: Tuned) -> str:
    """The sentence that says whether intervals hold for the hyperparameters chosen, or for arms."""
    many = tuned.plan.study.searches
    if many > 1:
        return (
            f"Intervals and tests are over the {many} searches of each arm, each the mean over its "
            "replicates: the luck of a search is in them."
        )
    if tuned.fixed is None:
        return "Compared are these hyperparameters: another search might have chosen others."
    return (
        "One search of each arm: intervals hold for the hyperparameters that it chose, without the "
        "luck of the search."
    )


def view_luck(plan: Plan) -> Iterator[str]:
    """The same of a view's numbers, which have no mark of what may be called the arms'."""
    if plan.searches == 1:
        yield (
            "One search of each arm: intervals and p values hold for the hyperparameters that it "
            "chose, not for the arms, as the luck of the search is not in them."
        )
    elif plan.searches:
        yield (
            f"Where replicates are compared, the unit is the search, {plan.searches} of each arm: "
            "the mean over its replicates."
        )


def chosen(tuned: Tuned, row: Arm, searches: int) -> list[str]:
    """What each of so many searches of a row's arm chose; nothing where it is one, or none.

    A study of a single arm has a row for it as written, which was not searched.
    """
    (first, *others), proposals = tuned.plan.arms, tuned.proposals
    if searches < 2 or (not others and row.id == first.id):
        return []
    return [
        f"#{one.search.index}: {proposal_words(proposals[one.search.id])}"
        for one in tuned.tunings
        if one.search.id in proposals and (not others or one.search.arm.id == row.id)
    ]


def used_words(one: Tuning) -> str:
    """`24 trials (12 complete, 12 pruned; 180 epochs)`."""
    parts = [
        f"{count} {word}"
        for count, word in (
            (one.complete, "complete"),
            (one.pruned, "pruned"),
            (one.failed, "failed"),
            (one.open, "open"),
        )
        if count
    ]
    unit = one.search.budget.unit
    count = len(one.attempts)
    inside = "; ".join([part for part in (", ".join(parts), f"{one.spent:,} {unit}") if part])
    return f"{counted(count, 'trial')} ({inside})"


def proposal_words(proposal: Proposal) -> str:
    """`optimizer.lr 0.0051, schedule.warmup_epochs 2`."""
    return ", ".join(f"{key} {value_words(value)}" for key, value in proposal.items())


def _survival(summary: Summary, tuned: Tuned) -> Iterator[str]:
    """Each arm's finding at the fixed and at its tuned hyperparameters."""
    name = summary.primary
    if tuned.fixed is None or not name or not tuned.over:
        return
    pairs = [
        (one, as_written.findings[name].claim, one.findings[name].claim)
        for one, as_written in zip(summary.arms, tuned.fixed.arms, strict=True)
        if name in one.findings and name in as_written.findings and one.contrasts[name].n
    ]
    if not pairs or all(after == "too few" for _, _, after in pairs):
        return
    if any(after == "one search" for _, _, after in pairs):
        yield (
            "Does it survive tuning? One search of each arm does not tell; at the fixed "
            "hyperparameters the findings are "
            f"{first_few(f'{one.arm.name}: {before}' for one, before, _ in pairs)}."
        )
        return
    if len(pairs) <= LISTED:
        said = [f"{one.arm.name}: {before}, then {after}" for one, before, after in pairs]
    else:
        changed = [(one, a, b) for one, a, b in pairs if a != b]
        said = [f"{one.arm.name}: {before}, then {after}" for one, before, after in changed]
        said = said or ["no finding changes"]
    yield f"Does it survive tuning (finding at the fixed, then at the tuned)? {first_few(said)}."


def _at_edge(sweep: Sweep, proposal: Proposal) -> list[str]:
    """Searched numbers that lie at an end of their range."""
    return [key for key, value in proposal.items() if _edges(sweep.space[key], value)]


def _edges(parameter: Parameter, value: Any) -> bool:
    if parameter.kind == "choice" or not isinstance(value, int | float):
        return False
    low, high = ends(parameter)
    if parameter.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return not low + _EDGE * (high - low) < value < high - _EDGE * (high - low)


def _ended(one: Tuning) -> int:
    return one.complete + one.pruned + one.failed


def _usable(one: Tuning) -> int:
    return one.complete + one.pruned


def value_words(value: Any, *, digits: int = 4) -> str:
    """A hyperparameter's value as a sweep file would say it, a float rounded to a few digits.

    A word that without quotes would be a number, a truth value or null is in quotes.
    """
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, str) and isinstance(guess(value), str):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(value_words(one, digits=digits) for one in value)}]"
    if isinstance(value, Mapping):
        said = (f"{key}: {value_words(one, digits=digits)}" for key, one in value.items())
        return f"{{{', '.join(said)}}}"
    return json.dumps(value, ensure_ascii=False)
