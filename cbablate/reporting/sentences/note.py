"""Notes: the sentences under a table, each saying how to read it or what it lacks."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.phrases import counted, first_few
from cbablate.planning.design import SCREENING
from cbablate.planning.plan import Plan
from cbablate.planning.screening import aliases
from cbablate.reporting.model.cell import Number
from cbablate.reporting.sentences.claim import claims
from cbablate.reporting.sentences.effect_claim import effect_claims
from cbablate.reporting.sentences.sequential_note import looks_method, looks_notes
from cbablate.reporting.sentences.shortfall import (
    BYSTANDERS,
    absences,
    missing,
    mixtures,
    short,
    shortfalls,
)
from cbablate.reporting.sentences.timing_note import timing_notes
from cbablate.spec.analysis import USUAL, Analysis
from cbablate.statistics.bootstrap import RESAMPLES
from cbablate.statistics.coverage import FEWEST_FOR_BCA, bca_coverage
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS

__all__ = [
    "CORRECTIONS",
    "DAGGER",
    "MARK",
    "WELCH",
    "any_marked",
    "comment",
    "compared",
    "design_notes",
    "doubts",
    "fixed_marks",
    "legend",
    "mark_note",
    "marked",
    "method",
    "notes",
    "whom",
]

DAGGER = "†"
"""The mark of a difference that is claimed (`Finding.sure`), and of no other."""
MARK = f"{DAGGER}: adjusted p < {ALPHA}, and the exact sign-flip test agrees."
_ALONE = f"{DAGGER}: adjusted p < {ALPHA}."
WELCH = "‡"
"""The mark of a difference that no seed is behind on both sides."""
_TESTS = {"t": "paired t test", "sign_flip": "exact sign-flip test"}
CORRECTIONS = {"sidak": "Šidák", "holm": "Holm"}
_HARDLY = 1.05


def comment(plan: Plan, summary: Summary) -> tuple[str, ...]:
    """The lines above a table: what it answers, and what it was computed from."""
    study, budget = plan.study, plan.study.budget
    arms = len(plan.arms)
    planned = arms * study.most_replicates
    if study.sequential is not None:
        planned = sum(one.counts.planned for one in summary.arms)
    complete = sum(one.counts.complete for one in summary.arms)
    lines = [
        f"Study {study.name}: {study.question}",
        f"{counted(arms, 'arm')} x {study.replicates} replicates of {budget.amount} "
        f"{budget.unit} from seed {study.seed}: {complete} of {planned} trials complete"
        + (" that looks have asked for" if study.sequential else ""),
        f"Workload {plan.description.name}, version {plan.description.version}",
    ]
    traits = summary.origin.traits
    computed = [trait for trait in traits if trait.startswith("versions")]
    made = [
        f"{short(trait)} {' / '.join(traits[trait])}"
        for trait in (*computed, "commit")
        if trait in traits and short(trait) not in BYSTANDERS
    ]
    lines += [f"Made with {', '.join(made)}"] if made else []
    return tuple(lines)


def method(summary: Summary, how: Analysis = USUAL) -> tuple[str, ...]:
    """The line that names test, family and interval; none where nothing is compared."""
    families = {c.family for one in summary.arms for c in one.contrasts.values()}
    if summary.course is not None:
        return tuple(looks_method(family) for family in families)
    if how.correction == "dunnett":
        return tuple(
            f"Differences paired by replicate; Dunnett's two-sided test over {family} comparisons "
            "with seeds as blocks, one error for all arms; its joint 95 % intervals"
            for family in families
        )
    test = _TESTS[how.test]
    interval = "t-intervals" if how.interval == "t" else f"BCa intervals of {RESAMPLES:,} resamples"
    kind = "simultaneous" if how.joint else "single"
    return tuple(
        f"Differences paired by replicate; two-sided {test}; {how.steps.capitalize()} over the "
        f"metric's comparisons, {family} of them; {kind} 95 % {interval}"
        for family in families
    )


def notes(plan: Plan, summary: Summary) -> tuple[str, ...]:
    """The sentences under a table, whose differences are those of the primary metric."""
    primary = summary.primary
    found = [
        *_intervals(plan, summary),
        *_differences(plan, summary, primary),
        *looks_notes(plan, summary),
        *timing_notes(plan, summary),
        *absences(plan, summary),
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
        yield "±: half-width of the 95 % t-interval over the n replicates."
    elif plan.study.replicates == 1:
        yield "One replicate: there is neither an interval nor a p value."


def _differences(plan: Plan, summary: Summary, primary: str) -> Iterator[str]:
    found = compared(summary, primary)
    if not found:
        return
    how = plan.study.analysis
    yield _difference(plan, summary)
    yield from _gain(how, found)
    yield from doubts(plan, summary)


def doubts(plan: Plan, summary: Summary) -> Iterator[str]:
    """What differences are not as usual in: bootstrap, unpaired, without an interval."""
    found = compared(summary, summary.primary)
    yield from _of_intervals(plan.study.analysis, found)
    yield from _apart(summary)
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
    sentence = f"Δ: difference from {whom(plan, found)}, paired by seed."
    if any(one.p is not None for one in found):
        sentence += f" p: {_tested(plan, found)}; {_kept(plan, found)}."
    if any_marked(summary):
        sentence += f" {_mark(plan)}"
    return sentence


def _kept(plan: Plan, found: Sequence[Contrast]) -> str:
    """Which intervals differences have."""
    over = " over all looks" if plan.study.sequential is not None else ""
    if any(one.joint for one in found):
        t = "t-" * (plan.study.analysis.test == "sign_flip")
        return f"{t}intervals of Δ alike, so that they hold together{over}"
    if over:
        return f"intervals of Δ hold{over}"
    return "each interval of Δ holds with 95 % by itself"


def _mark(plan: Plan) -> str:
    """What the mark means; where replicates grow, the t test decides alone."""
    return _ALONE if plan.study.sequential is not None else MARK


def any_marked(summary: Summary) -> bool:
    """Whether any difference in the primary metric has a mark."""
    return any(marked(one, summary.primary) for one in summary.arms)


def fixed_marks(plan: Plan, fixed: Summary) -> Iterator[str]:
    """What the mark of a difference at the hyperparameters as written says, where one stands."""
    if any_marked(fixed):
        yield f"Δ fixed is tested alike, as a family of its own; {_mark(plan)}"


def mark_note(plan: Plan, summary: Summary) -> str:
    """What a mark beside a mean says, where differences have no column; "" without any."""
    found = compared(summary, summary.primary)
    if not found:
        return ""
    label = metric_of(plan, summary.primary).label
    other = whom(plan, found).removesuffix(" (ref.)")
    if all(one.p is None for one in found):
        return f"No {label} has a p value of its difference from that of {other}."
    tested = f"Δ, the difference paired by seed; {_tested(plan, found)}"
    if all(one.n < FEWEST_PAIRS for one in found):
        return f"No {label} is marked: below {FEWEST_PAIRS} pairs nothing is claimed ({tested})."
    agrees = "" if plan.study.sequential else ", and the exact sign-flip test agrees"
    differs = f"differs from that of {other} with adjusted p < {ALPHA}{agrees} ({tested})."
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


def _tested(plan: Plan, found: Sequence[Contrast]) -> str:
    """The test behind p, and what it is corrected for."""
    how = plan.study.analysis
    over = f"{found[0].family} comparisons" if found[0].family > 1 else "one comparison"
    if how.correction == "dunnett":
        return f"Dunnett's two-sided test over {over} with seeds as blocks, one error for all arms"
    adjusted = f"{CORRECTIONS[how.steps]}-adjusted over {over}" if found[0].family > 1 else over
    if plan.study.sequential is not None:
        return f"two-sided paired t tests at all looks together, {adjusted}"
    return f"two-sided {_TESTS[how.test]}, {adjusted}"


def _of_intervals(how: Analysis, found: Sequence[Contrast]) -> Iterator[str]:
    """What a bootstrap interval is, and how often it holds at this n."""
    if how.interval != "bca":
        return
    fewest = min((one.n for one in found if one.kind == "bca"), default=0)
    if fewest:
        yield (
            f"Intervals of Δ, in parentheses: bootstrap, BCa, {RESAMPLES:,} resamples. With "
            f"{fewest} pairs they cover {100 * bca_coverage(fewest):.1f} % where differences are "
            "normal."
        )
    if any(1 < one.n < FEWEST_FOR_BCA for one in found):
        yield f"Below {FEWEST_FOR_BCA} pairs no BCa interval is given."


def _gain(how: Analysis, found: Sequence[Contrast]) -> Iterator[str]:
    """What pairing by seed gained.

    Two pairs always have a correlation of 1 or -1, and of 5 pairs without any the 95 % interval
    reaches from -0.88 to 0.88: below `FEWEST_PAIRS` nothing is said.
    """
    enough = [one for one in found if one.n >= FEWEST_PAIRS]
    gains = [one.gain for one in enough if one.gain is not None]
    if gains and how.correction != "dunnett" and how.interval == "t":
        alike = [one.correlation for one in enough if one.correlation is not None]
        gain = statistics.median(gains)
        how_alike = (
            f" (correlation of paired seeds {Number(statistics.median(alike), 2).plain})"
            if alike
            else ""
        )
        typical = "median of the comparisons" if len(gains) > 1 else "one comparison"
        if len(enough) < len(found):
            typical += f" of {FEWEST_PAIRS} or more pairs"
        if max(gain, 1 / gain) < _HARDLY:
            words = "as long as without it"
        else:
            words = f"{max(gain, 1 / gain):.1f} times {'shorter' if gain > 1 else 'longer'}"
        yield f"Pairing by seed made the intervals of Δ {words}{how_alike}; {typical}."


def _apart(summary: Summary) -> Iterator[str]:
    """Who could not be paired."""
    primary = summary.primary
    apart = [
        one.arm.name
        for one in summary.arms
        if primary in one.contrasts
        and not one.contrasts[primary].paired
        and one.contrasts[primary].p is not None
    ]
    if apart:
        yield (
            f"{WELCH}: not paired, as no seed is shared (Welch's t test and t-interval instead): "
            f"{first_few(apart)}."
        )
