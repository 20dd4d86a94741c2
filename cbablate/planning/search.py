"""`Search`: one arm's tuning; and what a study's plan becomes when the searches are over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cbablate.fingerprint import derive_seed, fingerprint
from cbablate.planning.arm import Arm, arm_id
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial, trial_of
from cbablate.spec.budget import Budget
from cbablate.spec.constraint import Constraint, parsed
from cbablate.spec.description import Description
from cbablate.spec.loading.changes import apply, flatten
from cbablate.spec.metric import Objective
from cbablate.spec.sweep import Proposal, Sweep

__all__ = [
    "Search",
    "confirmed",
    "metric_constraints",
    "parameter_constraints",
    "searches",
    "settings",
    "tuning_seed",
    "versus_fixed",
    "violations",
]


@dataclass(frozen=True)
class Search:
    """One arm, the sweep that tunes it, and the seed of its sampler: the same for every arm.

    `id` leaves out how many trials there are and when to stop, so that a search can be extended.
    """

    id: str
    arm: Arm
    sweep: Sweep
    objectives: tuple[Objective, ...]
    budget: Budget
    study_seed: int
    seed: int

    def trial(self, number: int, proposal: Proposal, description: Description) -> Trial:
        """The tuning trial of this number, counted from 0, with what was proposed for it.

        It belongs to this search alone: what another pruner stopped is no answer here.

        Raises:
            pydantic.ValidationError: the arm cannot have these hyperparameters.
        """
        config = description.resolve(apply(self.arm.config, proposal))
        needs = description.needs(config)
        tuned = replace(self.arm, id=arm_id(config, description), config=config, needs=needs)
        trial = trial_of(tuned, number, seed=self.study_seed, budget=self.budget, stream="tuning")
        own = fingerprint({"trial": trial.id, "search": self.id})
        return replace(trial, id=own, search=self.id)


def tuning_seed(seed: int, number: int) -> int:
    """The seed of a tuning trial: the same in every arm, and of no replicate."""
    return derive_seed(seed, "tuning", number)


def searches(plan: Plan) -> tuple[Search, ...]:
    """One search for each arm of a study that tunes; none for one that does not."""
    study = plan.study
    if study.tune is None:
        return ()
    sweep = study.tune
    objectives = sweep.objectives or (study.objective,)
    told = sweep.model_dump(mode="json", exclude={"name", "trials", "stop", "objectives"})
    return tuple(
        Search(
            id=fingerprint(
                {
                    "search": arm.id,
                    "sweep": told,
                    "objectives": [one.model_dump(mode="json") for one in objectives],
                    "seed": study.seed,
                    "budget": {study.budget.unit: study.budget.amount},
                }
            ),
            arm=arm,
            sweep=sweep,
            objectives=objectives,
            budget=study.budget,
            study_seed=study.seed,
            seed=derive_seed(study.seed, "search"),
        )
        for arm in plan.arms
    )


def settings(search: Search, proposal: Proposal) -> dict[str, Any]:
    """The arm's config with a proposal in it, flat: what constraints are judged on.

    A conditional key that was not drawn has the value of the arm's config, if that has one.
    """
    return dict(flatten(apply(search.arm.config, proposal)))


def parameter_constraints(search: Search) -> tuple[Constraint, ...]:
    """The constraints that are judged before a proposal is trained: they name config keys only."""
    return tuple(one for one in _constraints(search) if _known(search, one))


def metric_constraints(search: Search) -> tuple[Constraint, ...]:
    """The constraints that only a trained proposal can be judged by: they name a metric."""
    return tuple(one for one in _constraints(search) if not _known(search, one))


def violations(
    search: Search, proposal: Proposal, metrics: Mapping[str, float]
) -> dict[str, float]:
    """By how much a trained proposal breaks each constraint on metrics, by the constraint's text.

    Infinite where a metric that it names was not measured: who cannot show that it holds breaks it.
    """
    values = {**settings(search, proposal), **metrics}
    return {
        one.text: one.violation(values) if one.applies(values) else math.inf
        for one in metric_constraints(search)
    }


def _constraints(search: Search) -> tuple[Constraint, ...]:
    return tuple(map(parsed, search.sweep.constraints))


def _known(search: Search, constraint: Constraint) -> bool:
    keys = {*dict(flatten(search.arm.config)), *search.sweep.space}
    return all(name in keys for name in constraint.names)


def confirmed(plan: Plan, proposals: Mapping[str, Proposal]) -> Plan:
    """The plan in which each arm has its own best hyperparameters, trained from fresh seeds.

    `proposals` are by the id of the arm as planned. Arms that have none yet keep their place and
    their config, without trials. Replicates have the seeds they have in the plan as written.
    """
    ids: dict[str, str] = {}
    tuned: list[Arm] = []
    for arm in plan.arms:
        config = arm.config
        if arm.id in proposals:
            config = plan.description.resolve(apply(arm.config, proposals[arm.id]))
        ids[arm.id] = arm_id(config, plan.description)
        needs = plan.description.needs(config)
        tuned.append(replace(arm, id=ids[arm.id], config=config, needs=needs))
    known = {ids[arm] for arm in proposals}
    arms = tuple(
        replace(arm, against=None if arm.against is None else ids[arm.against]) for arm in tuned
    )
    trials = tuple(
        trial_of(arm, replicate, seed=plan.study.seed, budget=plan.study.budget)
        for replicate in range(plan.study.most_replicates)
        for arm in arms
        if arm.id in known
    )
    return replace(plan, arms=arms, trials=trials)


def versus_fixed(plan: Plan, proposals: Mapping[str, Proposal]) -> Plan:
    """The plan that compares a single arm's tuned hyperparameters with those as written.

    Its arms are called `fixed`, the reference, and `tuned`; while there is no proposal, and where
    the best is what was written, the first stands alone. For a study without factors.
    """
    (arm,) = plan.arms
    (tuned,) = confirmed(plan, proposals).arms
    fixed = replace(arm, name="fixed")
    if tuned.id == arm.id:
        return replace(plan, arms=(fixed,))
    arms = (fixed, replace(tuned, name="tuned", against=arm.id))
    trials = tuple(
        trial_of(one, replicate, seed=plan.study.seed, budget=plan.study.budget)
        for replicate in range(plan.study.most_replicates)
        for one in arms
    )
    return replace(plan, arms=arms, trials=trials)
