"""`robust_table`: arms over several tasks at once, by summaries that one odd task moves little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cbablate.analysis.designs.tasks import Tasks, tasks
from cbablate.analysis.summary import Summary
from cbablate.phrases import first_few
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Blank, Cell, Count, Number, Range, Spread, Text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.scale import Scale, scale_of
from cbablate.reporting.model.sheet import Sheet, Value
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.note import comment
from cbablate.statistics.robust import (
    Profile,
    TaskSummary,
    of_arm,
    performance_profile,
    probability_of_improvement,
    robust_mean,
)

__all__ = ["robust_table"]

_HEADER = (
    *("study", "over", "arm", "against", "tasks", "values"),
    *("measure", "threshold", "value", "low", "high"),
)


@dataclass(frozen=True)
class _Told:
    """What is said of one group of trials."""

    name: str
    arm: str
    against: str
    values: int
    mean: TaskSummary
    wins: TaskSummary | None
    profile: Profile


def robust_table(plan: Plan, summary: Summary) -> Table:
    """One row an arm: its interquartile mean over tasks and seeds, how likely it beats its
    reference on a task, and how often it is above what the reference reaches.

    Raises:
        CbablateError: the study has nothing to summarise over, or not yet.
    """
    found = tasks(plan, summary)
    told = _told(found)
    every = [v for by in found.matrix.values() for one in by.values() for v in one.values()]
    scale = scale_of(found.metric, every, exact=False)
    unit = scale.unit(found.metric.unit)
    sign = found.sign
    thresholds = told[0].profile.thresholds
    beyond = "<" if sign < 0 else ">"
    heads = [f"{beyond} {scale.number(sign * t).plain} {unit}".rstrip() for t in thresholds]
    return Table(
        name=f"{plan.study.name}-robust",
        caption=f"How do the arms do over {len(found.matrix)} {found.of} at once?",
        columns=(
            Column("Arm", "text"),
            Column("IQM", "range", unit, found.metric.direction, metric=found.metric.name),
            Column("P", "range", symbol=True),
            *(Column(head, "spread") for head in heads),
            Column("n", "count", symbol=True),
        ),
        rows=tuple(Row(tuple(_cells(one, scale, sign)), arm=one.arm) for one in told),
        notes=tuple(_notes(found, told)),
        comment=comment(plan, summary),
        method=("95 % t-intervals of the jackknife over whole seeds",),
        sheet=Sheet(_HEADER, tuple(_sheet(plan, found, told))),
    )


def _told(found: Tasks) -> list[_Told]:
    scores = {group.name: of_arm(found.matrix, group.name) for group in found.groups}
    reference = scores[next(group.name for group in found.groups if not group.against)]
    thresholds = _quartiles([value for task in reference for value in task.values()])
    return [
        _Told(
            name=group.name,
            arm=group.arm,
            against=group.against,
            values=sum(len(task) for task in scores[group.name]),
            mean=robust_mean(scores[group.name]),
            wins=probability_of_improvement(scores[group.name], scores[group.against])
            if group.against
            else None,
            profile=performance_profile(scores[group.name], thresholds),
        )
        for group in found.groups
    ]


def _quartiles(values: Sequence[float]) -> tuple[float, ...]:
    """What three quarters, half and a quarter of the values reach; each once."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return tuple(dict.fromkeys(ordered[round(last * part)] for part in (0.25, 0.5, 0.75)))


def _cells(one: _Told, scale: Scale, sign: int) -> Iterator[Cell]:
    yield Text(one.name)
    yield _range(_turned(one.mean, sign), scale)
    yield Blank("ref.") if one.wins is None else _range(one.wins, Scale(2))
    for share in one.profile.shares:
        yield Spread(Number(share.value, 2))
    yield Count(one.values, one.values)


def _turned(one: TaskSummary, sign: int) -> TaskSummary:
    """A summary in the metric's own direction."""
    if sign > 0:
        return one
    low, high = (None if end is None else -end for end in (one.high, one.low))
    return TaskSummary(-one.value, low, high)


def _range(one: TaskSummary, scale: Scale) -> Cell:
    if one.low is None or one.high is None:
        return Spread(scale.number(one.value))
    return Range(*(scale.number(end) for end in (one.value, one.low, one.high)))


def _notes(found: Tasks, told: Sequence[_Told]) -> Iterator[str]:
    names = list(found.matrix)
    yield f"Over {len(names)} {found.of}: {first_few(names)}; n values, a task and a seed each."
    if found.left_out:
        yield f"Left out, as not every arm has it: {first_few(found.left_out)}."
    yield (
        "IQM: mean of the middle half of an arm's values, over all tasks and seeds, which one task "
        "that is easy or broken moves little."
    )
    references = {one.against for one in told if one.against}
    if references:
        whom = f"“{references.pop()}”" if len(references) == 1 else "its reference (ref.)"
        yield (
            f"P: chance that a trial of the arm is better than one of {whom} on a task drawn at "
            "random; a tie counts half. It is no test, and not corrected for the number of arms."
        )
    yield (
        "Columns with a threshold: the share of values beyond it, tasks weighing alike; thresholds "
        "are the reference's quartiles."
    )
    if any(one.mean.low is not None for one in told):
        yield (
            "Parentheses: 95 % t-intervals of the jackknife over whole seeds, each left out of all "
            "tasks and both arms at once; they speak of these tasks, not of others. None where "
            "every seed says the same."
        )
    else:
        yield "One seed in some task: there is no interval."


def _sheet(plan: Plan, found: Tasks, told: Sequence[_Told]) -> Iterator[tuple[Value, ...]]:
    for one in told:
        over, count = found.of, len(found.matrix)
        head = (plan.study.name, over, one.name, one.against or None, count, one.values)
        mean = _turned(one.mean, found.sign)
        yield (*head, "interquartile mean", None, mean.value, mean.low, mean.high)
        if one.wins is not None:
            ends = (one.wins.value, one.wins.low, one.wins.high)
            yield (*head, "probability of improvement", None, *ends)
        for threshold, share in zip(one.profile.thresholds, one.profile.shares, strict=True):
            ends = (share.value, share.low, share.high)
            yield (*head, "share beyond", found.sign * threshold, *ends)
