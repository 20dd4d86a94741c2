"""The effects of a factorial's factors in words: what all its arms show together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from cbablate.analysis.designs.factorial import HIGHER, Effect, Effects, effects
from cbablate.analysis.summary import Summary, metric_of
from cbablate.errors import CbablateError
from cbablate.phrases import first_few, listed
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Probability
from cbablate.reporting.model.scale import scale_in
from cbablate.statistics.power import FEWEST_PAIRS

__all__ = ["effect_claims"]

_MOST_DECIMALS = 9


def effect_claims(plan: Plan, summary: Summary, *, brief: bool = False) -> Iterator[str]:
    """A sentence on the effects that are sure; none where replicates are too few, or grow, nor
    where each arm has one search, whose luck is in no error.

    If `brief`, it names them.

    A single factor of two levels is left to the claim of its one arm, which is the same test.
    """
    name, factors = summary.primary, plan.study.factors
    if plan.study.design != "factorial" or not name or summary.course is not None:
        return
    if plan.searches == 1:
        return
    try:
        split = effects(plan, summary.replicates.of(name), name)
    except CbablateError:
        return  # there is no such decomposition
    alone = len(factors) == 1 and len(factors[0].levels) == 2
    sure = [one for one in split.effects if one.sure]
    if alone or not sure or len(split.blocks) < FEWEST_PAIRS:
        return
    if brief:
        names = listed([one.name for one in sure])
        yield f"All arms together show an effect of {names} (`cbablate table --effects`)."
        return
    count = len(split.effects)
    over = f"p Holm-adjusted over {count} effects; " if count > 1 else ""
    said = [_said(plan, summary, split, one) for one in sure]
    yield f"All arms together ({over}`cbablate table --effects`): {first_few(said)}."


def _said(plan: Plan, summary: Summary, split: Effects, one: Effect) -> str:
    p = Probability(one.p_adjusted or 0.0).plain
    p = f"p {'' if p.startswith('<') else '= '}{p}"
    if len(one.factors) == 1:
        return (
            f"{one.name} makes a difference on average, {_means(plan, summary, split, one)} ({p})"
        )
    if len(one.factors) == 2:
        first, second = one.factors
        return f"what {first} does depends on {second} ({p})"
    what = HIGHER if one.name == HIGHER else f"{one.name} together"
    return f"{what} do not add up from their pairs ({p})"


def _means(plan: Plan, summary: Summary, split: Effects, one: Effect) -> str:
    """The means of the factor's levels over all else: both, or the lowest and the highest."""
    (factor,), name = one.factors, summary.primary
    values = summary.replicates.of(name)
    by_level: dict[str, list[float]] = {}
    for arm in plan.arms:
        known = values[arm.id]
        by_level.setdefault(arm.levels[factor], []).extend(known[r] for r in split.blocks)
    means = {level: math.fsum(some) / len(some) for level, some in by_level.items()}
    ends = [*means] if len(means) == 2 else sorted(means, key=lambda level: means[level])
    low, high = ends[0], ends[-1]
    scale = scale_in(plan, summary, name)
    while scale.decimals < _MOST_DECIMALS and (
        scale.number(means[low]).plain == scale.number(means[high]).plain
    ):
        scale = replace(scale, decimals=scale.decimals + 1)
    unit = scale.unit(metric_of(plan, name).unit)
    first, second = (f"{scale.number(means[level]).plain} {unit}".rstrip() for level in (low, high))
    joint = "and" if len(means) == 2 else "to"
    return f"{first} with “{low}” {joint} {second} with “{high}”"
