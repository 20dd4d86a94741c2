"""Importance of hyperparameters: Optuna's fANOVA over the complete trials of a search."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from cbablate.analysis.searches.tuning import Tuning
from cbablate.searching.optuna_space import distribution, spelled

__all__ = ["FEWEST", "PERMUTATIONS", "Importance", "importances"]

FEWEST = 4
"""Complete trials below which nothing is said of importance."""
PERMUTATIONS = 20
"""A share above all of them is luck in one of 21 hyperparameters that do not matter."""


@dataclass(frozen=True)
class Importance:
    """A hyperparameter's share, and its mean and largest share where values are permuted among
    the trials, so that none matters.
    """

    share: float
    chance: float
    most_by_chance: float

    @property
    def sure(self) -> bool:
        """Whether it is more than any permutation gave."""
        return self.share > self.most_by_chance


def importances(tuning: Tuning) -> Mapping[str, Importance]:
    """How much of the variation of a forest's predictions each hyperparameter makes by itself,
    greatest first.

    By functional ANOVA over a forest grown on the COMPLETE trials (Hutter, Hoos and
    Leyton-Brown, 2014), from a fixed seed. What the shares lack of 1 are interactions. The forest
    fits noise as well, so that each share stands beside those of permuted values. Conditional
    hyperparameters are left out, as trials that lack them cannot be compared. Empty where fewer
    than four trials are complete, all have one value, or fewer than two hyperparameters are left,
    as one has all of the variation, whatever it is worth.
    """
    space = {key: one for key, one in tuning.search.sweep.space.items() if not one.when}
    found = [
        (attempt, attempt.values[tuning.decides])
        for attempt in tuning.attempts
        if attempt.values is not None and space.keys() <= attempt.proposal.keys()
    ]
    values = [value for _, value in found]
    if len(found) < FEWEST or len(space) < 2 or len({*values}) == 1:
        return {}
    proposals = [
        spelled(tuning.search.sweep, {key: attempt.proposal[key] for key in space})
        for attempt, _ in found
    ]
    distributions = {key: distribution(parameter) for key, parameter in space.items()}
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            rated = _shares(proposals, distributions, values)
            chance = [
                _shares(proposals, distributions, Random(k).sample(values, len(values)))  # noqa: S311 - a simulation
                for k in range(PERMUTATIONS)
            ]
    finally:
        optuna.logging.set_verbosity(before)
    return {
        key: Importance(
            float(share),
            math.fsum(one[key] for one in chance) / PERMUTATIONS,
            float(max(one[key] for one in chance)),
        )
        for key, share in rated.items()
    }


def _shares(
    proposals: Sequence[Mapping[str, Any]],
    distributions: Mapping[str, BaseDistribution],
    values: Sequence[float],
) -> Mapping[str, float]:
    """fANOVA's shares where these proposals have these values."""
    study = optuna.create_study()
    study.add_trials(
        [
            optuna.trial.create_trial(
                params=dict(params), distributions=dict(distributions), value=value
            )
            for params, value in zip(proposals, values, strict=True)
        ]
    )
    evaluator = FanovaImportanceEvaluator(seed=0)
    return get_param_importances(study, evaluator=evaluator, normalize=False)
