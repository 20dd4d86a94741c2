"""Spaces: points of a sweep's space, drawn and counted without any sampler's library."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cbablate.spec.sweep import Parameter

__all__ = ["active", "cells", "circle", "corners", "draw", "ends", "values_of"]

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
        parent in drawn and any(_same(drawn[parent], value) for value in values)
        for parent, values in conditions.items()
    )


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
    """All values of a parameter that has steps or choices."""
    if parameter.kind == "choice":
        return parameter.choices
    low, high = ends(parameter)
    if parameter.kind == "int":
        return range(low, high + 1, int(parameter.step or 1))
    step = parameter.step or math.inf
    return [low + place * step for place in range(round((high - low) / step) + 1)]


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
        return low + source.randrange(round((high - low) / parameter.step) + 1) * parameter.step
    return source.uniform(low, high)


def _same(one: Any, other: Any) -> bool:
    """Equal, and not only as `True` equals 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
