"""`best_arms`: the arms that a table may set in bold: the best, and all that may be as good."""

from __future__ import annotations

from cbablate.analysis.contrasts.contrast import adjusted, contrast
from cbablate.analysis.contrasts.searched import searched
from cbablate.analysis.contrasts.verdict import findings
from cbablate.analysis.summary import Summary, direction_of
from cbablate.planning.plan import Plan

__all__ = ["best_arms"]


def best_arms(plan: Plan, summary: Summary) -> frozenset[str]:
    """The ids of the best arm by the primary metric, and of those not distinguishable from it.

    Each other arm is compared with the best one, paired by seed, as `verdict` finds a difference:
    Holm's correction over these comparisons, and the sign-flip test agrees. Empty where that
    leaves out no arm, for then nothing is best; where neither more nor less is better; and where
    the number of replicates grows, as these comparisons would not allow for the looks; and
    where each arm is tuned by one search, whose luck is in its mean.
    """
    if summary.course is not None or plan.searches == 1:
        return frozenset()
    name = summary.primary
    direction = direction_of(plan, name) if name else None
    means = {
        one.arm.id: one.estimates[name].mean
        for one in summary.arms
        if name and one.estimates[name].mean is not None
    }
    if direction is None or len(means) < 2:
        return frozenset()
    sign = 1 if direction == "maximize" else -1
    best = max(means, key=lambda arm: sign * (means[arm] or 0.0))
    found = summary.replicates.of(name)
    others = [arm for arm in means if arm != best]
    compared = adjusted(
        [contrast(found[arm], found[best], against=best, unpaired=False) for arm in others]
    )
    compared = searched(compared, others, summary.replicates, name)
    told = findings(compared, direction=direction)
    alike = {
        arm for arm, one in zip(others, told, strict=True) if one.claim not in ("helps", "hurts")
    }
    return frozenset() if len(alike) == len(others) else frozenset({best, *alike})
