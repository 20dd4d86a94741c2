"""`effect_table`: which factors and pairs of factors a factorial's variation comes from."""

from __future__ import annotations

from collections.abc import Iterator

from cbablate.analysis.designs.factorial import Effect, Effects, Part, effects
from cbablate.analysis.summary import Summary, metric_of
from cbablate.errors import CbablateError
from cbablate.phrases import first_few, listed
from cbablate.planning.design import SCREENING
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Blank, Cell, Count, Number, Probability, Spread, Text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.sheet import Sheet, Value
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.claim import few_blocks
from cbablate.reporting.sentences.note import comment
from cbablate.reporting.sentences.pairing import pair_word, several
from cbablate.reporting.tables.screening import screening_table
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS

__all__ = ["effect_table"]

_HEADER = (
    *("study", "metric", "effect", "df", "sum_of_squares", "eta2", "partial_eta2", "omega2"),
    *("F", "p", "p_holm", "seeds", "seeds_left_out", "error_df", "error_sum_of_squares", "epsilon"),
    "p_sign_flip",
)
_COLUMNS = (
    Column("Effect", "text"),
    Column("df", "count"),
    Column("error df", "count"),
    Column("η²", "spread"),
    Column("partial η²", "spread"),
    Column("ω²", "spread"),
    Column("F", "spread", symbol=True),
    Column("p", "probability", symbol=True),
)


def effect_table(plan: Plan, summary: Summary) -> Table:
    """Effects on the primary metric, a row each, then seeds and error; the sheet has all metrics.

    Raises:
        CbablateError: as `analysis.factorial.effects` says, of the primary metric.
    """
    name = summary.primary
    if not name:
        raise CbablateError(
            f"study '{plan.study.name}' reports no metric of trials, so there are no effects"
        )
    if plan.study.design in SCREENING:
        return screening_table(plan, summary)
    split = effects(plan, summary.replicates.of(name), name)
    label, blocks = metric_of(plan, name).label, several(plan)
    rows = [Row(tuple(_cells(one, one.name))) for one in split.effects]
    rows.append(Row(tuple(_cells(split.seeds, several(plan))), opens=True))
    rows.append(Row(tuple(_cells(split.error, "error"))))
    return Table(
        name=f"{plan.study.name}-effects",
        caption=f"Effects of {listed([f.name for f in plan.study.factors])} on {label}.",
        columns=_COLUMNS,
        rows=tuple(rows),
        notes=tuple(_notes(plan, split)),
        comment=comment(plan, summary),
        method=(
            f"Analysis of variance with {blocks} as blocks, each effect against its interaction "
            f"with {blocks}; Holm over the effects",
        ),
        sheet=Sheet(_HEADER, tuple(_sheet(plan, summary, split))),
    )


def _cells(one: Part, name: str) -> Iterator[Cell]:
    yield Text(name)
    yield Count(one.freedom, one.freedom)
    yield Count(one.error.freedom, one.error.freedom) if isinstance(one, Effect) else Blank("")
    yield Spread(Number(one.eta, 3))
    if not isinstance(one, Effect):
        yield from (Blank(""), Blank(""), Blank(""), Blank(""))
        return
    yield Spread(Number(one.partial_eta, 3))
    yield Spread(Number(one.omega, 3))
    yield Blank() if one.f is None else Spread(Number(one.f, 2))
    yield Blank() if one.p_adjusted is None else Probability(one.p_adjusted)


def _notes(plan: Plan, split: Effects) -> Iterator[str]:
    yield (
        "η²: share of all variation; the shares add up to 1. Partial η²: share of what the effect "
        "and its error have together. ω²: η² without what chance puts in; it can come out below 0."
    )
    count, blocks = len(split.effects), several(plan)
    over = f", Holm-adjusted over {count} effects" if count > 1 else ""
    if split.effects[0].f is None:
        yield "The values do not vary but by the effects, so there is nothing to test against."
    else:
        yield (
            f"F, p: analysis of variance with {blocks} as blocks, {len(split.blocks)} {blocks} in "
            f"each of {len(plan.arms)} arms{over}. Each effect has an error of its own, how it "
            f"differs between {blocks} ({pair_word(plan)} by effect), so that effects need not "
            "vary alike."
        )
        if any(one.freedom > 1 for one in split.effects):
            yield "Beyond one degree of freedom p is by Greenhouse and Geisser's correction."
    yield from few_blocks(plan, len(split.blocks), "" if split.effects[0].f is None else "F")
    yield from _unconfirmed(plan, split)
    if split.left_out:
        yield (
            f"Left out, as not all arms completed them: replicate{'s' * (len(split.left_out) > 1)} "
            f"{', '.join(f'#{one}' for one in split.left_out)}."
        )


def _unconfirmed(plan: Plan, split: Effects) -> Iterator[str]:
    """Which effects have a p value below ALPHA and are found all the same in no sentence."""
    if len(split.blocks) < FEWEST_PAIRS:
        return  # where nothing is found at all
    doubted = [
        f"{one.name} (p = {Probability(one.p_sign_flip).plain})"
        for one in split.effects
        if one.p_sign_flip is not None and (one.p_adjusted or 1.0) < ALPHA and not one.sure
    ]
    if doubted:
        yield (
            "Not among the findings, as the exact sign-flip test does not agree: "
            f"{first_few(doubted)}."
        )


def _sheet(plan: Plan, summary: Summary, primary: Effects) -> Iterator[tuple[Value, ...]]:
    for metric in summary.metrics:
        try:
            known = metric == summary.primary
            split = primary if known else effects(plan, summary.replicates.of(metric), metric)
        except CbablateError:
            continue  # nothing varies, or a trial lacks it: the sheet has a row where there is one
        tail = (len(split.blocks), len(split.left_out))
        head = (plan.study.name, metric)
        for one in split.effects:
            shares = (one.freedom, one.squares, one.eta, one.partial_eta, one.omega)
            own = (one.error.freedom, one.error.squares, one.epsilon, one.p_sign_flip)
            yield (*head, one.name, *shares, one.f, one.p, one.p_adjusted, *tail, *own)
        for word, part in (("seeds", split.seeds), ("error", split.error)):
            yield (
                *head,
                word,
                part.freedom,
                part.squares,
                part.eta,
                *([None] * 5),
                *tail,
                *([None] * 4),
            )
