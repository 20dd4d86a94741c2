"""Which samplers and pruners there are: one row each, read without Optuna.

A row says what a sweep file may write of it, what it cannot do, and how Optuna is called for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from cbablate.spec.choice import by_name

__all__ = [
    "PRUNERS",
    "SAMPLERS",
    "USUAL_SAMPLER",
    "Finite",
    "Needed",
    "PrunerKind",
    "SamplerKind",
]

Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
AtLeast0 = Annotated[int, Field(ge=0)]
AtLeast1 = Annotated[int, Field(ge=1)]
AtLeast2 = Annotated[int, Field(ge=2)]


@dataclass(frozen=True)
class Needed:
    """The type of an option that has no default."""

    kind: Any


@dataclass(frozen=True)
class SamplerKind:
    """One of Optuna's samplers: its class in `optuna.samplers`, and what is known of it."""

    name: str
    made: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """What a sweep may say of it, under Optuna's names, each with its type."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """What Optuna is always told beside them."""
    first: tuple[str, int] | None = None
    """The option that says how many trials are drawn at random before it learns, and its default;
    a default of 0 is not judged."""
    conditional: bool = False
    """Whether it models parameters that not every trial has."""
    numeric: bool = False
    """Whether it knows numbers alone: two or more of them, one objective, and no constraints on
    metrics."""
    exhaustive: bool = False
    """Whether it proposes every cell of the space, once."""
    parzen: bool = False
    """Whether it models good and bad trials apart, and is told how many are good."""
    package: str = ""
    """A package that it needs beside Optuna."""


@dataclass(frozen=True)
class PrunerKind:
    """One of Optuna's pruners: its class in `optuna.pruners`, and what is known of it."""

    name: str
    made: str
    options: Mapping[str, Any]
    """What a sweep may say of it, each with its type."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Optuna's word for each option that has another name in a sweep."""
    usual: Mapping[str, Any] = field(default_factory=dict)
    """What Optuna is told where a sweep does not say, in Optuna's words."""
    budget: str = ""
    """Optuna's word for what a trial may spend, where it must be told."""
    example: str = ""
    """Options as they could be written; "" where none is needed."""
    bounds: bool = False
    """Whether it has a lower or an upper end, or both, between which values must lie."""


_STARTUP: Mapping[str, Any] = MappingProxyType({"n_startup_trials": AtLeast0})
_ALONE: Mapping[str, Any] = MappingProxyType({"warn_independent_sampling": False})

SAMPLERS: Mapping[str, SamplerKind] = by_name(
    "samplers",
    [
        SamplerKind(
            "tpe",
            "TPESampler",
            options={
                **_STARTUP,
                "n_ei_candidates": AtLeast1,
                "multivariate": bool,
                "group": bool,
                "constant_liar": bool,
            },
            first=("n_startup_trials", 10),
            conditional=True,
            parzen=True,
        ),
        SamplerKind(
            "gp",
            "GPSampler",
            options={**_STARTUP, "deterministic_objective": bool},
            fixed=_ALONE,
            first=("n_startup_trials", 10),
            package="torch",
        ),
        SamplerKind(
            "cmaes",
            "CmaEsSampler",
            options={
                **_STARTUP,
                "sigma0": Annotated[float, Field(gt=0, allow_inf_nan=False)],
                "popsize": AtLeast2,
                "use_separable_cma": bool,
                "with_margin": bool,
                "lr_adapt": bool,
                "consider_pruned_trials": bool,
            },
            fixed=_ALONE,
            first=("n_startup_trials", 0),
            numeric=True,
            package="cmaes",
        ),
        SamplerKind(
            "nsgaii",
            "NSGAIISampler",
            options={
                "population_size": AtLeast2,
                "mutation_prob": Share,
                "crossover_prob": Share,
                "swapping_prob": Share,
            },
            first=("population_size", 50),
            conditional=True,
        ),
        SamplerKind(
            "qmc",
            "QMCSampler",
            options={"qmc_type": Literal["sobol", "halton"], "scramble": bool},
            fixed={**_ALONE, "warn_asynchronous_seeding": False},
        ),
        SamplerKind("random", "RandomSampler", conditional=True),
        SamplerKind("grid", "GridSampler", exhaustive=True),
    ],
)
"""Every sampler by the name that a sweep writes."""
USUAL_SAMPLER = next(iter(SAMPLERS))
"""What proposes where a sweep does not say."""

_RUNGS: Mapping[str, str] = MappingProxyType(
    {"first_rung": "min_resource", "reduction": "reduction_factor"}
)
_STEPS: Mapping[str, str] = MappingProxyType(
    {"first_rung": "n_warmup_steps", "interval": "interval_steps"}
)
_HALVING: Mapping[str, Any] = MappingProxyType({"min_resource": 1, "reduction_factor": 3})
"""Optuna's own `auto` would guess from the first trial."""
_WARM: Mapping[str, Any] = MappingProxyType({"n_warmup_steps": 1})
"""Of 0 Optuna would count intervals from there."""
_INTERVALS: Mapping[str, Any] = MappingProxyType({"first_rung": AtLeast1, "interval": AtLeast1})
_MEDIAN: Mapping[str, Any] = MappingProxyType(
    {**_INTERVALS, "n_startup_trials": AtLeast0, "n_min_trials": AtLeast1}
)

PRUNERS: Mapping[str, PrunerKind] = by_name(
    "pruners",
    [
        PrunerKind(
            "successive_halving",
            "SuccessiveHalvingPruner",
            options={
                "first_rung": AtLeast1,
                "reduction": AtLeast2,
                "min_early_stopping_rate": AtLeast0,
                "bootstrap_count": AtLeast0,
            },
            words=_RUNGS,
            usual=_HALVING,
        ),
        PrunerKind(
            "hyperband",
            "HyperbandPruner",
            options={
                "first_rung": AtLeast1,
                "reduction": AtLeast2,
                "bootstrap_count": AtLeast0,
            },
            words=_RUNGS,
            usual=_HALVING,
            budget="max_resource",
        ),
        PrunerKind("median", "MedianPruner", options=_MEDIAN, words=_STEPS, usual=_WARM),
        PrunerKind(
            "percentile",
            "PercentilePruner",
            options={**_MEDIAN, "percentile": Needed(Annotated[float, Field(gt=0, lt=100)])},
            words=_STEPS,
            usual=_WARM,
            example="percentile: 25",
        ),
        PrunerKind(
            "patient",
            "PatientPruner",
            options={
                "patience": Needed(AtLeast0),
                "min_delta": Annotated[float, Field(ge=0, allow_inf_nan=False)],
            },
            usual={"wrapped_pruner": None},
            example="patience: 3",
        ),
        PrunerKind(
            "wilcoxon",
            "WilcoxonPruner",
            options={"p_threshold": Share, "n_startup_steps": AtLeast0},
        ),
        PrunerKind(
            "threshold",
            "ThresholdPruner",
            options={"lower": Finite, "upper": Finite, **_INTERVALS},
            words=_STEPS,
            usual=_WARM,
            example="lower: 0.2",
            bounds=True,
        ),
    ],
)
"""Every pruner by the name that a sweep writes."""
