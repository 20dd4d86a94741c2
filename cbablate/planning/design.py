"""Designs: how arms are drawn from factors, each a pure function to level indices.

A cell is a tuple with one level index for each factor; 0 is the baseline's level.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from cbablate.planning import screening
from cbablate.spec.study import DesignName

__all__ = ["DESIGNS", "SCREENING", "SWITCHING", "Cell", "cells", "count"]

Cell = tuple[int, ...]
SCREENING: tuple[DesignName, ...] = ("fractional", "plackett_burman")
"""Designs that tell many factors apart from few arms, each arm with about half of them on."""
SWITCHING: tuple[DesignName, ...] = ("leave_one_out", "cumulative", *SCREENING)
"""Designs that switch factors on and off: each has exactly two levels."""


def one_at_a_time(sizes: Sequence[int]) -> list[Cell]:
    """The baseline, then each level of each factor by itself: 1 + sum(size - 1) cells."""
    baseline = (0,) * len(sizes)
    changed = [
        (*baseline[:factor], level, *baseline[factor + 1 :])
        for factor, size in enumerate(sizes)
        for level in range(1, size)
    ]
    return [baseline, *changed]


def factorial(sizes: Sequence[int]) -> list[Cell]:
    """Every combination, the last factor changing fastest: prod(size) cells."""
    return list(itertools.product(*(range(size) for size in sizes)))


def leave_one_out(sizes: Sequence[int]) -> list[Cell]:
    """All factors on, then each one back at its first level: 1 + number of factors cells."""
    full = (1,) * len(sizes)
    return [full, *((*full[:i], 0, *full[i + 1 :]) for i in range(len(sizes)))]


def cumulative(sizes: Sequence[int]) -> list[Cell]:
    """The baseline, then one factor more at each step, in order: 1 + number of factors cells."""
    return [tuple(int(i < on) for i in range(len(sizes))) for on in range(len(sizes) + 1)]


DESIGNS: Mapping[DesignName, Callable[[Sequence[int]], list[Cell]]] = MappingProxyType(
    {
        "one_at_a_time": one_at_a_time,
        "factorial": factorial,
        "leave_one_out": leave_one_out,
        "cumulative": cumulative,
        "fractional": lambda sizes: screening.fractional(len(sizes)),
        "plackett_burman": lambda sizes: screening.plackett_burman(len(sizes)),
    }
)


def cells(design: DesignName, sizes: Sequence[int]) -> list[Cell]:
    """The cells of a design over factors with these numbers of levels; the first is the reference.

    A study without factors has one cell, the empty one.

    Raises:
        ValueError: the design is one of `SWITCHING`, and a factor has not exactly two levels.
    """
    if not sizes:
        return [()]
    if design in SWITCHING and any(size != 2 for size in sizes):
        raise ValueError(f"{design} switches factors on and off: give each exactly two levels")
    return DESIGNS[design](sizes)


def count(design: DesignName, sizes: Sequence[int]) -> int:
    """How many cells `cells` would give, without building them."""
    if design == "factorial":
        product = 1
        for size in sizes:
            product *= size
        return product
    if design == "one_at_a_time":
        return 1 + sum(size - 1 for size in sizes)
    if design in SCREENING:
        return screening.runs(design, len(sizes))
    return 1 + len(sizes) if sizes else 1
