"""`component_table` and `pair_table`: what components contribute, and whether they add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cbablate.analysis.designs.components import Component, Components, Pair, components, pairs
from cbablate.analysis.summary import Summary, metric_of
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Blank, Cell, Number, Probability, Range, Spread, Text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.rounding import Ends
from cbablate.reporting.model.scale import Scale, scale_in, scale_of_differences
from cbablate.reporting.model.sheet import Sheet, Value
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.claim import difference_unit, few_found
from cbablate.reporting.sentences.note import comment
from cbablate.reporting.sentences.pairing import pair_word, several
from cbablate.reporting.sentences.rule import DAGGER, mark_words
from cbablate.statistics.estimate import Estimate

__all__ = ["component_table", "pair_table"]

_ESTIMATE = ("difference", "low", "high", "sd", "pairs")
_LABELS = {
    "alone": "alone",
    "last": "left out",
    "next": "next in order",
    "shapley": "Shapley",
}
_MEANING = {
    "alone": "Alone: added to the baseline by itself.",
    "last": "Left out: the full model minus the one without it.",
    "next": "Next in order: added to all that stand above it; another order gives other numbers.",
    "shapley": "Shapley: its addition averaged over all orders; these add up to the whole.",
}


def component_table(plan: Plan, summary: Summary) -> Table:
    """What each component contributes to the primary metric, a row each, and the whole.

    Raises:
        CbablateError: as `analysis.components.components` says.
    """
    name = _primary(plan, summary)
    told = components(plan, summary.replicates.of(name), name)
    kinds = [kind for kind in _LABELS if any(getattr(one, kind) for one in told.components)]
    every = [getattr(one, kind) for one in told.components for kind in kinds]
    scale = _scale(plan, summary, [*every, told.whole])
    unit = difference_unit(plan, scale, name)
    shared = any(one.share for one in told.components)
    columns = [Column("Component", "text")]
    columns += [Column(_LABELS[kind], "spread", unit) for kind in kinds]
    columns += [Column("share", "range", "%")] if shared else []
    rows = [Row(tuple(_component(one, kinds, scale, shared))) for one in told.components]
    if told.whole is not None:
        cells = [_spread(told.whole if kind == kinds[-1] else None, scale) for kind in kinds]
        rows.append(Row((Text("all of them"), *cells, *([Blank("")] * shared)), opens=True))
    return Table(
        name=f"{plan.study.name}-components",
        caption=f"What each component contributes to {metric_of(plan, name).label}.",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=tuple(_component_notes(plan, told, kinds, shared=shared)),
        comment=comment(plan, summary),
        method=("Differences paired by replicate; 95 % t-intervals, not adjusted",),
        sheet=_component_sheet(plan, told),
    )


def pair_table(plan: Plan, summary: Summary) -> Table:
    """Whether components add up on the primary metric, two at a time, the others at their first.

    Raises:
        CbablateError: as `analysis.components.pairs` says.
    """
    name = _primary(plan, summary)
    told = pairs(plan, summary.replicates.of(name), name, summary.replicates)
    scale = _scale(plan, summary, [e for one in told for e in (one.first, one.second, one.both)])
    unit = difference_unit(plan, scale, name)
    columns = (
        Column("A", "text"),
        Column("B", "text"),
        *(Column(label, "spread", unit) for label in ("A alone", "B alone", "A + B", "both")),
        Column("deviation", "spread", unit),
        Column("p", "probability", symbol=True),
    )
    return Table(
        name=f"{plan.study.name}-pairs",
        caption=f"Do components add up? {metric_of(plan, name).label} of one, the other, and both.",
        columns=columns,
        rows=tuple(Row(tuple(_pair(one, scale))) for one in told),
        notes=tuple(_pair_notes(plan, told)),
        comment=comment(plan, summary),
        method=("Paired by replicate; two-sided t test of both minus sum; Sidak over the pairs",),
        sheet=_pair_sheet(plan, told, name),
    )


def _primary(plan: Plan, summary: Summary) -> str:
    if not summary.primary:
        raise CbablateError(
            f"study '{plan.study.name}' reports no metric of trials: nothing is contributed to"
        )
    return summary.primary


def _scale(plan: Plan, summary: Summary, found: Sequence[Estimate | None]) -> Scale:
    """The scale of all these differences in the primary metric."""
    means = scale_in(plan, summary, summary.primary)
    return scale_of_differences(means, [_ends(one) for one in found if one is not None])


def _ends(one: Estimate) -> Ends:
    return (one.mean, None, None) if one.constant else (one.mean, one.low, one.high)


def _spread(one: Estimate | None, scale: Scale) -> Cell:
    if one is None:
        return Blank("")
    return Blank() if one.mean is None else scale.interval(*_ends(one)).spread()


def _component(one: Component, kinds: Sequence[str], scale: Scale, shared: bool) -> Iterator[Cell]:
    yield Text(one.factor)
    for kind in kinds:
        yield _spread(getattr(one, kind), scale)
    if shared:
        ends = one.share
        yield Range(*(Number(100 * end, 0) for end in ends)) if ends else Blank()


def _component_notes(
    plan: Plan, told: Components, kinds: Sequence[str], *, shared: bool
) -> Iterator[str]:
    yield f"±: half-width of the 95 % t-interval over paired {several(plan)}, not adjusted."
    yield " ".join(_MEANING[kind] for kind in kinds)
    if plan.study.design == "leave_one_out":
        yield (
            "These need not add up to what all components gain together: components that stand in "
            "for one another each seem to cost little. Only design: factorial tells."
        )
    if shared:
        yield "Share: of the whole, with Fieller's 95 % interval."
    elif "shapley" in kinds:
        yield "No share is given: the whole itself is not told from zero."
    if told.left_out:
        yield f"Replicates that not all arms completed enter no Shapley value: {_listed(told)}."


def _listed(told: Components) -> str:
    return ", ".join(f"#{one}" for one in told.left_out)


def _component_sheet(plan: Plan, told: Components) -> Sheet:
    header = (
        "study",
        "metric",
        "component",
        "kind",
        *_ESTIMATE,
        "share",
        "share_low",
        "share_high",
    )
    rows: list[tuple[Value, ...]] = []
    for one in told.components:
        for kind in _LABELS:
            said: Estimate | None = getattr(one, kind)
            if said is not None:
                share = one.share if kind == "shapley" and one.share else (None,) * 3
                head = (plan.study.name, told.metric, one.factor, kind)
                rows.append((*head, *_numbers(said), *share))
    if told.whole is not None:
        head = (plan.study.name, told.metric, "all of them", "whole")
        rows.append((*head, *_numbers(told.whole), None, None, None))
    return Sheet(header, tuple(rows))


def _pair(one: Pair, scale: Scale) -> Iterator[Cell]:
    yield from (Text(name) for name in one.names)
    yield _spread(one.first, scale)
    yield _spread(one.second, scale)
    known = one.first.mean is not None and one.second.mean is not None
    summed = (one.first.mean or 0.0) + (one.second.mean or 0.0)
    yield Spread(scale.number(summed, signed=True)) if known else Blank()
    yield _spread(one.both, scale)
    said = one.deviation
    if said.difference is None:
        yield Blank()
    else:
        mark = DAGGER if one.sure else ""
        yield scale.interval(said.difference, said.low, said.high).spread(mark)
    yield Blank() if said.p_adjusted is None else Probability(said.p_adjusted)


def _pair_notes(plan: Plan, told: Sequence[Pair]) -> Iterator[str]:
    yield (
        f"Differences from the baseline, paired by {pair_word(plan)}; ±: half-width of the 95 % "
        "t-interval, not adjusted. Deviation: both minus A + B; zero where components add up."
    )
    over = ""
    if len(told) > 1:
        over = f", it and the interval corrected over {len(told)} pairs (Šidák)"
    gaps = [one.deviation for one in told]
    mark = f" {mark_words(plan, gaps)}" if any(one.sure for one in told) else ""
    tested = any(one.p is not None for one in gaps)
    if tested:
        yield f"p: two-sided paired t test of the deviation{over}.{mark}"
    if any(one.p is None and one.n > 1 for one in gaps):
        same = f"Where the deviation is the same for all {several(plan)}"
        yield f"{same}, there is nothing to test it against."
    if len(plan.study.factors) > 2:
        yield "All other factors are at their first level."
    yield from few_found(plan, gaps, "t")
    fewest, most = min(one.n for one in gaps), max(one.n for one in gaps)
    if fewest == most == 1:
        yield f"One {pair_word(plan)} has all four arms."
    else:
        many = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        yield f"{many} {several(plan)} have all four arms."


def _pair_sheet(plan: Plan, told: Sequence[Pair], metric: str) -> Sheet:
    header = ("study", "metric", "a", "b", "kind", *_ESTIMATE, "p", "p_adjusted", "family")
    rows: list[tuple[Value, ...]] = []
    for one in told:
        head = (plan.study.name, metric, *one.names)
        for kind, said in (("a", one.first), ("b", one.second), ("both", one.both)):
            rows.append((*head, kind, *_numbers(said), None, None, None))
        gap = one.deviation
        numbers = (gap.difference, gap.low, gap.high, gap.sd, gap.n)
        rows.append((*head, "deviation", *numbers, gap.p, gap.p_adjusted, gap.family))
    return Sheet(header, tuple(rows))


def _numbers(one: Estimate) -> tuple[Value, ...]:
    return (one.mean, one.low, one.high, one.sd, one.n)
