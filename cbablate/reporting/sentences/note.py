"""Notes: the sentences under a table, each saying how to read it or what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.phrases import counted
from cbablate.planning.design import SCREENING
from cbablate.planning.plan import Plan
from cbablate.planning.screening import aliases
from cbablate.reporting.sentences.claim import claims
from cbablate.reporting.sentences.effect_claim import effect_claims
from cbablate.reporting.sentences.pairing import apart, gain, pair_word, units_paired
from cbablate.reporting.sentences.rule import DAGGER, claim_rule, fewest_words, mark_words
from cbablate.reporting.sentences.sameness import sameness
from cbablate.reporting.sentences.sequential_note import looks_method, looks_notes
from cbablate.reporting.sentences.shortfall import (
    absences,
    missing,
    mixtures,
    shortfalls,
    software,
    undirected,
)
from cbablate.reporting.sentences.timing_note import timing_notes
from cbablate.reporting.sentences.unused_declaration import unused_declarations
from cbablate.spec.analysis import USUAL, Analysis
from cbablate.statistics.bootstrap import RESAMPLES
from cbablate.statistics.coverage import FEWEST_FOR_BCA, bca_coverage

__all__ = [
    "CORRECTIONS",
    "any_marked",
    "asked",
    "comment",
    "compared",
    "design_notes",
    "doubts",
    "fixed_marks",
    "kept",
    "legend",
    "mark_note",
    "marked",
    "method",
    "notes",
    "tested",
    "whom",
]

_TESTS = {"t": "paired t test", "sign_flip": "exact sign-flip test"}
CORRECTIONS = {"sidak": "Šidák", "holm": "Holm", "dunnett": "Dunnett"}


def comment(plan: Plan, summary: Summary) -> tuple[str, ...]:
    """The lines above a table: what it answers, and what it was computed from."""
    study = plan.study
    arms = len(plan.arms)
    planned = asked(plan, summary)
    complete = sum(one.counts.complete for one in summary.arms)
    lines = [
        f"Study {study.name}: {study.question}",
        f"{counted(arms, 'arm')} x {study.repetitions} of {study.budget} from seed {study.seed}: "
        f"{complete} of {counted(planned, 'trial')} complete"
        + (" that looks have asked for" if study.sequential else ""),
        f"Workload {plan.description.name}, version {plan.description.version}",
    ]
    origin = summary.origin
    made = [f"{name} {' / '.join(values)}" for name, values in software(plan, origin)]
    made += [f"commit {' / '.join(origin.traits['commit'])}"] if "commit" in origin.traits else []
    lines += [f"Made with {', '.join(made)}"] if made else []
    return tuple(lines)


def asked(plan: Plan, summary: Summary) -> int:
    """How many trials a table's arms were to have: those, too, that no search chose anything for;
    where replicates grow, those that looks have asked for.
    """
    if plan.study.sequential is not None:
        return sum(one.counts.planned for one in summary.arms)
    return len(plan.arms) * plan.study.most_replicates


def method(summary: Summary, how: Analysis = USUAL) -> tuple[str, ...]:
    """The line that names test, family and interval; none where nothing is compared."""
    families = {c.family for one in summary.arms for c in one.contrasts.values()}
    if summary.course is not None:
        return tuple(looks_method(family) for family in families)
    if how.correction == "dunnett":
        return tuple(
            f"Differences paired by {units_paired(summary)}; Dunnett's two-sided test over "
            f"{family} comparisons with seeds as blocks, one error for all arms; its joint 95 % "
            "intervals"
            for family in families
        )
    test, paired = _TESTS[how.test], units_paired(summary)
    interval = "t-intervals" if how.interval == "t" else f"BCa intervals of {RESAMPLES:,} resamples"
    kind = "simultaneous" if how.joint else "single"
    return tuple(
        f"Differences paired by {paired}; two-sided {test}; {how.steps.capitalize()} over the "
        f"metric's comparisons, {family} of them; {kind} 95 % {interval}"
        for family in families
    )


def notes(plan: Plan, summary: Summary) -> tuple[str, ...]:
    """The sentences under a table, whose differences are those of the primary metric."""
    primary = summary.primary
    found = [
        *_intervals(plan, summary),
        *_differences(plan, summary, primary),
        *sameness(plan, summary),
        *unused_declarations(plan, summary),
        *looks_notes(plan, summary),
        *timing_notes(plan, summary),
        *absences(plan, summary),
        *undirected(plan, summary),
        *missing(summary),
        *shortfalls(plan, summary, primary),
        *mixtures(summary),
        *design_notes(plan),
        *claims(plan, summary),
        *effect_claims(plan, summary),
    ]
    return tuple(found)


def legend(plan: Plan, summary: Summary) -> tuple[str, ...]:
    """Those of the notes that say what a table's signs mean: its interval, difference and mark."""
    found = compared(summary, summary.primary)
    return (*_intervals(plan, summary), *([_difference(plan, summary)] if found else []))


def design_notes(plan: Plan) -> Iterator[str]:
    """What a screening design cannot tell apart."""
    if plan.study.design in SCREENING and plan.study.factors:
        yield "Arms differ in many factors at once: `cbablate table --effects` has their effects."
        yield from aliases(plan.study.design, [factor.name for factor in plan.study.factors])


def _intervals(plan: Plan, summary: Summary) -> Iterator[str]:
    if any(e.half_width for one in summary.arms for e in one.estimates.values()):
        over = "over the n replicates"
        if plan.searches > 1:
            over = f"over the {plan.searches} searches' means of each arm's n replicates"
        yield f"±: half-width of the 95 % t-interval {over}."
    elif plan.study.replicates == 1:
        yield "One replicate: there is neither an interval nor a p value."


def _differences(plan: Plan, summary: Summary, primary: str) -> Iterator[str]:
    found = compared(summary, primary)
    if not found:
        return
    yield _difference(plan, summary)
    yield from gain(plan, found)
    yield from doubts(plan, summary)


def doubts(plan: Plan, summary: Summary) -> Iterator[str]:
    """What differences are not as usual in: bootstrap, unpaired, without an interval."""
    found = compared(summary, summary.primary)
    yield from _of_intervals(plan.study.analysis, found)
    yield from apart(summary)
    if any(one.n > 1 and one.p is None and not (summary.course and one.sd) for one in found):
        yield (
            "Where all paired differences are equal, their spread cannot be estimated: neither "
            "interval nor p is given."
        )


def compared(summary: Summary, primary: str) -> list[Contrast]:
    """The contrasts of the primary metric, if any of them has a difference."""
    found = [one.contrasts[primary] for one in summary.arms if primary in one.contrasts]
    return [] if all(one.difference is None for one in found) else found


def _difference(plan: Plan, summary: Summary) -> str:
    """What a difference is from, how it is tested, and what its mark means."""
    found = compared(summary, summary.primary)
    paired = f", paired by {pair_word(plan)}" if any(one.paired for one in found) else ""
    sentence = f"Δ: difference from {whom(plan, found)}{paired}."
    if any(one.p is not None for one in found):
        sentence += f" p: {'; '.join(filter(None, (tested(plan, found), kept(plan, found))))}."
    if any_marked(summary):
        sentence += f" {mark_words(plan, found)}"
    return sentence


def kept(plan: Plan, found: Sequence[Contrast]) -> str:
    """Which intervals differences have; "" of one comparison, whose p needs no correction."""
    how, over = plan.study.analysis, " over all looks" if plan.study.sequential is not None else ""
    if any(one.joint for one in found):
        t = "t-" * (how.test == "sign_flip")
        correction = f"{CORRECTIONS[how.correction]}'s correction"
        return f"simultaneous 95 % {t}intervals of Δ by {correction}{over}"
    if over:
        return f"95 % intervals of Δ{over}"
    if found[0].family == 1:
        return ""
    return "each interval of Δ holds with 95 % by itself"


def any_marked(summary: Summary) -> bool:
    """Whether any difference in the primary metric has a mark."""
    return any(marked(one, summary.primary) for one in summary.arms)


def fixed_marks(plan: Plan, fixed: Summary) -> Iterator[str]:
    """What the mark of a difference at the hyperparameters as written says, where one stands."""
    if any_marked(fixed):
        says = mark_words(plan, compared(fixed, fixed.primary))
        yield f"Δ fixed is tested alike, as a family of its own; {says}"


def mark_note(plan: Plan, summary: Summary) -> str:
    """What a mark beside a mean says, where differences have no column; "" without any."""
    found = compared(summary, summary.primary)
    if not found:
        return ""
    label = metric_of(plan, summary.primary).label
    other = whom(plan, found).removesuffix(" (ref.)")
    if all(one.p is None for one in found):
        return f"No {label} has a p value of its difference from that of {other}."
    how = f"Δ, the difference paired by {pair_word(plan)}; {tested(plan, found)}"
    if not any(one.enough for one in found):
        return f"No {label} is marked: {fewest_words(plan)} nothing is claimed ({how})."
    differs = f"differs from that of {other} with {claim_rule(plan, found)} ({how})."
    return f"{DAGGER}: {label} {differs}" if any_marked(summary) else f"No {label} {differs}"


def marked(one: ArmSummary, metric: str) -> bool:
    """Whether an arm's difference in a metric has a mark."""
    return metric in one.findings and one.findings[metric].sure


def whom(plan: Plan, found: Sequence[Contrast]) -> str:
    """The arm, or the arms, that others are compared with."""
    names = {arm.id: arm.name for arm in plan.arms}
    references = {names[one.against] for one in found}
    if len(references) == 1:
        return f"“{references.pop()}”"
    return f"the arm that differs in {plan.study.contrast} only (ref.)"


def tested(plan: Plan, found: Sequence[Contrast]) -> str:
    """The test behind p, and what it is corrected for."""
    how = plan.study.analysis
    over = f"{found[0].family} comparisons" if found[0].family > 1 else "one comparison"
    if how.correction == "dunnett":
        return f"Dunnett's two-sided test over {over} with seeds as blocks, one error for all arms"
    adjusted = f"{CORRECTIONS[how.steps]}-adjusted over {over}" if found[0].family > 1 else over
    if not any(one.paired for one in found if one.p is not None):
        return f"two-sided Welch's t test, {adjusted}"
    if plan.study.sequential is not None:
        return f"two-sided paired t tests at all looks together, {adjusted}"
    return f"two-sided {_TESTS[how.test]}, {adjusted}"


def _of_intervals(how: Analysis, found: Sequence[Contrast]) -> Iterator[str]:
    """What a bootstrap interval is, and how often it holds at this n."""
    if how.interval != "bca":
        return
    fewest = min((one.n for one in found if one.kind == "bca" and one.low is not None), default=0)
    if fewest:
        yield (
            f"Intervals of Δ, in parentheses: bootstrap, BCa, {RESAMPLES:,} resamples. With "
            f"{fewest} pairs they cover {100 * bca_coverage(fewest):.1f} % where differences are "
            "normal."
        )
    if any(1 < one.n < FEWEST_FOR_BCA for one in found):
        yield f"Below {FEWEST_FOR_BCA} pairs no BCa interval is given."
