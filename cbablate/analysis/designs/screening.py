"""Main effects of a screening design: the arms that have a factor on, minus those that do not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cbablate.analysis.contrasts.contrast import Contrast, adjusted, contrast
from cbablate.analysis.contrasts.replicates import UNSEARCHED, Replicates, Values, complete
from cbablate.analysis.contrasts.searched import searched
from cbablate.analysis.contrasts.verdict import findings
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan

__all__ = ["Screened", "screened"]


@dataclass(frozen=True)
class Screened:
    """A factor, and its effect with its interval and p value over seeds, one of a family; whether
    it is sure, as a finding is (`contrasts.verdict`).
    """

    factor: str
    effect: Contrast
    sure: bool


def screened(
    plan: Plan, found: Values, metric: str = "", of: Replicates = UNSEARCHED
) -> list[Screened]:
    """The effects of all factors, over the replicates that all arms have.

    `of` are the replicates whose values of the metric were found, where arms were searched.

    Within a replicate the two halves of the arms are averaged, so that seeds are paired. What is
    aliased with a factor is in its effect (`planning.screening.aliases`).

    Raises:
        CbablateError: fewer than two replicates are whole.
    """
    arms = [arm.id for arm in plan.arms]
    blocks = complete(found, arms)
    if len(blocks) < 2:
        raise CbablateError(
            f"effects need two replicates or more that all {len(arms)} arms have completed; so far "
            f"there {'is' if len(blocks) == 1 else 'are'} {len(blocks) or 'none'}"
        )
    family: list[Contrast] = []
    for factor in plan.study.factors:
        sides = [
            [arm.id for arm in plan.arms if arm.levels[factor.name] == level.name]
            for level in factor.levels
        ]
        off, on = (
            {r: math.fsum(found[arm][r] for arm in side) / len(side) for r in blocks}
            for side in sides
        )
        family.append(contrast(on, off, against=""))
    told = searched(adjusted(family), [arms] * len(family), of, metric)
    return [
        Screened(factor.name, one, finding.sure)
        for factor, one, finding in zip(
            plan.study.factors, told, findings(told, direction=None), strict=True
        )
    ]
