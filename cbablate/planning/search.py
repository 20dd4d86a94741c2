"""`Search`: one arm's tuning, or one of several."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cbablate.fingerprint import derive_seed, fingerprint
from cbablate.planning.arm import Arm, arm_id
from cbablate.planning.chosen_configs import chosen_data
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial, trial_of, tuning_stream
from cbablate.spec.budget import Budget
from cbablate.spec.constraint import Constraint, parsed
from cbablate.spec.description import Description
from cbablate.spec.loading.changes import apply, flatten
from cbablate.spec.metric import Objective
from cbablate.spec.sweep import Proposal, Sweep

__all__ = [
    "Search",
    "metric_constraints",
    "parameter_constraints",
    "searches",
    "settings",
    "violations",
]


@dataclass(frozen=True)
class Search:
    """One arm, the sweep that tunes it, and the seed of its sampler: the same for every arm.

    Of the `many` searches of an arm it is the one of this `index`, counted from 0. Those of one
    index share their seeds in all arms, and share them with no other.

    `id` leaves out how many trials there are and when to stop, so that a search can be extended.
    """

    id: str
    arm: Arm
    sweep: Sweep
    objectives: tuple[Objective, ...]
    budget: Budget
    study_seed: int
    seed: int
    index: int = 0
    many: int = 1

    @property
    def name(self) -> str:
        """What a person calls it: its arm's name, and its index where the arm has several."""
        return self.arm.name if self.many == 1 else f"{self.arm.name}, search #{self.index}"

    def trial(self, number: int, proposal: Proposal, description: Description) -> Trial:
        """The tuning trial of this number, counted from 0, with what was proposed for it.

        It belongs to this search alone: what another pruner stopped is no answer here.

        Raises:
            pydantic.ValidationError: the arm cannot have these hyperparameters.
        """
        config = description.resolve(apply(self.arm.config, proposal))
        needs = description.needs(config)
        tuned = replace(self.arm, id=arm_id(config, description), config=config, needs=needs)
        stream = tuning_stream(self.index)
        trial = trial_of(tuned, number, seed=self.study_seed, budget=self.budget, stream=stream)
        own = fingerprint({"trial": trial.id, "search": self.id})
        return replace(trial, id=own, search=self.id)


def searches(plan: Plan) -> tuple[Search, ...]:
    """The searches of each arm, an arm's together; none of a study that does not tune.

    The first is the one that the arm would have alone, under the same id.
    """
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
                    **({"index": index} if index else {}),
                    **({"chosen": files} if files else {}),
                }
            ),
            arm=arm,
            sweep=sweep,
            objectives=objectives,
            budget=study.budget,
            study_seed=study.seed,
            seed=derive_seed(study.seed, "search", *([index] if index else [])),
            index=index,
            many=study.searches,
        )
        for arm in plan.arms
        for files in [chosen_data(arm, sweep, plan.description)]
        for index in range(study.searches)
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
