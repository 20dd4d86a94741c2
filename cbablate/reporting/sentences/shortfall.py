"""Shortfalls: the sentences that say what a table lacks, and what its trials differ in."""

from __future__ import annotations

from collections.abc import Iterator

from cbablate.analysis.provenance.origin import Origin
from cbablate.analysis.summary import ArmSummary, Counts, Summary, direction_of, metric_of
from cbablate.phrases import first_few
from cbablate.planning.plan import Plan

__all__ = [
    "BYSTANDERS",
    "absences",
    "incomplete",
    "missing",
    "mixed",
    "mixtures",
    "short",
    "shortfalls",
    "software",
    "undirected",
]

BYSTANDERS = ("ray", "optuna", "mlflow")
"""Libraries that place, propose and show trials, but compute nothing of them."""


_ABSENT = "numerics.absent."
"""What a trial's note of a metric that its network does not have begins with."""


def absences(plan: Plan, summary: Summary) -> Iterator[str]:
    """Why a metric has no value where the network does not have it."""
    for name in dict.fromkeys(plan.study.report):
        for reason in summary.origin.traits.get(f"{_ABSENT}{name}", ()):
            yield f"{metric_of(plan, name).label} does not exist where {reason}."


def undirected(plan: Plan, summary: Summary) -> Iterator[str]:
    """Which metrics nobody has described, so that nothing is said to be better for them."""
    bare = [
        name
        for name in dict.fromkeys(plan.study.report)
        if name in summary.metrics
        and name not in plan.description.metrics
        and direction_of(plan, name) is None
        and any(one.estimates[name].n for one in summary.arms)
    ]
    if bare:
        yield f"It is not declared which direction is better: {first_few(bare)}."


def missing(summary: Summary) -> Iterator[str]:
    """Which trials are not complete, and why; or that nothing has been trained."""
    if not any(one.counts.planned for one in summary.arms):
        yield from summary.earlier
        return  # no arm is tuned yet, which is told before
    if all(one.counts.waiting == one.counts.planned for one in summary.arms):
        yield from summary.earlier or ("Nothing has been trained yet.",)
        return
    yield from summary.earlier
    lacking = incomplete(summary)
    if lacking:
        yield f"Not complete, and in no mean: {lacking}."


def incomplete(summary: Summary) -> str:
    """The arms that lack replicates, and what became of these; "" where none does."""
    return first_few(
        f"{one.arm.name} ({_states(one.counts)})"
        for one in summary.arms
        if one.counts.complete < one.counts.planned
    )


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


def shortfalls(plan: Plan, summary: Summary, primary: str) -> Iterator[str]:
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
            yield f"{metric_of(plan, name).label} has another n in {first_few(few)}."
    pairs = [
        f"{one.arm.name} ({one.contrasts[primary].pairs})"
        for one in summary.arms
        if primary in one.contrasts and one.contrasts[primary].pairs != _row_n(one, primary)
    ]
    if pairs:
        yield f"Pairs behind Δ, where fewer than n: {first_few(pairs)}."


def _row_n(one: ArmSummary, primary: str) -> int:
    return one.estimates[primary].n if primary in one.estimates else one.counts.complete


def mixtures(summary: Summary) -> Iterator[str]:
    """What the trials differ in beside their arms."""
    for trait, values in mixed(summary.origin).items():
        yield f"The trials differ in {trait}: {', '.join(values)}."


def mixed(origin: Origin) -> dict[str, tuple[str, ...]]:
    """What trials differ in that may have changed their numbers, by its short name."""
    return {
        short(trait): values
        for trait, values in origin.mixed.items()
        if short(trait) not in BYSTANDERS and not trait.startswith(_ABSENT)
    }


def software(plan: Plan, origin: Origin) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The libraries that trials were computed with, each with its versions."""
    libraries = plan.description.libraries()
    known = {"cbablate", "python"} | (libraries or set())
    for trait, values in origin.traits.items():
        name = short(trait)
        told = trait.startswith("versions") and name not in BYSTANDERS
        if told and (libraries is None or name in known or trait == "versions"):
            yield name, values


def short(trait: str) -> str:
    """A trait as a reader names it: `versions.torch` is torch."""
    return trait.partition(".")[2] or trait
