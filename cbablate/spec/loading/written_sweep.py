"""`WrittenSweep`: a sweep as its file spells it, and which options each sampler and pruner has.

    space:
      optimizer.lr: {float: [1e-4, 4e-3], log: true}
      optimizer.name: {choice: [adamw, sgd]}
      optimizer.momentum: {float: [0.5, 0.99], when: {optimizer.name: sgd}}
    constraints: ["optimizer.lr * batch_size <= 1"]
    sampler: {tpe: {n_startup_trials: 8}}      # or a name alone
    pruner: {successive_halving: {first_rung: 4, reduction: 3}}
    trials: 24
    stop: {hours: 2}

Options have Optuna's names, but for pruners': `first_rung` is the budget spent before which no
trial is judged, `reduction` how many trials there are for each that goes on to the next rung, and
`interval` the budget between two judgements. What is left out is Optuna's default; for
`first_rung` that is 1, for `reduction` 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cbablate.spec.metric import Objective
from cbablate.spec.sweep import Parameter, Pruner, PrunerName, Sampler, SamplerName, Stop, Sweep

__all__ = ["PRUNER_OPTIONS", "SAMPLER_OPTIONS", "WrittenSweep", "made"]

_STRICT = ConfigDict(frozen=True, strict=True, extra="forbid")

Value = Annotated[
    Any, Field(description="Any plain value: a word, a number, true, null, a list or a mapping.")
]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
AtLeast0 = Annotated[int, Field(ge=0)]
AtLeast1 = Annotated[int, Field(ge=1)]
AtLeast2 = Annotated[int, Field(ge=2)]


class WrittenParameter(BaseModel):
    """Where a key's values lie: in `float` or `int` from least to greatest, or one of `choice`."""

    model_config = ConfigDict(**_STRICT, title="Parameter")

    range_float: Annotated[tuple[Finite, ...], Field(min_length=2, max_length=2)] | None = Field(
        default=None, alias="float"
    )
    range_int: Annotated[tuple[int, ...], Field(min_length=2, max_length=2)] | None = Field(
        default=None, alias="int"
    )
    choice: Annotated[tuple[Value, ...], Field(min_length=1)] | None = None
    """The values there are. They are told apart as a config's are: 0 is not false, 1.0 is 1."""
    log: bool | None = None
    """Whether values are drawn evenly on a logarithmic scale."""
    step: Finite | None = None
    """The distance between neighbouring values; 1 where `int` says nothing else."""
    when: Annotated[Mapping[str, Any], Field(min_length=1)] | None = None
    """At which values of other parameters this one exists: a value each, or a list of values."""


class _Nothing(BaseModel):
    model_config = ConfigDict(**_STRICT, title="sampler without options")


class _Tpe(_Nothing):
    model_config = ConfigDict(title="tpe sampler")

    n_startup_trials: AtLeast0 | None = None
    n_ei_candidates: AtLeast1 | None = None
    multivariate: bool | None = None
    group: bool | None = None
    constant_liar: bool | None = None


class _Gp(_Nothing):
    model_config = ConfigDict(title="gp sampler")

    n_startup_trials: AtLeast0 | None = None
    deterministic_objective: bool | None = None


class _Cmaes(_Nothing):
    model_config = ConfigDict(title="cmaes sampler")

    n_startup_trials: AtLeast0 | None = None
    sigma0: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    popsize: AtLeast2 | None = None
    use_separable_cma: bool | None = None
    with_margin: bool | None = None
    lr_adapt: bool | None = None
    consider_pruned_trials: bool | None = None


class _Nsgaii(_Nothing):
    model_config = ConfigDict(title="nsgaii sampler")

    population_size: AtLeast2 | None = None
    mutation_prob: Share | None = None
    crossover_prob: Share | None = None
    swapping_prob: Share | None = None


class _Qmc(_Nothing):
    model_config = ConfigDict(title="qmc sampler")

    qmc_type: Literal["sobol", "halton"] | None = None
    scramble: bool | None = None


class _Halving(_Nothing):
    model_config = ConfigDict(title="successive_halving pruner")

    first_rung: AtLeast1 | None = None
    reduction: AtLeast2 | None = None
    min_early_stopping_rate: AtLeast0 | None = None
    bootstrap_count: AtLeast0 | None = None


class _Hyperband(_Nothing):
    model_config = ConfigDict(title="hyperband pruner")

    first_rung: AtLeast1 | None = None
    reduction: AtLeast2 | None = None
    bootstrap_count: AtLeast0 | None = None


class _Median(_Nothing):
    model_config = ConfigDict(title="median pruner")

    first_rung: AtLeast1 | None = None
    interval: AtLeast1 | None = None
    n_startup_trials: AtLeast0 | None = None
    n_min_trials: AtLeast1 | None = None


class _Percentile(_Median):
    model_config = ConfigDict(title="percentile pruner")

    percentile: Annotated[float, Field(gt=0, lt=100)]


class _Patient(_Nothing):
    model_config = ConfigDict(title="patient pruner")

    patience: AtLeast0
    min_delta: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class _Wilcoxon(_Nothing):
    model_config = ConfigDict(title="wilcoxon pruner")

    p_threshold: Share | None = None
    n_startup_steps: AtLeast0 | None = None


class _Threshold(_Nothing):
    model_config = ConfigDict(title="threshold pruner")

    lower: Finite | None = None
    upper: Finite | None = None
    first_rung: AtLeast1 | None = None
    interval: AtLeast1 | None = None


SAMPLER_OPTIONS: Mapping[SamplerName, type[BaseModel]] = {
    "tpe": _Tpe,
    "gp": _Gp,
    "cmaes": _Cmaes,
    "nsgaii": _Nsgaii,
    "qmc": _Qmc,
    "random": _Nothing,
    "grid": _Nothing,
}
PRUNER_OPTIONS: Mapping[PrunerName, type[BaseModel]] = {
    "successive_halving": _Halving,
    "hyperband": _Hyperband,
    "median": _Median,
    "percentile": _Percentile,
    "patient": _Patient,
    "wilcoxon": _Wilcoxon,
    "threshold": _Threshold,
}


class WrittenSampler(BaseModel):
    """One sampler with its options."""

    model_config = ConfigDict(**_STRICT, title="Sampler")

    tpe: _Tpe | None = None
    gp: _Gp | None = None
    cmaes: _Cmaes | None = None
    nsgaii: _Nsgaii | None = None
    qmc: _Qmc | None = None
    random: _Nothing | None = None
    grid: _Nothing | None = None


class WrittenPruner(BaseModel):
    """One pruner with its options."""

    model_config = ConfigDict(**_STRICT, title="Pruner")

    successive_halving: _Halving | None = None
    hyperband: _Hyperband | None = None
    median: _Median | None = None
    percentile: _Percentile | None = None
    patient: _Patient | None = None
    wilcoxon: _Wilcoxon | None = None
    threshold: _Threshold | None = None


class WrittenSweep(BaseModel):
    """What is tuned, how, and for how long: the same for every arm of a study."""

    model_config = ConfigDict(**_STRICT, title="Sweep")

    space: Annotated[Mapping[str, WrittenParameter], Field(min_length=1)]
    """The searched keys of a config, dotted, and where their values lie."""
    constraints: tuple[str, ...] = ()
    """Comparisons between keys, or on metrics: `optimizer.lr * batch_size <= 1`."""
    sampler: SamplerName | WrittenSampler = "tpe"
    """What proposes: one of Optuna's samplers, with or without options."""
    pruner: PrunerName | WrittenPruner | None = None
    """What stops a trial that is not promising: one of Optuna's pruners."""
    trials: Annotated[int, Field(ge=1, le=100_000)]
    """How many trials each arm is tuned by."""
    stop: Stop | None = None
    """A total over all arms at which tuning ends."""
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)] | None = None
    """Several metrics to trade off; left out, the study's objective is looked for."""


def made(written: WrittenSweep, name: str) -> Sweep:
    """The sweep that is written, under its file's name; it must keep the rules of a sweep."""
    return Sweep(
        name=name,
        space={key: _parameter(one) for key, one in written.space.items()},
        constraints=written.constraints,
        sampler=Sampler(**_chosen(written.sampler)),
        pruner=None if written.pruner is None else Pruner(**_chosen(written.pruner)),
        trials=written.trials,
        stop=written.stop,
        objectives=written.objectives or (),
    )


def _parameter(written: WrittenParameter) -> Parameter:
    when = written.when
    conditions = (
        None
        if when is None
        else {key: tuple(one) if isinstance(one, list) else (one,) for key, one in when.items()}
    )
    if written.choice is not None:
        return Parameter(kind="choice", choices=written.choice, when=conditions)
    kind: Literal["float", "int"] = "int" if written.range_int is not None else "float"
    low, high = written.range_int or written.range_float or (None, None)
    return Parameter(
        kind=kind,
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        log=bool(written.log),
        step=written.step,
        when=conditions,
    )


def _chosen(written: str | BaseModel) -> dict[str, Any]:
    """The one that is named, and the options that are written."""
    if isinstance(written, str):
        return {"name": written}
    ((name, options),) = written.model_dump(exclude_none=True, exclude_unset=True).items()
    return {"name": name, "options": options}
