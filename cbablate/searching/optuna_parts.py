"""Optuna's samplers and pruners, made as a sweep asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import optuna

from cbablate.errors import EnvironmentFault, StudyError
from cbablate.planning.search import Search
from cbablate.searching.optuna_space import axes
from cbablate.spec.sweep import Pruner, Sweep

__all__ = ["pruner_of", "sampler_of", "startup"]

_SAMPLERS: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "tpe": ("TPESampler", {}),
        "gp": ("GPSampler", {"warn_independent_sampling": False}),
        "cmaes": ("CmaEsSampler", {"warn_independent_sampling": False}),
        "nsgaii": ("NSGAIISampler", {}),
        "qmc": (
            "QMCSampler",
            {"warn_independent_sampling": False, "warn_asynchronous_seeding": False},
        ),
        "random": ("RandomSampler", {}),
        "grid": ("GridSampler", {}),
    }
)
_PRUNERS: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "successive_halving": (
            "SuccessiveHalvingPruner",
            {"first_rung": "min_resource", "reduction": "reduction_factor"},
        ),
        "hyperband": (
            "HyperbandPruner",
            {"first_rung": "min_resource", "reduction": "reduction_factor"},
        ),
        "median": (
            "MedianPruner",
            {"first_rung": "n_warmup_steps", "interval": "interval_steps"},
        ),
        "percentile": (
            "PercentilePruner",
            {"first_rung": "n_warmup_steps", "interval": "interval_steps"},
        ),
        "patient": ("PatientPruner", {}),
        "wilcoxon": ("WilcoxonPruner", {}),
        "threshold": (
            "ThresholdPruner",
            {"first_rung": "n_warmup_steps", "interval": "interval_steps"},
        ),
    }
)
"""Optuna's class, and its word for each option that has another name in a sweep."""
_HALVING: Mapping[str, Any] = MappingProxyType({"min_resource": 1, "reduction_factor": 3})
"""Where a sweep does not say; Optuna's own `auto` would guess from the first trial."""


def startup(sweep: Sweep) -> int:
    """How many trials TPE draws at random before its model decides; Optuna's default is 10."""
    return int(sweep.sampler.options.get("n_startup_trials", 10))


def sampler_of(
    sweep: Sweep, seed: int, gamma: Callable[[int], int] | None
) -> optuna.samplers.BaseSampler:
    """Its sampler, drawing from this seed; `gamma`, of TPE, says how many of n trials are good.

    Raises:
        EnvironmentFault: it needs a library that is not there.
    """
    name, options = sweep.sampler.name, dict(sweep.sampler.options)
    kind, quietly = _SAMPLERS[name]
    if name == "grid":
        return optuna.samplers.GridSampler(axes(sweep), seed=seed, **options)
    if name == "tpe":
        conditional = any(parameter.when for parameter in sweep.space.values())
        if conditional and options.get("multivariate", True):
            options.setdefault("group", True)  # else these are never modelled together
        if gamma is not None:
            options["gamma"] = gamma
    if name == "cmaes":
        _needed("cmaes", "the sampler cmaes")
    if name == "gp":
        _needed("torch", "the sampler gp")
    made: optuna.samplers.BaseSampler = getattr(optuna.samplers, kind)(
        seed=seed, **quietly, **options
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
    kind, words = _PRUNERS[pruner.name]
    options = {words.get(name, name): value for name, value in pruner.options.items()}
    if pruner.name in ("successive_halving", "hyperband"):
        options = {**_HALVING, **options}
    if "n_warmup_steps" in words.values():
        options = {"n_warmup_steps": 1, **options}  # of 0 Optuna would count intervals from there
    if pruner.name == "hyperband":
        options["max_resource"] = search.budget.amount
    if pruner.name == "patient":
        options["wrapped_pruner"] = None
    made: optuna.pruners.BasePruner = getattr(optuna.pruners, kind)(**options)
    return made


def _needed(library: str, who: str) -> None:
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise EnvironmentFault(
            f"{who} needs the package {library}, which is not installed: pip install {library}"
        )
