"""Importance of hyperparameters: Optuna's fANOVA over the complete trials of a search."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from cbablate.analysis.searches.tuning import Tuning
from cbablate.searching.optuna_space import distribution, spelled

__all__ = ["FEWEST", "importances"]

FEWEST = 4
"""Complete trials below which nothing is said of importance."""


def importances(tuning: Tuning) -> Mapping[str, float]:
    """The share of the objective's variance that each hyperparameter explains, greatest first.

    By functional ANOVA over a forest grown on the COMPLETE trials (Hutter, Hoos and
    Leyton-Brown, 2014), from a fixed seed; the shares sum to 1. Conditional hyperparameters are
    left out, as trials that lack them cannot be compared. Empty where fewer than four trials are
    complete, or all have one value.
    """
    space = {key: one for key, one in tuning.search.sweep.space.items() if not one.when}
    found = [
        (attempt, attempt.values[tuning.decides])
        for attempt in tuning.attempts
        if attempt.values is not None and space.keys() <= attempt.proposal.keys()
    ]
    if len(found) < FEWEST or not space or len({value for _, value in found}) == 1:
        return {}
    distributions = {key: distribution(parameter) for key, parameter in space.items()}
    direction = tuning.search.objectives[tuning.decides].direction
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(direction=direction)
        for attempt, value in found:
            recorded = {key: attempt.proposal[key] for key in space}
            params = spelled(tuning.search.sweep, recorded)
            study.add_trial(
                optuna.trial.create_trial(params=params, distributions=distributions, value=value)
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            rated = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    finally:
        optuna.logging.set_verbosity(before)
    return {key: float(share) for key, share in rated.items()}
