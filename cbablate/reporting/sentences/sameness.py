"""Numbers that are the same where they should differ: a seed or a key that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cbablate.analysis.summary import Summary
from cbablate.phrases import first_few, listed
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.spec.loading.changes import flatten

__all__ = ["sameness"]

_Rows = Mapping[int, tuple[float, ...]]
"""All metrics of an arm's trials, by replicate."""


def sameness(plan: Plan, summary: Summary) -> Iterator[str]:
    """Arms whose trials are all alike, and arms that are their reference at every seed.

    Only of own workloads, of whose programs nothing else is known, and only where each metric that
    is asked for is the same to the last digit in two trials or more.
    """
    if plan.description.own is None or not summary.metrics:
        return
    arms = {one.arm.id: one.arm for one in summary.arms}
    rows = {arm: _rows(summary, one) for arm, one in arms.items()}
    fixed = [arms[arm].name for arm, of in rows.items() if len(of) > 1 == len({*of.values()})]
    if fixed:
        yield f"All seeds have the same numbers in {first_few(fixed)}: is the seed used?"
    for arm in arms.values():
        reference = arms.get(arm.against or "")
        if reference is None:
            continue
        ours, theirs = rows[arm.id], rows[reference.id]
        shared = ours.keys() & theirs.keys()
        if len(shared) > 1 and all(ours[seed] == theirs[seed] for seed in shared):
            keys = _differing(arm, reference)
            yield (
                f"{arm.name} has the numbers of {reference.name} at every seed: "
                f"{'are' if len(keys) > 1 else 'is'} {listed(keys)} used?"
            )


def _rows(summary: Summary, arm: Arm) -> _Rows:
    columns = [summary.replicates.of(name).get(arm.id, {}) for name in summary.metrics]
    shared = set(columns[0]).intersection(*columns[1:])
    return {replicate: tuple(column[replicate] for column in columns) for replicate in shared}


def _differing(arm: Arm, other: Arm) -> list[str]:
    """The dotted keys in which two arms differ."""
    ours, theirs = dict(flatten(arm.config)), dict(flatten(other.config))
    either = dict.fromkeys((*ours, *theirs))
    nothing = object()
    return [key for key in either if ours.get(key, nothing) != theirs.get(key, nothing)]
