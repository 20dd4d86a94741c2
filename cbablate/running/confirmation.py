"""What becomes of a study's plan as its searches end: the confirmations that are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cbablate.analysis.tuning import best_proposals
from cbablate.planning.plan import Plan
from cbablate.planning.search import confirmed
from cbablate.records.record import Record

__all__ = ["confirmations", "whole"]


def confirmations(plan: Plan, facts: Sequence[Record]) -> Plan:
    """The plan with each arm at its tuned hyperparameters, as far as its search is over.

    An arm whose search goes on, or found nothing, is as written and has no trials.
    """
    return confirmed(plan, best_proposals(plan, facts))


def whole(plan: Plan, facts: Sequence[Record]) -> Plan:
    """Everything of a study but its searches: the plan as written, and the confirmations.

    Arms and trials that are in both (a search that found the hyperparameters as written) are in
    it once. Of a study that does not tune it is the plan.
    """
    if plan.study.tune is None:
        return plan
    tuned = confirmations(plan, facts)
    arms = {arm.id: arm for arm in (*tuned.arms, *plan.arms)}
    trials = {trial.id: trial for trial in (*plan.trials, *tuned.trials)}
    written = {arm.id for arm in plan.arms}
    return replace(
        plan,
        arms=(*plan.arms, *(arm for arm in arms.values() if arm.id not in written)),
        trials=tuple(trials.values()),
    )
