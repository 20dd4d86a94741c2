"""`alignment_table`: how alike arms' layers are to their reference's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cbablate.analysis.measures.alignment import Alignment, alignments
from cbablate.analysis.summary import Summary
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Blank, Cell, Count, Number, Spread, Text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.sheet import Sheet, Value
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.note import comment
from cbablate.statistics.estimate import Estimate

if TYPE_CHECKING:
    pass

__all__ = ["alignment_table"]

_HEADER = (
    *("study", "arm", "against", "pairing", "layer", "measure"),
    *("n", "planned", "mean", "sd", "low", "high"),
)
_DECIMALS = 3


def alignment_table(plan: Plan, summary: Summary) -> Table:
    """One row for each reference with itself at other seeds, and for each arm with its reference.

    Raises:
        CbablateError: no trial has left what it takes, or nothing is compared.
    """
    found = alignments(plan, summary)
    return Table(
        name=f"{plan.study.name}-alignment",
        caption="How alike are the arms' layers to their reference's?",
        columns=(
            Column("Arm", "text"),
            Column("With", "text"),
            Column("First layer", "spread"),
            Column("Last layer", "spread"),
            Column("Least alike", "spread"),
            Column("in layer", "text"),
            Column("n", "count", symbol=True),
        ),
        rows=tuple(Row(tuple(_cells(plan, one))) for one in found),
        notes=tuple(_notes(plan, found)),
        comment=comment(plan, summary),
        method=("Linear CKA of images' mean tokens, HSIC without bias; paired by replicate",),
        sheet=Sheet(_HEADER, tuple(_sheet(plan, found))),
    )


def _cells(plan: Plan, one: Alignment) -> Iterator[Cell]:
    yield Text(_name(plan, one.arm))
    yield Text("itself, other seed" if one.yardstick else _name(plan, one.against))
    if not one.layers:
        yield from (Blank(), Blank(), Blank(), Blank(), Count(0, 0))
        return
    least = min(range(len(one.layers)), key=lambda layer: _mean(one.layers[layer]))
    for layer in (0, len(one.layers) - 1, least):
        yield _spread(one.layers[layer])
    yield Text(f"{least + 1} of {len(one.layers)}")
    yield Count(one.layers[0].n, one.layers[0].planned)


def _spread(one: Estimate) -> Spread:
    half = None if one.half_width is None else Number(one.half_width, _DECIMALS)
    return Spread(Number(one.mean, _DECIMALS), half)


def _notes(plan: Plan, found: tuple[Alignment, ...]) -> Iterator[str]:
    yield (
        "Linear centred kernel alignment of the mean tokens that two networks' blocks give the "
        "same held-out images: 1 is the same up to rotation and scale, 0 nothing in common; "
        "estimated without the bias of few images, so it can be a little below 0. "
        "\u00b1: 95 % t-interval over n pairs of one seed."
    )
    if any(one.yardstick and one.layers for one in found):
        yield (
            "Itself, other seed: what two trainings of one arm have in common, mean over pairs of "
            "its seeds. An arm less like its reference than that was changed by more than another "
            "seed changes it."
        )
    for one in found:
        if one.why:
            pair = "itself" if one.yardstick else _name(plan, one.against)
            yield f"{_name(plan, one.arm)} with {pair}: {one.why}."


def _sheet(plan: Plan, found: tuple[Alignment, ...]) -> Iterator[tuple[Value, ...]]:
    for one in found:
        pairing = "next seed" if one.yardstick else "same seed"
        head = (plan.study.name, _name(plan, one.arm), _name(plan, one.against), pairing)
        for measure, layers in (("cka", one.layers), ("cka_biased", one.biased)):
            for index, layer in enumerate(layers):
                body = (layer.n, layer.planned, layer.mean, layer.sd, layer.low, layer.high)
                yield (*head, index, measure, *body)


def _name(plan: Plan, arm: str) -> str:
    return plan.arm_of[arm].name


def _mean(one: Estimate) -> float:
    return math.inf if one.mean is None else one.mean
