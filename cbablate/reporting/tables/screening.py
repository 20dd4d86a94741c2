"""`screening_table`: the effects of a screening design's factors, and what they are mixed with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cbablate.analysis.designs.screening import Screened, screened
from cbablate.analysis.summary import Summary, metric_of
from cbablate.planning.plan import Plan
from cbablate.planning.screening import aliases
from cbablate.reporting.model.cell import Blank, Cell, Count, Probability, Text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.scale import Scale, scale_in, scale_of_differences
from cbablate.reporting.model.sheet import Sheet, Value
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.claim import difference_unit, few_pairs
from cbablate.reporting.sentences.note import DAGGER, MARK, comment

__all__ = ["screening_table"]

_HEADER = (
    *("study", "metric", "factor", "effect", "low", "high", "sd", "seeds", "p", "p_adjusted"),
    "family",
)


def screening_table(plan: Plan, summary: Summary) -> Table:
    """Effects on the primary metric, a factor a row, the largest first; the sheet keeps order.

    Raises:
        CbablateError: as `analysis.screening.screened` says.
    """
    name = summary.primary
    told = screened(plan, summary.replicates.of(name), name, summary.replicates)
    ends = [(one.effect.difference, one.effect.low, one.effect.high) for one in told]
    scale = scale_of_differences(scale_in(plan, summary, name), ends)
    unit = difference_unit(plan, scale, name)
    ordered = sorted(told, key=lambda one: -abs(one.effect.difference or 0.0))
    return Table(
        name=f"{plan.study.name}-effects",
        caption=f"Effects of {len(told)} factors on {metric_of(plan, name).label}, screened.",
        columns=(
            Column("Factor", "text"),
            Column("effect", "spread", unit, metric_of(plan, name).direction),
            Column("p", "probability", symbol=True),
            Column("n", "count", symbol=True),
        ),
        rows=tuple(Row(tuple(_cells(one, scale))) for one in ordered),
        notes=tuple(_notes(plan, told)),
        comment=comment(plan, summary),
        method=("Halves of the arms, paired by replicate; two-sided t test; Sidak over factors",),
        sheet=Sheet(_HEADER, tuple(_row(plan, name, one) for one in told)),
    )


def _cells(one: Screened, scale: Scale) -> Iterator[Cell]:
    said = one.effect
    yield Text(one.factor)
    mark = DAGGER if one.sure else ""
    yield scale.interval(said.difference, said.low, said.high).spread(mark)
    yield Blank() if said.p_adjusted is None else Probability(said.p_adjusted)
    yield Count(said.n, said.n)


def _notes(plan: Plan, told: Sequence[Screened]) -> Iterator[str]:
    yield (
        "Effect: mean of the half of the arms that have the factor on, minus that of the other "
        "half, paired by seed; ±: half-width of the "
        f"{'simultaneous ' if len(told) > 1 else ''}95 % t-interval over the n seeds that all "
        f"{len(plan.arms)} arms have."
    )
    tested = any(one.effect.p is not None for one in told)
    if tested:
        over = f", it and the interval corrected over {len(told)} factors (Šidák)"
        over = over if len(told) > 1 else ""
        mark = f" {MARK}" if any(one.sure for one in told) else ""
        yield f"p: two-sided t test over seeds{over}.{mark}"
    else:
        yield "Where an effect is the same for all seeds, there is nothing to test it against."
    yield from few_pairs([one.effect.n for one in told], "t" if tested else "")
    yield from aliases(plan.study.design, [factor.name for factor in plan.study.factors])


def _row(plan: Plan, metric: str, one: Screened) -> tuple[Value, ...]:
    said = one.effect
    numbers = (said.difference, said.low, said.high, said.sd, said.n, said.p, said.p_adjusted)
    return (plan.study.name, metric, one.factor, *numbers, said.family)
