"""Spaces: points of a sweep's space, drawn and counted without any sampler's library."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from cbablate.fingerprint import canonical
from cbablate.spec.sweep import Parameter

__all__ = [
    "active",
    "among",
    "cells",
    "circle",
    "corners",
    "count",
    "draw",
    "ends",
    "nearest",
    "steps",
    "value_at",
    "values_of",
]

Space = Mapping[str, Parameter]
_MOST_CORNERS = 4096


def circle(space: Space) -> list[str]:
    """Parameters whose conditions lead back to themselves, in the order they name each other."""
    for start in space:
        way = [start]
        if _leads_back(space, way, {start}):
            return way
    return []


def _leads_back(space: Space, way: list[str], seen: set[str]) -> bool:
    """Whether the conditions of the last of `way` lead to its first; then `way` is that way."""
    for parent in space[way[-1]].when or ():
        if parent == way[0]:
            return True
        if parent in space and parent not in seen:
            seen.add(parent)
            way.append(parent)
            if _leads_back(space, way, seen):
                return True
            way.pop()
    return False


def active(parameter: Parameter, drawn: Mapping[str, Any]) -> bool:
    """Whether a parameter exists, given what its parents are."""
    conditions = parameter.when or {}
    return all(
        parent in drawn and among(drawn[parent], values) for parent, values in conditions.items()
    )


def among(value: Any, allowed: Sequence[Any]) -> bool:
    """Whether a value is one of these, by its identity: `0` is not `false`, and `1.0` is `1`."""
    return canonical(value) in {canonical(one) for one in allowed}


def draw(space: Space, source: random.Random) -> dict[str, Any]:
    """A point drawn at random, each parameter by its own scale; conditional ones where they exist.

    The space has no circle.
    """
    drawn: dict[str, Any] = {}
    for key in _ordered(space):
        if active(space[key], drawn):
            drawn[key] = _drawn(space[key], source)
    return {key: drawn[key] for key in space if key in drawn}


def corners(space: Space) -> Iterator[dict[str, Any]]:
    """Points at the ends of every range, in all combinations with choices; at most 4,096."""
    ordered = _ordered(space)
    points = itertools.product(*(ends(space[key]) for key in ordered))
    for point in itertools.islice(points, _MOST_CORNERS):
        drawn: dict[str, Any] = {}
        for key, value in zip(ordered, point, strict=True):
            if active(space[key], drawn):
                drawn[key] = value
        yield drawn


def ends(parameter: Parameter) -> Sequence[Any]:
    """The least and the greatest value; of a choice, all."""
    if parameter.kind == "choice":
        return parameter.choices
    low, high = parameter.low or 0.0, parameter.high or 0.0
    return (int(low), int(high)) if parameter.kind == "int" else (low, high)


def cells(space: Space) -> Iterator[dict[str, Any]]:
    """Every point of a space whose parameters all have steps or choices, and no conditions."""
    for point in itertools.product(*(values_of(one) for one in space.values())):
        yield dict(zip(space, point, strict=True))


def values_of(parameter: Parameter) -> Sequence[Any]:
    """All values of a parameter that has steps or choices.

    Raises:
        ValueError: it has neither.
    """
    if parameter.kind == "choice":
        return parameter.choices
    low, high = ends(parameter)
    if parameter.kind == "int":
        return range(low, high + 1, int(parameter.step or 1))
    if not parameter.step:
        raise ValueError("a float without step has no list of values")
    return [value_at(parameter, index) for index in range(steps(parameter) + 1)]


def count(parameter: Parameter) -> int:
    """How many values a parameter has that has steps or choices."""
    if parameter.kind == "choice":
        return len(parameter.choices)
    if parameter.kind == "float":
        return steps(parameter) + 1
    low, high = ends(parameter)
    return int((high - low) // int(parameter.step or 1)) + 1


def steps(parameter: Parameter) -> int:
    """How many steps lead from the least value of a float with `step` to the greatest."""
    low, high, step = (_exact(one) for one in (parameter.low, parameter.high, parameter.step))
    return round((high - low) / step)


def value_at(parameter: Parameter, index: int) -> float:
    """The value so many steps above the least of a float with `step`.

    It is `low + index * step` of the decimal numbers that the sweep file says: two steps of 0.2
    above 0.2 lie at 0.6, where floating point arithmetic gives 0.6000000000000001. The last value
    is the upper end itself.
    """
    if index == steps(parameter):
        return float(parameter.high or 0.0)
    return float(_exact(parameter.low) + index * _exact(parameter.step))


def nearest(parameter: Parameter, value: float) -> float:
    """The value of a float parameter that is nearest to this one: on its steps, within its ends."""
    low, high = ends(parameter)
    if not parameter.step:
        return float(min(max(value, low), high))
    index = round((_exact(value) - _exact(low)) / _exact(parameter.step))
    return value_at(parameter, min(max(index, 0), steps(parameter)))


def _exact(number: float | None) -> Fraction:
    """A float as the decimal number that it is written as, exactly."""
    return Fraction(repr(float(number or 0.0)))


def _ordered(space: Space) -> list[str]:
    """Keys, parents before those that depend on them."""
    ordered: dict[str, None] = {}

    def place(key: str) -> None:
        if key in ordered:
            return
        for parent in space[key].when or ():
            if parent in space:
                place(parent)
        ordered[key] = None

    for key in space:
        place(key)
    return list(ordered)


def _drawn(parameter: Parameter, source: random.Random) -> Any:
    if parameter.kind == "choice":
        return source.choice(parameter.choices)
    low, high = ends(parameter)
    if parameter.log:
        value = math.exp(source.uniform(math.log(low), math.log(high)))
        return min(high, max(low, round(value))) if parameter.kind == "int" else value
    if parameter.kind == "int":
        return source.choice(range(low, high + 1, int(parameter.step or 1)))
    if parameter.step:
        return value_at(parameter, source.randrange(steps(parameter) + 1))
    return source.uniform(low, high)
