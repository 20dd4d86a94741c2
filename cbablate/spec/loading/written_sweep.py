"""`WrittenSweep`: a sweep as its file spells it.

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
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from cbablate.spec.metric import Objective
from cbablate.spec.search_methods import (
    PRUNERS,
    SAMPLERS,
    USUAL_SAMPLER,
    Finite,
    Needed,
    PrunerKind,
    SamplerKind,
)
from cbablate.spec.search_options import OPTIONS
from cbablate.spec.sweep import Parameter, Pruner, PrunerName, Sampler, SamplerName, Stop, Sweep

__all__ = ["WrittenSweep", "made"]

_STRICT = ConfigDict(frozen=True, strict=True, extra="forbid")

Value = Annotated[
    Any, Field(description="Any plain value: a word, a number, true, null, a list or a mapping.")
]


class WrittenParameter(BaseModel):
    """Where a key's values lie: in `float` or `int` from least to greatest, or one of `choice`."""

    model_config = ConfigDict(**_STRICT, title="Parameter")

    range_float: Annotated[tuple[Finite, ...], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        alias="float",
        description="A real number between these two, both ends included.",
    )
    range_int: Annotated[tuple[int, ...], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        alias="int",
        description="A whole number between these two, both ends included.",
    )
    choice: Annotated[tuple[Value, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="One of these values. 0 and false are two values, 1 and 1.0 are one.",
    )
    log: bool | None = Field(
        default=None, description="Whether values are drawn evenly on a logarithmic scale."
    )
    step: Annotated[Finite | None, Field(examples=[0.05])] = Field(
        default=None,
        description="The distance between neighbouring values; it must lead from the first end to "
        "the last. 1 for `int` if left out.",
    )
    when: Annotated[
        Mapping[str, Any] | None, Field(min_length=1, examples=[{"optimizer.name": "sgd"}])
    ] = Field(
        default=None,
        description="At which values of other searched keys this one exists: a value each, or a "
        "list of values.",
    )


def _model(name: str, title: str, options: Mapping[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        option: (
            about.kind if isinstance(about, Needed) else about | None,
            Field(
                ... if isinstance(about, Needed) else None,
                description=OPTIONS[option][0],
                examples=[OPTIONS[option][1]],
            ),
        )
        for option, about in options.items()
    }
    return create_model(name, __config__=ConfigDict(**_STRICT, title=title), **fields)


def _one_of(kinds: Mapping[str, SamplerKind | PrunerKind], word: str) -> type[BaseModel]:
    """The type of a mapping from the name of one sampler or pruner to its options."""
    nothing = _model("_Nothing", f"{word} without options", {})
    fields: dict[str, Any] = {}
    for name, kind in kinds.items():
        short = f"_{name.rpartition('_')[2].title()}"
        options = _model(short, f"{name} {word}", kind.options) if kind.options else nothing
        fields[name] = (
            options | None,
            Field(None, description=f"Optuna's `{kind.made}`, with these options."),
        )
    return create_model(
        f"Written{word.title()}",
        __config__=ConfigDict(**_STRICT, title=word.title()),
        __doc__=f"One {word} with its options.",
        **fields,
    )


if TYPE_CHECKING:
    from pydantic import BaseModel as WrittenPruner
    from pydantic import BaseModel as WrittenSampler
else:
    WrittenSampler = _one_of(SAMPLERS, "sampler")
    WrittenPruner = _one_of(PRUNERS, "pruner")


class WrittenSweep(BaseModel):
    """What is tuned, how, and for how long: the same for every arm of a study."""

    model_config = ConfigDict(**_STRICT, title="Sweep")

    space: Annotated[Mapping[str, WrittenParameter], Field(min_length=1)] = Field(
        description="The searched keys of a config, dotted, and where their values lie."
    )
    constraints: tuple[str, ...] = Field(
        default=(),
        description="Comparisons between keys, or on metrics: `optimizer.lr * batch_size <= 1`.",
    )
    sampler: SamplerName | WrittenSampler = Field(
        default=USUAL_SAMPLER,
        description="What proposes: one of Optuna's samplers, with or without options.",
    )
    pruner: PrunerName | WrittenPruner | None = Field(
        default=None,
        description="What stops a trial that is not promising: one of Optuna's pruners.",
    )
    trials: Annotated[int, Field(ge=1, le=100_000)] = Field(
        description="How many trials each arm is tuned by."
    )
    stop: Stop | None = Field(
        default=None, description="A total over all arms at which tuning ends."
    )
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Several metrics to trade off; left out, the study's objective is looked for.",
    )


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
