"""Optuna's samplers and pruners, made as a sweep asks for them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import optuna

from cbablate.errors import EnvironmentFault, StudyError
from cbablate.planning.search import Search
from cbablate.searching.optuna_space import axes
from cbablate.spec.search_methods import PRUNERS, SAMPLERS
from cbablate.spec.sweep import Pruner, Sweep

__all__ = ["pruner_of", "sampler_of", "startup"]


def startup(sweep: Sweep) -> int:
    """How many trials its sampler draws at random before its model decides."""
    word, usual = SAMPLERS[sweep.sampler.name].first or ("", 0)
    return int(sweep.sampler.options.get(word, usual))


def sampler_of(
    sweep: Sweep, seed: int, gamma: Callable[[int], int] | None
) -> optuna.samplers.BaseSampler:
    """Its sampler, drawing from this seed; `gamma`, of TPE, says how many of n trials are good.

    Raises:
        EnvironmentFault: it needs a library that is not there.
    """
    kind, options = SAMPLERS[sweep.sampler.name], dict(sweep.sampler.options)
    if kind.parzen:
        conditional = any(parameter.when for parameter in sweep.space.values())
        if conditional and options.get("multivariate", True):
            options.setdefault("group", True)  # else these are never modelled together
        if gamma is not None:
            options["gamma"] = gamma
    if kind.package and find_spec(kind.package) is None:
        raise EnvironmentFault(
            f"the sampler {kind.name} needs the package {kind.package}, which is not installed: "
            f"pip install {kind.package}"
        )
    cells = (axes(sweep),) if kind.exhaustive else ()
    made: optuna.samplers.BaseSampler = getattr(optuna.samplers, kind.made)(
        *cells, seed=seed, **kind.fixed, **options
    )
    return made


def pruner_of(pruner: Pruner | None, search: Search) -> optuna.pruners.BasePruner:
    """A pruner for a search; one that never prunes where none is asked for.

    Raises:
        StudyError: the search has several objectives.
    """
    if pruner is None:
        return optuna.pruners.NopPruner()
    if len(search.objectives) > 1:
        raise StudyError("a pruner judges by one objective, and this sweep has several")
    kind = PRUNERS[pruner.name]
    written = {kind.words.get(name, name): value for name, value in pruner.options.items()}
    options = {**kind.usual, **written}
    if kind.budget:
        options[kind.budget] = search.budget.amount
    made: optuna.pruners.BasePruner = getattr(optuna.pruners, kind.made)(
        **{**kind.usual, **options}
    )
    return made
