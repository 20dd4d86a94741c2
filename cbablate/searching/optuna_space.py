"""A sweep's space and what is proposed in it, as Optuna says them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
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
from cbablate.spec.space import nearest, values_of
from cbablate.spec.sweep import Parameter, Proposal, Sweep

__all__ = [
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
    """A proposal as Optuna's own parameters.

    Numbers lie on the parameter's steps and within its ends, where rounding may have put a
    recorded one beside them: version 0.1.0 recorded 0.6000000000000001 for three steps of 0.2.
    """
    return {name: _spelled(value, sweep.space[name]) for name, value in proposal.items()}


def _typed(value: Any, parameter: Parameter) -> Any:
    if parameter.kind == "choice":
        same = (one for one in parameter.choices if canonical(one) == canonical(value))
        return next(same, value)
    return float(value) if parameter.kind == "float" else value


def _spelled(value: Any, parameter: Parameter) -> Any:
    if parameter.kind == "choice":
        texts = [canonical(one) for one in parameter.choices]
        return _keys(parameter)[texts.index(canonical(value))]
    return nearest(parameter, value) if parameter.kind == "float" else int(value)


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
        return CategoricalDistribution(_keys(parameter))
    low, high = _ends(parameter)
    if parameter.kind == "int":
        step = int(parameter.step or 1)
        return IntDistribution(int(low), int(high), log=parameter.log, step=step)
    return FloatDistribution(low, high, log=parameter.log, step=parameter.step)


def suggested(trial: optuna.Trial, name: str, parameter: Parameter) -> Any:
    """A value that a trial of Optuna's draws for a parameter."""
    if parameter.kind == "choice":
        choices = dict(zip(_keys(parameter), parameter.choices, strict=True))
        return choices[trial.suggest_categorical(name, list(choices))]
    low, high = _ends(parameter)
    if parameter.kind == "int":
        step = int(parameter.step or 1)
        return trial.suggest_int(name, int(low), int(high), step=step, log=parameter.log)
    drawn = trial.suggest_float(name, low, high, step=parameter.step, log=parameter.log)
    return nearest(parameter, drawn)  # Optuna's own steps are rounded otherwise


def _ends(parameter: Parameter) -> tuple[float, float]:
    return float(parameter.low or 0.0), float(parameter.high or 0.0)


def _keys(parameter: Parameter) -> list[Any]:
    """A choice's values as Optuna takes them, each distinct from all others by Python's equality.

    A word, number, truth value or null stands for itself, a list or a mapping is its canonical
    text. Where two would then be equal to Python (0 and false, or "[1]" and [1]), all are texts.
    """
    keys = [
        one if one is None or isinstance(one, bool | int | float | str) else canonical(one)
        for one in parameter.choices
    ]
    return keys if len(set(keys)) == len(keys) else [canonical(one) for one in parameter.choices]


def axes(sweep: Sweep) -> dict[str, list[Any]]:
    """The values of a grid's axes, as Optuna takes them."""
    found: dict[str, list[Any]] = {}
    for name, parameter in sweep.space.items():
        if parameter.kind == "choice":
            found[name] = _keys(parameter)
        elif parameter.kind == "float" and not parameter.step:
            raise StudyError(f"a grid needs a step for '{name}'")
        else:
            found[name] = list(values_of(parameter))
    return found


def cells(sweep: Sweep) -> int:
    """How many cells a grid has."""
    return math.prod(len(values) for values in axes(sweep).values())
