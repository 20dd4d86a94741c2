"""A sweep's space and what is proposed in it, as Optuna says them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from cbablate.errors import StudyError
from cbablate.fingerprint import canonical
from cbablate.spec.sweep import Parameter, Proposal, Sweep

__all__ = [
    "among",
    "axes",
    "cells",
    "distribution",
    "drawing_order",
    "spelled",
    "suggested",
    "typed",
]


def typed(sweep: Sweep, proposal: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded proposal as it was drawn: JSON writes the number 1.0 as 1."""
    return {name: _typed(value, sweep.space[name]) for name, value in proposal.items()}


def spelled(sweep: Sweep, proposal: Proposal) -> dict[str, Any]:
    """A proposal as Optuna's own parameters."""
    return {name: _key(value, sweep.space[name]) for name, value in proposal.items()}


def _typed(value: Any, parameter: Parameter) -> Any:
    if parameter.kind == "choice":
        return next(one for one in parameter.choices if canonical(one) == canonical(value))
    return float(value) if parameter.kind == "float" else value


def drawing_order(space: Mapping[str, Parameter]) -> Iterator[tuple[str, Parameter]]:
    """The space in its own order, but for parameters that must wait for those they depend on."""
    waiting = dict(space)
    while waiting:
        ready = [n for n, p in waiting.items() if not (p.when or {}).keys() & waiting.keys()]
        if not ready:
            raise StudyError(f"the conditions of {', '.join(sorted(waiting))} go in a circle")
        for name in ready:
            yield name, waiting.pop(name)


def distribution(parameter: Parameter) -> BaseDistribution:
    """Where a parameter's values lie, as Optuna says it."""
    if parameter.kind == "choice":
        return CategoricalDistribution([_key(value, parameter) for value in parameter.choices])
    low, high = _range(parameter)
    if parameter.kind == "int":
        step = int(parameter.step or 1)
        return IntDistribution(int(low), int(high), log=parameter.log, step=step)
    return FloatDistribution(low, high, log=parameter.log, step=parameter.step)


def suggested(trial: optuna.Trial, name: str, parameter: Parameter) -> Any:
    """A value that a trial of Optuna's draws for a parameter."""
    if parameter.kind == "choice":
        keys = {_key(value, parameter): value for value in parameter.choices}
        return keys[trial.suggest_categorical(name, list(keys))]
    low, high = _range(parameter)
    if parameter.kind == "int":
        step = int(parameter.step or 1)
        return trial.suggest_int(name, int(low), int(high), step=step, log=parameter.log)
    return trial.suggest_float(name, low, high, step=parameter.step, log=parameter.log)


def _range(parameter: Parameter) -> tuple[float, float]:
    """Its ends; the upper one is the last that a step reaches, as Optuna would say in a warning."""
    low, high = float(parameter.low or 0.0), float(parameter.high or 0.0)
    if parameter.step:
        high = low + math.floor((high - low) / parameter.step + 1e-9) * parameter.step
    return low, high


def _key(value: Any, parameter: Parameter) -> Any:
    """A choice as Optuna takes one: mappings and lists by their text."""
    if parameter.kind != "choice" or value is None or isinstance(value, bool | int | float | str):
        return value
    return canonical(value)


def among(value: Any, allowed: Sequence[Any]) -> bool:
    """Whether a drawn value is one of these."""
    return canonical(value) in {canonical(one) for one in allowed}


def axes(sweep: Sweep) -> dict[str, list[Any]]:
    """The values of a grid's axes."""
    found: dict[str, list[Any]] = {}
    for name, parameter in sweep.space.items():
        if parameter.kind == "choice":
            found[name] = [_key(value, parameter) for value in parameter.choices]
            continue
        low, high = _range(parameter)
        step = parameter.step or (1 if parameter.kind == "int" else 0)
        if not step:
            raise StudyError(f"a grid needs a step for '{name}'")
        values = [low + index * step for index in range(round((high - low) / step) + 1)]
        found[name] = [int(value) for value in values] if parameter.kind == "int" else values
    return found


def cells(sweep: Sweep) -> int:
    """How many cells a grid has."""
    return math.prod(len(values) for values in axes(sweep).values())
