"""What becomes of a study's plan as it is searched: tuning trials, then confirmations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import ValidationError

from cbablate.analysis.course import asked
from cbablate.analysis.searches.tuning import Tuning, best_proposals
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.planning.search import confirmed
from cbablate.planning.trial import Trial
from cbablate.records.record import Record

__all__ = ["confirmations", "tuning_plan", "whole"]


def confirmations(plan: Plan, facts: Sequence[Record]) -> Plan:
    """The plan with each arm at its tuned hyperparameters, as far as its search is over.

    An arm whose search goes on, or found nothing, is as written and has no trials.
    """
    return confirmed(plan, best_proposals(plan, facts))


def whole(plan: Plan, facts: Sequence[Record]) -> Plan:
    """Everything of a study but its searches: the plan as written, and the confirmations.

    Arms and trials that are in both (a search that found the hyperparameters as written) are in
    it once; a tuned arm is called so. Of a study that does not tune it is the plan, with the
    replicates that were asked for.
    """
    if plan.study.tune is None:
        return asked(plan, facts)
    tuned = confirmations(plan, facts)
    trials = {trial.id: trial for trial in (*plan.trials, *tuned.trials)}
    arms = {arm.id: replace(arm, name=f"{arm.name} (tuned)") for arm in tuned.arms}
    arms = {arm.id: arm for arm in plan.arms} | {
        name: arm for name, arm in arms.items() if name not in plan.arm_of
    }
    return replace(plan, arms=tuple(arms.values()), trials=tuple(trials.values()))


def tuning_plan(plan: Plan, tuning: Tuning) -> Plan:
    """What one search has proposed, as a plan: an arm and a trial for each proposal.

    What the workload refused is not a trial.
    """
    search, description = tuning.search, plan.description
    arms: dict[str, Arm] = {}
    trials: list[Trial] = []
    for attempt in tuning.attempts:
        try:
            trial = search.trial(attempt.number, attempt.proposal, description)
        except ValidationError:
            continue
        if trial.id == attempt.trial:
            trials.append(trial)
            arms[trial.arm] = replace(search.arm, id=trial.arm, config=trial.config, against=None)
    return replace(plan, arms=tuple(arms.values()), trials=tuple(trials))
