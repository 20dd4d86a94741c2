"""`Component`: what each of several two-level factors contributes, by itself and among the others.

What can be said depends on which arms there are. A full factorial has every subset of components,
so that a component's contribution can be averaged over all orders in which components could be
added (Shapley 1953): those values add up to the difference between all and none. `leave_one_out`
tells what the full model loses without each; `cumulative` what each adds in one order. Neither
adds up to anything but by chance of the order, wherever components depend on one another.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cbablate.analysis.contrasts.contrast import Contrast, adjusted, contrast
from cbablate.analysis.contrasts.replicates import UNSEARCHED, Replicates, Values, complete
from cbablate.analysis.contrasts.searched import searched
from cbablate.analysis.contrasts.verdict import findings
from cbablate.analysis.designs.factorial import by_cell
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.spec.design import DESIGNS
from cbablate.statistics.estimate import Estimate, estimate
from cbablate.statistics.student_t import critical

__all__ = ["Component", "Components", "Pair", "components", "pairs", "ratio_interval", "shapley"]

Subset = frozenset[int]
"""The places, among the factors, of those that are at their second level."""


@dataclass(frozen=True)
class Component:
    """A factor's contribution, each kind with its 95 % t-interval over seeds; None where the
    design does not tell it.

    `alone` is added to the baseline by itself; `last` is what the full model loses without it;
    `next` is added to all that stand before it in the study; `shapley` averages over all orders,
    and `share` is that over the whole, with Fieller's interval, None where the whole may be zero.
    """

    factor: str
    alone: Estimate | None = None
    last: Estimate | None = None
    next: Estimate | None = None
    shapley: Estimate | None = None
    share: tuple[float, float, float] | None = None
    """Share, low, high."""


@dataclass(frozen=True)
class Components:
    """All components on one metric; `whole` is all of them minus none, where both arms are.

    `left_out` replicates are not whole, and entered nothing of a factorial.
    """

    metric: str
    components: tuple[Component, ...]
    whole: Estimate | None
    left_out: tuple[int, ...] = ()


@dataclass(frozen=True)
class Pair:
    """Two levels of two factors, the others at their first: alone, together, and how far together
    is from the sum. `deviation` is that difference, tested, one of a family; `sure` says whether it
    is found, as findings are (`contrasts.verdict`).
    """

    names: tuple[str, str]
    first: Estimate
    second: Estimate
    both: Estimate
    deviation: Contrast
    sure: bool


def components(plan: Plan, found: Values, metric: str) -> Components:
    """What each factor contributes to a metric, from its values by arm and replicate.

    Raises:
        CbablateError: the design tells nothing of components, or a factor has three levels.
    """
    study = plan.study
    if not DESIGNS[study.design].components:
        changed = "one thing at a time: its table has all there is to say of components"
        if DESIGNS[study.design].screening:
            changed = "several factors at once: `cbablate table --effects` has the effect of each"
        *others, last = (name for name, row in DESIGNS.items() if row.components)
        raise CbablateError(
            f"design {study.design} of study '{study.name}' changes {changed}. Use design: "
            f"{', '.join(others)} or {last}"
        )
    many = [factor.name for factor in study.factors if len(factor.levels) != 2]
    if many or not study.factors:
        what = f"{', '.join(many)} {'has' if len(many) == 1 else 'have'} more" if many else "none"
        raise CbablateError(
            f"components are factors of two levels, off and on; in study '{study.name}' {what}"
        )
    if study.design == "factorial":
        return _from_all_subsets(plan, found, metric)
    arms = [arm.id for arm in plan.arms]
    if study.design == "leave_one_out":
        lost = [_minus(found, arms[0], arm) for arm in arms[1:]]
        told = [Component(f.name, last=one) for f, one in zip(study.factors, lost, strict=True)]
        return Components(metric, tuple(told), None)
    steps = [_minus(found, arm, before) for before, arm in itertools.pairwise(arms)]
    told = [Component(f.name, next=one) for f, one in zip(study.factors, steps, strict=True)]
    return Components(metric, tuple(told), _minus(found, arms[-1], arms[0]))


def pairs(plan: Plan, found: Values, metric: str, of: Replicates = UNSEARCHED) -> list[Pair]:
    """How far every two levels of two factors are from adding up, the other factors at their first.

    `of` are the replicates whose values of the metric were found, where arms were searched.

    Raises:
        CbablateError: the design lacks combinations, or there are fewer than two factors.
    """
    cells = by_cell(plan)
    factors = plan.study.factors
    if len(factors) < 2:
        raise CbablateError(f"study '{plan.study.name}' has one factor: there is no pair of two")
    firsts = tuple(factor.levels[0].name for factor in factors)
    none = found[cells[firsts]]
    told: list[tuple[tuple[str, str], Estimate, Estimate, Estimate]] = []
    family: list[Contrast] = []
    behind: list[list[str]] = []
    for (i, one), (j, other) in itertools.combinations(enumerate(factors), 2):
        for a, b in itertools.product(one.levels[1:], other.levels[1:]):
            at = {i: a.name, j: b.name}
            arms = [
                cells[tuple(at[p] if p in on else name for p, name in enumerate(firsts))]
                for on in ({i}, {j}, {i, j})
            ]
            first, second, both = (found[arm] for arm in arms)
            behind.append([cells[firsts], *arms])
            shared = none.keys() & first.keys() & second.keys() & both.keys()
            summed = {r: first[r] + second[r] - none[r] for r in shared}
            named = [
                f"{f.name} {level.name}" if len(f.levels) > 2 else f.name
                for f, level in ((one, a), (other, b))
            ]
            a_alone, b_alone, together = (_over(shared, x, none) for x in (first, second, both))
            told.append(((named[0], named[1]), a_alone, b_alone, together))
            family.append(contrast({r: both[r] for r in shared}, summed, against=""))
    tested = searched(adjusted(family), behind, of, metric)
    sure = [one.sure for one in findings(tested, direction=None)]
    return [
        Pair(*alone, deviation, found_so)
        for alone, deviation, found_so in zip(told, tested, sure, strict=True)
    ]


def shapley(worth: Mapping[Subset, float], players: int) -> list[float]:
    """Each player's Shapley value in the game whose coalitions are worth so much; they add up to
    the worth of all minus that of none. `worth` has all 2^players coalitions.
    """
    weights = [
        math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
        for size in range(players)
    ]
    return [
        math.fsum(
            weights[len(others)] * (worth[others | {player}] - worth[others])
            for others in worth
            if player not in others
        )
        for player in range(players)
    ]


def ratio_interval(parts: Sequence[float], wholes: Sequence[float]) -> tuple[float, float] | None:
    """Fieller's 95 % interval of mean part over mean whole, paired; None where it is not finite,
    because the whole is not told from zero (Fieller 1954).

    The interval holds the ratios r for which a t test does not refuse that part - r whole is zero.
    """
    n = len(parts)
    if n < 2:
        return None
    mean_part, mean_whole = math.fsum(parts) / n, math.fsum(wholes) / n
    bound = critical(n - 1) ** 2 / n / (n - 1)

    def spread(left: Sequence[float], right: Sequence[float], a: float, b: float) -> float:
        products = ((x - a) * (y - b) for x, y in zip(left, right, strict=True))
        return bound * math.fsum(products)

    square = mean_whole**2 - spread(wholes, wholes, mean_whole, mean_whole)
    if square <= 0:
        return None
    half = mean_part * mean_whole - spread(parts, wholes, mean_part, mean_whole)
    rest = mean_part**2 - spread(parts, parts, mean_part, mean_part)
    root = math.sqrt(max(0.0, half**2 - square * rest))
    return (half - root) / square, (half + root) / square


def _from_all_subsets(plan: Plan, found: Values, metric: str) -> Components:
    subsets = {
        frozenset(p for p, f in enumerate(plan.study.factors) if cell[p] != f.levels[0].name): arm
        for cell, arm in by_cell(plan).items()
    }
    players = len(plan.study.factors)
    full, none = frozenset(range(players)), Subset()
    blocks = complete(found, [*subsets.values()])
    if not blocks:
        raise CbablateError(
            f"no replicate has been completed in all {len(subsets)} arms yet: Shapley values need "
            "every combination of components"
        )
    worths = [{on: found[arm][block] for on, arm in subsets.items()} for block in blocks]
    values = [shapley(worth, players) for worth in worths]
    wholes = [worth[full] - worth[none] for worth in worths]
    whole = estimate(wholes, plan.study.most_replicates)
    told = []
    for player, factor in enumerate(plan.study.factors):
        own = [of_block[player] for of_block in values]
        value = estimate(own, plan.study.most_replicates)
        ends = ratio_interval(own, wholes)
        share = None
        if ends and value.mean is not None and whole.mean:
            share = (value.mean / whole.mean, *ends)
        told.append(
            Component(
                factor.name,
                alone=_minus(found, subsets[frozenset({player})], subsets[none]),
                last=_minus(found, subsets[full], subsets[full - {player}]),
                shapley=value,
                share=share,
            )
        )
    known = {replicate for arm in subsets.values() for replicate in found[arm]}
    return Components(metric, tuple(told), whole, tuple(sorted(known - {*blocks})))


def _minus(found: Values, arm: str, other: str) -> Estimate:
    """The mean paired difference of two arms, over the replicates that both have."""
    return _over(found[arm].keys() & found[other].keys(), found[arm], found[other])


def _over(
    shared: Collection[int], arm: Mapping[int, float], other: Mapping[int, float]
) -> Estimate:
    return estimate([arm[replicate] - other[replicate] for replicate in shared], len(shared))
