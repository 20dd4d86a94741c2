"""Notes: the sentences under a table, each saying how to read it or what it lacks."""

from __future__ import annotations

from collections.abc import Iterator

from cbablate.analysis.summary import ArmSummary, Counts, Summary, metric_of
from cbablate.planning.plan import Plan
from cbablate.planning.power import ALPHA
from cbablate.reporting.cell import DASH
from cbablate.reporting.claim import claims, listed

__all__ = ["BYSTANDERS", "DAGGER", "comment", "method", "notes", "short"]

DAGGER = "†"
"""The mark of a difference whose adjusted p value is below ALPHA."""
BYSTANDERS = ("ray", "optuna", "mlflow")
"""Libraries that place, propose and show trials, but compute nothing of them."""


def comment(plan: Plan, summary: Summary) -> tuple[str, ...]:
    """The lines above a table: what it answers, and what it was computed from."""
    study, budget = plan.study, plan.study.budget
    planned = len(plan.trials)
    complete = sum(one.counts.complete for one in summary.arms)
    lines = [
        f"Study {study.name}: {study.question}",
        f"{len(plan.arms)} arms x {study.replicates} replicates of {budget.amount} {budget.unit} "
        f"from seed {study.seed}: {complete} of {planned} trials complete",
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


def method(summary: Summary) -> tuple[str, ...]:
    """The line that names test, family and interval; none where nothing is compared."""
    families = {c.family for one in summary.arms for c in one.contrasts.values()}
    return tuple(
        "Differences paired by replicate; two-sided paired t test; Holm over the metric's "
        f"comparisons, {family} of them; 95 % t-intervals, not adjusted"
        for family in families
    )


def notes(plan: Plan, summary: Summary) -> tuple[str, ...]:
    """The sentences under a table, whose differences are those of the primary metric."""
    primary = summary.primary
    found = [
        *_intervals(plan, summary),
        *_differences(plan, summary, primary),
        *_timings(plan, summary),
        *_missing(summary),
        *_shortfalls(plan, summary, primary),
        *_mixtures(summary),
        *claims(plan, summary),
    ]
    return tuple(found)


def _intervals(plan: Plan, summary: Summary) -> Iterator[str]:
    if any(e.half_width for one in summary.arms for e in one.estimates.values()):
        yield "±: half-width of the 95 % t-interval over the n replicates."
    elif plan.study.replicates == 1:
        yield "One replicate: there is neither an interval nor a p value."


def _differences(plan: Plan, summary: Summary, primary: str) -> Iterator[str]:
    found = [one.contrasts[primary] for one in summary.arms if primary in one.contrasts]
    if not found or not any(one.n for one in found):
        return
    names = {arm.id: arm.name for arm in plan.arms}
    references = {names[one.against] for one in found}
    of_whom = (
        f"“{references.pop()}”"
        if len(references) == 1
        else f"the arm that differs in {plan.study.contrast} only (ref.)"
    )
    sentence = f"Δ: difference from {of_whom}, paired by seed."
    if any(one.p is not None for one in found):
        over = f"{found[0].family} comparisons" if found[0].family > 1 else "one comparison"
        sentence += (
            f" p: two-sided paired t test, Holm-adjusted over {over}; intervals not adjusted."
        )
    if any(one.p_adjusted is not None and one.p_adjusted < ALPHA for one in found):
        sentence += f" {DAGGER}: adjusted p < {ALPHA}."
    yield sentence
    if any(one.n > 1 and one.p is None for one in found):
        yield (
            "Where all paired differences are equal, their spread cannot be estimated: neither "
            "interval nor p is given."
        )


def _timings(plan: Plan, summary: Summary) -> Iterator[str]:
    for name in dict.fromkeys(plan.study.report):
        timed = [one.timings[name] for one in summary.arms if name in one.timings]
        if not timed or metric_of(plan, name).source != "timing":
            continue
        rounds = sorted({timing.rounds for timing in timed})
        counted = f"{rounds[0]}" if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
        devices = sorted({timing.device for timing in timed if timing.device})
        where = f" on {' and '.join(devices)}" if devices else ""
        yield (
            f"{metric_of(plan, name).label}: median (slowest{DASH}fastest) of {counted} "
            f"round{'' if rounds == [1] else 's'}, each arm alone and all in turns{where}."
        )
        if len({timing.batch for timing in timed}) > 1:
            yield (
                f"The {metric_of(plan, name).label.lower()} timings come from different timing "
                "stages: differences between arms may be differences between stages."
            )


def _missing(summary: Summary) -> Iterator[str]:
    if all(one.counts.waiting == one.counts.planned for one in summary.arms):
        yield "Nothing has been trained yet."
        return
    short = [
        f"{one.arm.name} ({_states(one.counts)})"
        for one in summary.arms
        if one.counts.complete < one.counts.planned
    ]
    if short:
        yield f"Not complete, and in no mean: {listed(short)}."


def _states(counts: Counts) -> str:
    said = [f"{n} failed: {failure}" for failure, n in counts.failed.items()]
    said += [
        f"{n} {state}"
        for state, n in (
            ("pruned", counts.pruned),
            ("running", counts.running),
            ("waiting", counts.waiting),
        )
        if n
    ]
    return ", ".join(said)


def _shortfalls(plan: Plan, summary: Summary, primary: str) -> Iterator[str]:
    """Where a number rests on fewer values than the row's n says."""
    for name in dict.fromkeys(plan.study.report):
        if name not in summary.metrics:
            continue
        few = [
            f"{one.arm.name} ({one.estimates[name].n})"
            for one in summary.arms
            if one.estimates[name].n != _row_n(one, primary) and one.estimates[name].n
        ]
        if few:
            yield f"{metric_of(plan, name).label} has another n in {listed(few)}."
    pairs = [
        f"{one.arm.name} ({one.contrasts[primary].n})"
        for one in summary.arms
        if primary in one.contrasts and one.contrasts[primary].n != _row_n(one, primary)
    ]
    if pairs:
        yield f"Pairs behind Δ, where fewer than n: {listed(pairs)}."


def _row_n(one: ArmSummary, primary: str) -> int:
    return one.estimates[primary].n if primary in one.estimates else one.counts.complete


def _mixtures(summary: Summary) -> Iterator[str]:
    mixed = {
        short(trait): values
        for trait, values in summary.origin.mixed.items()
        if short(trait) not in BYSTANDERS
    }
    for trait, values in mixed.items():
        yield f"The trials differ in {trait}: {', '.join(values)}."


def short(trait: str) -> str:
    """A trait as a reader names it: `versions.torch` is torch."""
    return trait.partition(".")[2] or trait
