"""`outcome_table`: the table that answers a study, a row for each arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from cbablate.analysis.designs.best import best_arms
from cbablate.analysis.outcome import Outcome, Tuned
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import (
    Blank,
    Cell,
    Count,
    Probability,
    Range,
    Spread,
    Text,
)
from cbablate.reporting.model.column import Column, Kind, Row
from cbablate.reporting.model.scale import Scale, difference_scale, scale_in, scale_of
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.brief import brief, short_legend, short_tuning
from cbablate.reporting.sentences.caption import BEST, stated, statement
from cbablate.reporting.sentences.claim import difference_unit
from cbablate.reporting.sentences.note import (
    comment,
    marked,
    method,
    notes,
)
from cbablate.reporting.sentences.pairing import WELCH
from cbablate.reporting.sentences.rule import DAGGER
from cbablate.reporting.sentences.tuning_note import effort_notes, tuning_comment, tuning_notes
from cbablate.reporting.tables.numbers import sheet
from cbablate.spec.metric import Metric

__all__ = ["ablation_table", "headed", "outcome_table"]

_Filled = tuple[Column, list[Cell]]


def outcome_table(found: Outcome) -> Table:
    """The table of what became of a study."""
    return ablation_table(found.plan, found.summary, tuned=found.tuned)


def ablation_table(plan: Plan, summary: Summary, *, tuned: Tuned | None = None) -> Table:
    """The table that answers a study: a row for each arm, a column for each reported metric.

    The first reported trial metric is the primary one: it has differences and p values, and of a
    study that tunes its arms, beside them what the same arms have at the hyperparameters as
    written. Where nothing has been run yet, dashes stand.
    """
    report = list(dict.fromkeys(plan.study.report))
    primary = summary.primary
    arms, opens, levels = _order(plan, summary.arms)
    best = best_arms(plan, summary)
    columns = _names(plan, arms, opens)
    for name in report:
        metric = metric_of(plan, name)
        if metric.source == "timing":
            columns.append(_timing(metric, arms))
            continue
        scale = scale_in(plan, summary, name)
        columns.append(_estimates(metric, scale, arms, best if name == primary else frozenset()))
        if name == primary and any(arm.against for arm in plan.arms):
            apart = difference_scale(plan, summary, name)
            columns += [_differences(plan, metric, apart, arms), _ps(metric, arms)]
            if tuned is not None and tuned.fixed is not None:
                alike = _like(arms, summary, tuned.fixed)
                columns += _fixed(plan, metric, scale=scale, fixed=tuned.fixed, arms=alike)
    columns.append(_counted(primary, arms, plan.study.most_replicates))
    cells = zip(*(filled for _, filled in columns), strict=True)
    return Table(
        name=plan.study.name,
        caption=" ".join(plan.study.question.split()),
        columns=tuple(column for column, _ in columns),
        rows=tuple(
            Row(row, first, one.arm.id, level)
            for row, first, one, level in zip(cells, opens, arms, levels, strict=True)
        ),
        notes=(*effort_notes(tuned), *notes(plan, summary), *tuning_notes(summary, tuned)),
        brief=brief(plan, summary, tuned),
        signs=(*short_legend(plan, summary), *short_tuning(tuned)),
        comment=(*comment(plan, summary), *tuning_comment(tuned)),
        method=method(summary, plan.study.analysis),
        sheet=sheet(plan, summary, tuned=tuned),
        data=summary.data,
        typesetting=plan.study.typesetting,
        statement=statement(plan, summary, tuned, bold=bool(best)),
        stated=stated(plan, summary, tuned),
        bold=BEST if best else "",
    )


def _grouping(plan: Plan) -> list[str]:
    """The factors, in a factorial, whose combinations are the groups of rows."""
    names = [factor.name for factor in plan.study.factors]
    inner = plan.study.contrast or (names[-1] if names else None)
    return [name for name in names if name != inner]


def _order(
    plan: Plan, arms: Sequence[ArmSummary]
) -> tuple[list[ArmSummary], list[bool], list[int]]:
    """The arms as rows, those of a group together; which rows open a group, and at which factor."""
    grouping = _grouping(plan)
    if plan.study.design != "factorial" or not grouping:
        return list(arms), [False] * len(arms), [0] * len(arms)
    groups: dict[tuple[str, ...], list[ArmSummary]] = {}
    for one in arms:
        groups.setdefault(tuple(one.arm.levels[name] for name in grouping), []).append(one)
    ordered = [one for group in groups.values() for one in group]
    keys = list(groups)
    opens: list[bool] = []
    levels: list[int] = []
    for number, (key, group) in enumerate(groups.items()):
        before = keys[number - 1] if number else key
        changed = [place for place in range(len(key)) if key[place] != before[place]]
        opens += [index == 0 and number > 0 for index in range(len(group))]
        levels += [changed[0] if changed and index == 0 else 0 for index in range(len(group))]
    return ordered, opens, levels


def _names(plan: Plan, arms: Sequence[ArmSummary], opens: Sequence[bool]) -> list[_Filled]:
    """One column of arm names; in a factorial one for each factor, the compared one last."""
    grouping = _grouping(plan)
    if plan.study.design != "factorial" or not grouping:
        label = plan.study.factors[0].name if len(plan.study.factors) == 1 else "Arm"
        return [(Column(headed(label), "text"), [Text(one.arm.name) for one in arms])]
    inner = [f.name for f in plan.study.factors if f.name not in grouping]
    columns: list[_Filled] = []
    for place, name in enumerate([*grouping, *inner]):
        filled: list[Cell] = []
        for index, one in enumerate(arms):
            outer = grouping[: place + 1]
            repeated = (
                name in grouping
                and index > 0
                and all(one.arm.levels[f] == arms[index - 1].arm.levels[f] for f in outer)
                and not (opens[index] and place == len(grouping) - 1)
            )
            filled.append(Text("" if repeated else one.arm.levels[name]))
        columns.append((Column(headed(name), "text"), filled))
    return columns


def headed(name: str) -> str:
    """A factor's name as a heading: with a capital, unless it is an identifier."""
    return name[:1].upper() + name[1:] if name.replace(" ", "").isalpha() else name


def _estimates(
    metric: Metric,
    scale: Scale,
    arms: Sequence[ArmSummary],
    best: frozenset[str] = frozenset(),
) -> _Filled:
    filled: list[Cell] = []
    for one in arms:
        said = one.estimates[metric.name]
        if said.mean is None:
            filled.append(Blank())
            continue
        half = None if said.constant else said.half_width
        filled.append(replace(_spread(scale, said.mean, half), best=one.arm.id in best))
    unit = scale.unit(metric.unit)
    return (
        Column(
            metric.label,
            "spread",
            unit,
            metric.direction,
            metric=metric.name,
            quantity="mean",
        ),
        filled,
    )


def _differences(plan: Plan, metric: Metric, scale: Scale, arms: Sequence[ArmSummary]) -> _Filled:
    filled: list[Cell] = []
    bca = plan.study.analysis.interval == "bca"
    for one in arms:
        said = one.contrasts.get(metric.name)
        if said is None:
            filled.append(Blank("ref."))
        elif said.difference is None:
            filled.append(Blank())
        else:
            mark = WELCH if said.kind == "welch" and said.low is not None else ""
            mark = DAGGER if marked(one, metric.name) else mark
            written = scale.interval(said.difference, said.low, said.high)
            if bca and written.low is not None and written.high is not None:
                filled.append(Range(written.centre, written.low, written.high, mark=mark))
                continue
            filled.append(written.spread(mark))
    kind: Kind = "range" if bca else "spread"
    unit = difference_unit(plan, scale, metric.name)
    return Column("Δ", kind, unit, metric=metric.name, quantity="difference"), filled


def _like(arms: Sequence[ArmSummary], summary: Summary, other: Summary) -> list[ArmSummary]:
    """The arms of another summary of the same rows, in the order of these."""
    places = {one.arm.id: place for place, one in enumerate(summary.arms)}
    return [other.arms[places[one.arm.id]] for one in arms]


def _fixed(
    plan: Plan, metric: Metric, *, scale: Scale, fixed: Summary, arms: Sequence[ArmSummary]
) -> list[_Filled]:
    """Mean and difference at the hyperparameters as written."""
    mean, means = _estimates(metric, scale, arms)
    apart = difference_scale(plan, fixed, metric.name)
    difference, differences = _differences(plan, metric, apart, arms)
    return [
        (replace(mean, label="Fixed", direction=None, quantity="fixed"), means),
        (replace(difference, label="Δ fixed", quantity="fixed"), differences),
    ]


def _spread(scale: Scale, centre: float, half: float | None) -> Spread:
    known = half is not None and math.isfinite(half)
    return Spread(scale.number(centre), scale.number(half) if known else None)


def _ps(metric: Metric, arms: Sequence[ArmSummary]) -> _Filled:
    filled: list[Cell] = []
    for one in arms:
        said = one.contrasts.get(metric.name)
        p = said.p_adjusted if said else None
        filled.append(Blank() if p is None else Probability(p))
    return Column("p", "probability", symbol=True, metric=metric.name, quantity="p"), filled


def _timing(metric: Metric, arms: Sequence[ArmSummary]) -> _Filled:
    timed = [one.timings.get(metric.name) for one in arms]
    scale = scale_of(metric, [timing.median for timing in timed if timing])
    filled: list[Cell] = []
    for timing in timed:
        if timing is None:
            filled.append(Blank())
        else:
            low, centre, high = map(scale.number, (timing.low, timing.median, timing.high))
            filled.append(Range(centre, low, high))
    unit = scale.unit(metric.unit)
    return (
        Column(
            metric.label, "range", unit, metric.direction, metric=metric.name, quantity="timing"
        ),
        filled,
    )


def _counted(primary: str, arms: Sequence[ArmSummary], planned: int) -> _Filled:
    filled: list[Cell] = []
    for one in arms:
        said = one.estimates[primary] if primary else None
        filled.append(Count(said.n, said.planned) if said else Count(one.counts.complete, planned))
    return Column("n", "count", symbol=True, metric=primary, quantity="n"), filled
