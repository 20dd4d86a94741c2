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
from cbablate.reporting.sentences.claim import difference_unit, few_found
from cbablate.reporting.sentences.note import comment
from cbablate.reporting.sentences.pairing import pair_word, several
from cbablate.reporting.sentences.rule import DAGGER, mark_words

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
    yield Count(said.pairs, said.pairs)


def _notes(plan: Plan, told: Sequence[Screened]) -> Iterator[str]:
    effects = [one.effect for one in told]
    searches = f"{effects[0].n} searches' means, of the n replicates"
    over = searches if plan.searches > 1 else "n seeds"
    yield (
        "Effect: mean of the half of the arms that have the factor on, minus that of the other "
        f"half, paired by {pair_word(plan)}; ±: half-width of the "
        f"{'simultaneous ' if len(told) > 1 else ''}95 % t-interval over the {over} "
        f"that all {len(plan.arms)} arms have."
    )
    tested = any(one.p is not None for one in effects)
    if tested:
        over = f", it and the interval corrected over {len(told)} factors (Šidák)"
        over = over if len(told) > 1 else ""
        mark = f" {mark_words(plan, effects)}" if any(one.sure for one in told) else ""
        yield f"p: two-sided t test over {several(plan)}{over}.{mark}"
    else:
        same = f"Where an effect is the same for all {several(plan)}"
        yield f"{same}, there is nothing to test it against."
    yield from few_found(plan, effects, "t")
    yield from aliases(plan.study.design, [factor.name for factor in plan.study.factors])


def _row(plan: Plan, metric: str, one: Screened) -> tuple[Value, ...]:
    said = one.effect
    numbers = (said.difference, said.low, said.high, said.sd, said.n, said.p, said.p_adjusted)
    return (plan.study.name, metric, one.factor, *numbers, said.family)
