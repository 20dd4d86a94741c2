"""`best_arms`: the arms that a table may set in bold: the best, and all that may be as good."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cbablate.analysis.contrasts.contrast import Contrast, adjusted, contrast
from cbablate.analysis.contrasts.replicates import Replicates, between_means
from cbablate.analysis.contrasts.searched import searched
from cbablate.analysis.contrasts.verdict import Finding, findings
from cbablate.analysis.summary import ArmSummary, Summary, direction_of
from cbablate.planning.plan import Plan

__all__ = ["best_arms"]


def best_arms(plan: Plan, summary: Summary) -> frozenset[str]:
    """The ids of the best arm by the primary metric, and of those not distinguishable from it.

    Which arm is best is chosen from the same numbers, so the correction is over all pairs of arms,
    not over those with the best alone: of equal arms one is left out in at most ALPHA of tables.
    Pairs are compared by seed, as `verdict` finds a difference. An arm with too few pairs is
    left out, and so is one that a printed interval calls worse than another, confirmed or not.

    Empty where that says little or too much: no finding is a difference; more than half of the
    arms would be bold; the best mean is of an arm that is left out; neither more nor less is
    better; or the number of replicates grows, as these comparisons would not allow for the looks.
    """
    name = summary.primary
    direction = direction_of(plan, name) if name else None
    if summary.course is not None or direction is None:
        return frozenset()
    means = {
        one.arm.id: one.estimates[name].mean or 0.0
        for one in summary.arms
        if one.estimates[name].mean is not None
    }
    told = [one for one in summary.arms if name in one.findings]
    if not any(one.findings[name].sure for one in told) or len(means) < 2:
        return frozenset()
    sign = 1 if direction == "maximize" else -1
    best = max(means, key=lambda arm: sign * means[arm])
    others = [arm for arm in means if arm != best]
    pairs = _pairs(summary.replicates, name, best, others)
    below = {arm for arm, one in pairs.items() if one.sure}
    alike = {arm for arm, one in pairs.items() if not one.sure and one.claim != "too few"}
    bold = {best, *alike} - {*_out(told, name, sign)}
    shown = below and best in bold and 2 * len(bold) <= len(means)
    return frozenset(bold) if shown else frozenset()


def _out(told: Sequence[ArmSummary], name: str, sign: int) -> Iterator[str]:
    """The arms of which the table itself says too few, or whose interval says another is better."""
    for one in told:
        said = one.contrasts[name]
        if one.findings[name].claim == "too few":
            yield one.arm.id
        if said.excludes_zero:
            better = sign * (said.difference or 0.0) > 0
            yield said.against if better else one.arm.id


def _pairs(
    replicates: Replicates, name: str, best: str, others: Sequence[str]
) -> dict[str, Finding]:
    """What is found of each other arm against the best, in a family of all pairs of arms."""
    found = replicates.of(name)
    asked = [
        replace(
            contrast(found[arm], found[best], against=best, unpaired=False),
            of_means=between_means(found, arm, best),
        )
        for arm in others
    ]
    unasked = [Contrast("", None, None, None, None, 0, None)]
    asked = searched(asked, [(arm, best) for arm in others], replicates, name)
    family = adjusted([*asked, *unasked * (math.comb(len(others) + 1, 2) - len(asked))])
    return dict(zip(others, findings(family, direction=None), strict=False))
