"""`robust_table`: arms over several tasks at once, by summaries that one odd task moves little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cbablate.analysis.designs.tasks import Tasks, tasks
from cbablate.analysis.summary import Summary
from cbablate.fingerprint import derive_seed
from cbablate.phrases import first_few
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Blank, Cell, Count, Number, Range, Spread, Text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.scale import Scale, scale_of
from cbablate.reporting.model.sheet import Sheet, Value
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.note import comment
from cbablate.statistics.robust import (
    RESAMPLES,
    Profile,
    Scores,
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
_WORK = 3_000_000
"""How many values are drawn anew in all: many arms with many seeds take seconds, too."""
_FEWEST_RESAMPLES = 200


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
    told = _told(plan, found)
    every = [v for by in found.matrix.values() for one in by.values() for v in one.values()]
    known = found.metric.name in plan.description.metrics
    scale = scale_of(found.metric, every, known=known, exact=False)
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
        method=("Percentile bootstrap stratified by task; seeds drawn anew within tasks",),
        sheet=Sheet(_HEADER, tuple(_sheet(plan, found, told))),
    )


def _told(plan: Plan, found: Tasks) -> list[_Told]:
    scores = {group.name: of_arm(found.matrix, group.name) for group in found.groups}
    values = sum(len(task) for one in scores.values() for task in one)
    resamples = max(_FEWEST_RESAMPLES, min(RESAMPLES, _WORK // (8 * values)))
    reference = next(group.name for group in found.groups if not group.against)
    thresholds = _quartiles([value for task in scores[reference] for value in task])

    def seed(*words: str) -> int:
        return derive_seed(plan.study.seed, "robust", *words)

    return [
        _Told(
            name=group.name,
            arm=group.arm,
            against=group.against,
            values=sum(len(task) for task in scores[group.name]),
            mean=robust_mean(scores[group.name], seed("mean", group.name), resamples=resamples),
            wins=_wins(
                scores, group.name, group.against, seed=seed("wins", group.name), n=resamples
            ),
            profile=performance_profile(
                scores[group.name], thresholds, seed("profile", group.name), resamples=resamples
            ),
        )
        for group in found.groups
    ]


def _wins(
    scores: Mapping[str, Scores], name: str, against: str, *, seed: int, n: int
) -> TaskSummary | None:
    if not against:
        return None
    return probability_of_improvement(scores[name], scores[against], seed, resamples=n)


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
            "Parentheses: 95 % percentile bootstrap, seeds drawn anew within each task (Agarwal et "
            "al. 2021); they speak of these tasks, not of others, and cover less with few seeds: "
            "of normal values 86, 90 and 91 % for an IQM, 92, 93 and 96 % for P, with 3, 5 and 10."
        )
    else:
        yield "One seed a task: there is no interval."


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
