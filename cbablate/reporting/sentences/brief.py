"""Brief notes: what its signs mean in a sentence, and what must be read before any number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.outcome import Tuned
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.phrases import counted
from cbablate.planning.plan import Plan
from cbablate.reporting.sentences.claim import brief_claims
from cbablate.reporting.sentences.effect_claim import effect_claims
from cbablate.reporting.sentences.note import (
    CORRECTIONS,
    any_marked,
    compared,
    design_notes,
    doubts,
    whom,
)
from cbablate.reporting.sentences.pairing import pair_word
from cbablate.reporting.sentences.rule import short_mark
from cbablate.reporting.sentences.sameness import sameness
from cbablate.reporting.sentences.sequential_note import looks_notes
from cbablate.reporting.sentences.shortfall import (
    absences,
    missing,
    mixtures,
    shortfalls,
    undirected,
)
from cbablate.reporting.sentences.timing_note import timing_notes
from cbablate.reporting.sentences.tuning_note import effort_notes, tuning_doubts
from cbablate.reporting.sentences.unused_declaration import unused_declarations

__all__ = ["brief", "short_legend", "short_tuning"]


def brief(
    plan: Plan, summary: Summary, tuned: Tuned | None = None, *, crossed: bool = False
) -> tuple[str, ...]:
    """The notes at `short`: none is left out that keeps a number from being taken for more.

    `crossed` says that no cell shows a difference, nor a timing.
    """
    return (
        *effort_notes(tuned),
        *short_legend(plan, summary, crossed=crossed),
        *short_tuning(tuned),
        *doubts(plan, summary),
        *sameness(plan, summary),
        *unused_declarations(plan, summary),
        *looks_notes(plan, summary),
        *([] if crossed else timing_notes(plan, summary, brief=True)),
        *absences(plan, summary),
        *undirected(plan, summary),
        *missing(summary),
        *shortfalls(plan, summary, summary.primary),
        *mixtures(summary),
        *_chosen(plan, summary),
        *design_notes(plan),
        *brief_claims(plan, summary, shown=not crossed),
        *effect_claims(plan, summary, brief=True),
        *tuning_doubts(summary, tuned),
    )


def short_tuning(tuned: Tuned | None) -> Iterator[str]:
    """What each arm was given to be tuned."""
    if tuned is None:
        return
    many, searches = counted(tuned.tunings[0].wanted, "trial"), tuned.plan.study.searches
    if searches > 1:
        many = f"{searches} searches of {many}"
    elif tuned.fixed is not None:
        many = f"one search of {many}, whose luck is in no interval"
    fixed = "; Fixed: at the hyperparameters as written" if tuned.fixed is not None else ""
    fixed += ", over seeds and paired by seed" * (fixed != "" and searches > 1)
    who = "Each arm tuned" if len(tuned.tunings) > 1 else "Tuned"
    yield f"{who} by {many}, then trained anew from fresh seeds{fixed}."


def _chosen(plan: Plan, summary: Summary) -> Iterator[str]:
    """That decisions were made on the metric that is compared, where the study makes any."""
    some = any(_n(one, summary.primary) for one in summary.arms)
    if summary.primary == plan.study.objective.metric and plan.study.decides and some:
        yield f"{metric_of(plan, summary.primary).label} is what decisions were made on, too."


def short_legend(plan: Plan, summary: Summary, *, crossed: bool = False) -> Iterator[str]:
    """How many seeds are behind a mean, and what differences are; in a second sentence the mark."""
    counts = {_n(one, summary.primary) for one in summary.arms}
    if not any(counts):
        return
    least, most, planned = min(counts), max(counts), plan.study.most_replicates
    many = f"{most}" if least == most else f"{least} to {most}"
    of = "" if plan.study.sequential or least == planned else f" of {planned}"
    over = f" over {plan.searches} searches" if plan.searches > 1 else ""
    words = f"Means of n = {many}{of} seeds{over}" if planned > 1 else "One seed of each arm"
    if any(e.half_width for one in summary.arms for e in one.estimates.values()):
        words += " ± 95 % intervals"
    found = compared(summary, summary.primary)
    yield f"{words}; {_short_differences(plan, found, crossed=crossed)}." if found else f"{words}."
    if found and any_marked(summary):
        yield f"{short_mark(plan, found)}."


def _n(one: ArmSummary, primary: str) -> int:
    return one.estimates[primary].n if primary else one.counts.complete


def _short_differences(plan: Plan, found: Sequence[Contrast], *, crossed: bool) -> str:
    """What differences are from, what is paired, and what their intervals and p are corrected by.

    One word says it of both, where both are corrected alike.
    """
    how, several = plan.study.analysis, found[0].family > 1
    what, both, other = "Δ", "Δ, p", whom(plan, found)
    if crossed:
        what, both = "differences", "differences and their p"
        other = other.removesuffix(" (ref.)")
    pairs = f", paired by {pair_word(plan)}" * any(one.paired for one in found)
    paired = f"from {other}{pairs}"
    if all(one.p is None for one in found):
        return f"{what}: {paired}"
    over = ", over all looks" if plan.study.sequential is not None else ""
    adjusted = f", {CORRECTIONS[how.correction]}-adjusted" if several else ""
    alone = several and not any(one.joint for one in found)
    flips = how.test == "sign_flip"
    if not alone and not flips:
        return f"{both}: {paired}{adjusted}{over}"
    kind = ", each interval by itself" if alone else f", t-intervals{adjusted[1:]}" * several
    p = "exact sign flips" * flips + (adjusted if flips else adjusted[2:])
    return f"{what}: {paired}{kind}{over}; p: {p}"
