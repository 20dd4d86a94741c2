"""`Sweep`: nuisance hyperparameters, and how every arm of a study tunes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cbablate.spec.choice import one_of
from cbablate.spec.metric import Objective
from cbablate.spec.search_methods import PRUNERS, SAMPLERS, USUAL_SAMPLER

__all__ = [
    "Parameter",
    "Proposal",
    "Pruner",
    "PrunerName",
    "Sampler",
    "SamplerName",
    "Stop",
    "Sweep",
]

Proposal = Mapping[str, Any]
"""Values by dotted config key; a conditional parameter that was not drawn is left out."""

SamplerName = Annotated[str, one_of(SAMPLERS)]
PrunerName = Annotated[str, one_of(PRUNERS)]
_STRICT = ConfigDict(frozen=True, strict=True, extra="forbid")


class Parameter(BaseModel):
    """One searched key: where its values lie, and when it exists.

    `low` and `high` (both inside) belong to `float` and `int`, `choices` to `choice`. `when`
    names other parameters with the values of theirs at which this one is drawn; None is always.
    """

    model_config = _STRICT

    kind: Literal["float", "int", "choice"]
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None
    choices: tuple[Any, ...] = ()
    when: Mapping[str, tuple[Any, ...]] | None = None


class Sampler(BaseModel):
    """One of Optuna's samplers, with options under Optuna's own names."""

    model_config = _STRICT

    name: SamplerName = USUAL_SAMPLER
    options: Mapping[str, Any] = Field(default_factory=dict)


class Pruner(BaseModel):
    """One of Optuna's pruners, with options of ours (`rung` is budget spent) or Optuna's."""

    model_config = _STRICT

    name: PrunerName
    options: Mapping[str, Any] = Field(default_factory=dict)


class Stop(BaseModel):
    """When searching ends though trials are left: at a total over all arms, between two rounds."""

    model_config = _STRICT

    hours: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        examples=[2],
        description="Hours of training, summed over trials.",
    )
    trials: int | None = Field(
        default=None, ge=1, examples=[200], description="Trials, over all arms."
    )
    gpu_hours: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        examples=[100],
        description="Hours of training times the GPUs that each trial takes, summed over trials.",
    )


class Sweep(BaseModel):
    """What is tuned, how, and for how long: the same for every arm.

    `trials` is for each arm. `constraints` are comparisons between parameters (judged before a
    proposal is trained) or on metrics (told to the sampler after it), as text. `objectives` are
    what the search looks for; empty is the study's own objective, several make a Pareto front.
    """

    model_config = _STRICT

    name: str
    space: Mapping[str, Parameter] = Field(min_length=1)
    constraints: tuple[str, ...] = ()
    sampler: Sampler = Sampler()
    pruner: Pruner | None = None
    trials: int = Field(ge=1, le=100_000)
    stop: Stop | None = None
    objectives: tuple[Objective, ...] = ()
