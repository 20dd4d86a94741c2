"""What becomes of a study's plan as it is searched: tuning trials, then confirmations."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError

from cbablate.analysis.searches.tuning import Tuning
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial

__all__ = ["tuning_plan", "with_confirmations"]


def with_confirmations(plan: Plan, tuned: Plan) -> Plan:
    """Everything of a study but its searches: the plan as written, and the confirmations.

    Arms and trials that are in both (a search that found the hyperparameters as written) are in
    it once; a tuned arm is called so.
    """
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
