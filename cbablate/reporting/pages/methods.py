"""`methods`: what a paper's method section says of studies, as a paragraph, from their records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.outcome import Outcome
from cbablate.analysis.summary import metric_of
from cbablate.errors import CbablateError
from cbablate.phrases import counted, listed
from cbablate.planning.plan import Plan
from cbablate.reporting.forms.markdown import sentence
from cbablate.reporting.forms.tex_text import prose
from cbablate.reporting.model.scale import difference_scale
from cbablate.reporting.sentences.caption import commits, machines, splits
from cbablate.reporting.sentences.claim import difference_unit, margin_words
from cbablate.reporting.sentences.note import asked, compared, doubts, kept, tested
from cbablate.reporting.sentences.pairing import WELCH, pair_word, several
from cbablate.reporting.sentences.rule import claim_rule, decider, fewest_words
from cbablate.reporting.sentences.sequential_note import progress, stopped_early
from cbablate.reporting.sentences.shortfall import incomplete, mixtures, software
from cbablate.reporting.sentences.timing_note import timing_notes
from cbablate.reporting.sentences.tuning_note import effort_notes, given, luck
from cbablate.reporting.tables.view import view
from cbablate.statistics.power import ALPHA

__all__ = ["FORMS", "methods"]

FORMS: Mapping[str, Callable[[str], str]] = {"text": str, "markdown": sentence, "latex": prose}
"""How the paragraph may be written."""
_ARMS = {
    "one_at_a_time": "each arm but the first changes one factor of the baseline",
    "leave_one_out": "each arm but the first leaves one component out of the full model",
    "cumulative": "each arm adds one component to the arm before it",
    "factorial": "all combinations of the levels of {factors}",
    "fractional": "an orthogonal fraction of all combinations of {factors}",
    "plackett_burman": "a Plackett-Burman design of {factors}",
}
_LOUD = re.compile(r"^[A-Z]{2,}(?: [A-Z]{2,})*")
"""How a note begins that must be read before any number."""
_NAMES = {"python": "Python", "torch": "PyTorch", "numpy": "NumPy"}


def methods(found: Sequence[Outcome], form: str = "text") -> str:
    """One paragraph on these studies; each sentence once, those of all studies first.

    The same records give the same text.

    Raises:
        CbablateError: a study has no complete trial.
    """
    by_studies: dict[tuple[str, ...], list[str]] = {}
    for words, names in _told(found).items():
        by_studies.setdefault(tuple(names), []).append(words)
    fewest_last = sorted(by_studies.items(), key=lambda one: -len(one[0]))
    said = [_of(names, len(found)) + " ".join(words) for names, words in fewest_last]
    return FORMS[form](" ".join(said)) + "\n"


def _told(found: Sequence[Outcome]) -> dict[str, list[str]]:
    """Every sentence, in order, with the names of the studies that it is true of."""
    told: dict[str, list[str]] = {}
    for topic in (_begun, *_TOPICS):
        for one in found:
            for words in dict.fromkeys(topic(one)):
                told.setdefault(words, []).append(one.plan.study.name)
    return told


def _of(names: Sequence[str], of: int) -> str:
    """How what is said of these studies, of so many, begins."""
    if of == 1:
        return ""
    if len(names) == of:
        return "In both studies: " if of == 2 else f"In all {of} studies: "
    return f"{'Study' if len(names) == 1 else 'Studies'} {listed(names)}: "


def _begun(found: Outcome) -> tuple[str, ...]:
    """Nothing; a study of which nothing can be said is refused."""
    if not any(one.counts.complete for one in found.summary.arms):
        raise CbablateError(
            f"study '{found.plan.study.name}' has no complete trial, so there is nothing yet to "
            "say of how it was done; `cbablate run` trains what is missing"
        )
    return ()


def _design(found: Outcome) -> Iterator[str]:
    """What the arms are, and what each is compared with."""
    study, arms = found.plan.study, found.plan.arms
    if len(arms) == 1:
        yield "One configuration was trained."
        return
    words = _ARMS.get(study.design, study.design)
    if not study.factors:
        words = "the configuration as written, and as tuned"
    else:
        words = words.format(factors=listed([factor.name for factor in study.factors]))
    references = {arm.against for arm in arms} - {None}
    names = [arm.name for arm in arms if arm.id in references]
    whom = f"Each other arm is compared with “{names[0]}”"
    if len(names) > 1:
        whom = (
            f"{len(names)} of them are references; each of the others is compared with the one "
            f"that differs from it in {study.contrast} only"
        )
    yield f"The study compares {counted(len(arms), 'arm')}: {words}. {whom}."


def _seeds(found: Outcome) -> Iterator[str]:
    """How often each arm is trained, from which seeds, and what is kept of a trial."""
    study, plan = found.plan.study, found.plan
    drawn = f" (drawn from seed {study.seed})"
    over = not any(one.counts.waiting or one.counts.running for one in found.summary.arms)
    was, are, is_ = ("was", "were", "was") if over else ("is to be", "are", "is")
    if study.sequential is not None:
        yield (
            f"Each arm {was} trained from {study.sequential.min} seeds or more{drawn}, for "
            f"{study.budget} each; seeds {are} added one at a time, up to {study.sequential.max}, "
            f"until its difference {is_} decided."
        )
    elif study.most_replicates == 1:
        yield f"Each arm {was} trained from one seed{drawn}, for {study.budget}."
    else:
        many = f"{study.most_replicates} seeds{drawn}"
        yield f"Each arm {was} trained from {many}, for {study.budget} each."
    if len(plan.arms) > 1 and study.most_replicates > 1:
        known = compared(found.summary, found.summary.primary)
        paired = not known or any(one.paired for one in known)
        how = f"; differences are paired by {pair_word(plan)}" if paired else ""
        yield f"All arms have the same seeds{how}."
    if plan.description.own is None:
        yield "The value of a trial is that at the end of its training; no checkpoint was selected."
    else:
        yield "The value of a trial is the last that its workload reported."


def _held_out(found: Outcome) -> Iterator[str]:
    """What was decided on which numbers."""
    plan, summary = found.plan, found.summary
    yield from (f"Reported: {words}" for words in splits(plan, summary))
    if summary.primary == plan.study.objective.metric:
        label = metric_of(plan, summary.primary).label
        if plan.study.decides:
            yield f"{label} is reported, though it was decided on."
        else:
            yield f"{label} is the study's objective, too; nothing in the study was chosen by it."


def _tuning(found: Outcome) -> Iterator[str]:
    """What each arm was given to be tuned, and what of it came to less than was given."""
    if found.tuned is not None:
        yield given(found.tuned)
        yield luck(found.tuned)
        yield from (
            _LOUD.sub(lambda loud: loud[0].capitalize(), e) for e in effort_notes(found.tuned)
        )


def _tests(found: Outcome) -> Iterator[str]:
    """Intervals, tests, corrections, and when a difference is claimed."""
    plan, summary = found.plan, found.summary
    if any(e.half_width for one in summary.arms for e in one.estimates.values()):
        yield f"Means have 95 % t-intervals over {several(plan)}."
    contrasts = compared(summary, summary.primary)
    if not any(one.p is not None for one in contrasts):
        return
    what = "95 % intervals" if plan.study.analysis.interval == "bca" else "95 % t-intervals"
    paired = any(one.paired for one in contrasts if one.p is not None)
    intervals = _of_differences(kept(plan, contrasts))
    are = "means over pairs" if paired else "of means, of arms that share no seed"
    yield (
        f"Differences are {are}, with {what}; p values: {tested(plan, contrasts)}"
        f"{f'; {intervals}' if intervals else ''}."
    )
    yield from map(_of_differences, doubts(plan, summary))
    yield _claimed(plan, contrasts)
    yield from _equivalence(found)


def _claimed(plan: Plan, found: Sequence[Contrast]) -> str:
    """When a difference is called the arm's."""
    if plan.searches == 1:
        return "As the luck of a search is in no interval, no difference is called an arm's."
    least = "or the least that so many pairs can have"
    agrees = f" (its p value, adjusted alike, is below {ALPHA}, {least})"
    agrees = agrees if decider(plan, found) in ("both", "mixed") else ""
    return (
        f"A difference is claimed where {claim_rule(plan, found)}{agrees}; {fewest_words(plan)} "
        "nothing is claimed."
    )


def _of_differences(words: str) -> str:
    words = words.removeprefix(f"{WELCH}: ")
    words = f"{words[:1].upper()}{words[1:]}" if words.endswith(".") else words
    return words.replace("of Δ, in parentheses", "of Δ").replace("of Δ", "of differences")


def _equivalence(found: Outcome) -> Iterator[str]:
    plan, summary = found.plan, found.summary
    if plan.study.margin is not None:
        scale = difference_scale(plan, summary, summary.primary)
        margin = margin_words(plan, scale, difference_unit(plan, scale, summary.primary))
        yield (
            "An arm is called equivalent to its reference where two one-sided t tests, corrected "
            f"alike, reject a difference in {metric_of(plan, summary.primary).label} of "
            f"{margin} or more."
        )


def _effects(found: Outcome) -> Iterator[str]:
    """How effects of factors are tested, where all arms together tell them."""
    if len(found.plan.study.factors) > 1:
        with suppress(CbablateError):  # the design, or so few trials, tell of none
            (how,) = view("effects", found.plan, found.summary).method
            yield f"Effects of factors: {how[:1].lower()}{how[1:]}."


def _looks(found: Outcome) -> Iterator[str]:
    if found.summary.course is not None:
        yield (
            "Looks spend alpha by a function of O'Brien and Fleming's type (Lan and DeMets 1983): "
            f"{progress(found.summary.course)}."
        )
    if early := stopped_early(found.summary):
        yield _of_differences(early)


def _failures(found: Outcome) -> Iterator[str]:
    """What is in no mean, and why."""
    summary = found.summary
    planned = asked(found.plan, summary)
    untrained = planned - sum(one.counts.planned for one in summary.arms)
    complete = sum(one.counts.complete for one in summary.arms)
    if complete == planned:
        yield f"Trials completed: all {planned:,}."
    else:
        others = [incomplete(summary)] if incomplete(summary) else []
        others += [f"{untrained} not trained, as no search chose for them"] if untrained else []
        yield (
            f"Trials completed: {complete:,} of {planned:,}; the others enter no mean and "
            f"no pair: {'; '.join(others)}."
        )
    if summary.course is not None and summary.course.beyond:
        yield f"Not used: {counted(summary.course.beyond, 'trial')} that no look has asked for."


def _hardware(found: Outcome) -> Iterator[str]:
    used = machines(found.summary)
    if used:
        yield f"Trials ran on {listed(used)}."
    yield from timing_notes(found.plan, found.summary)
    yield from mixtures(found.summary)


def _software(found: Outcome) -> Iterator[str]:
    """With which libraries, and which code."""
    made = software(found.plan, found.summary.origin)
    named = [f"{_NAMES.get(name, name)} {' and '.join(values)}" for name, values in made]
    if named:
        yield f"Software: {', '.join(named)}."
    version = f"workload {found.plan.description.name}, version {found.plan.description.version}"
    known = commits(found.summary)
    word = f"commit{'s' * (len(known) > 1)} {listed(known)}; " if known else ""
    yield f"Code: {word}{version}."


_TOPICS: tuple[Callable[[Outcome], Iterator[str]], ...] = (
    *(_design, _seeds, _held_out, _tuning, _tests, _effects, _looks),
    *(_failures, _hardware, _software),
)
"""In the order in which a paragraph says them."""
