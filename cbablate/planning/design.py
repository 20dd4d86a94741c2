"""Designs: how arms are drawn from factors, each a pure function to level indices.

A cell is a tuple with one level index for each factor; 0 is the baseline's level.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from cbablate.planning import screening
from cbablate.spec.choice import code_at
from cbablate.spec.design import DESIGNS

__all__ = ["SCREENING", "Cell", "cells", "count"]

Cell = tuple[int, ...]
SCREENING = frozenset(name for name, row in DESIGNS.items() if row.screening)
"""Designs that tell many factors apart from few arms, each arm with about half of them on."""


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


def fractional(sizes: Sequence[int]) -> list[Cell]:
    """A fraction of all combinations: see `screening.fractional`."""
    return screening.fractional(len(sizes))


def plackett_burman(sizes: Sequence[int]) -> list[Cell]:
    """As few arms as tell all factors apart: see `screening.plackett_burman`."""
    return screening.plackett_burman(len(sizes))


def each_level(sizes: Sequence[int]) -> int:
    """The reference, and every level but the first of each factor."""
    return 1 + sum(size - 1 for size in sizes)


def each_factor(sizes: Sequence[int]) -> int:
    """The reference, and one for each factor."""
    return 1 + len(sizes)


def every_combination(sizes: Sequence[int]) -> int:
    """The product of the numbers of levels."""
    return math.prod(sizes)


def fractional_runs(sizes: Sequence[int]) -> int:
    """How many arms `fractional` has."""
    return screening.runs("fractional", len(sizes))


def plackett_burman_runs(sizes: Sequence[int]) -> int:
    """How many arms `plackett_burman` has."""
    return screening.runs("plackett_burman", len(sizes))


def cells(design: str, sizes: Sequence[int]) -> list[Cell]:
    """The cells of a design over factors with these numbers of levels; the first is the
    reference.

    A study without factors has one cell, the empty one.

    Raises:
        ValueError: the design switches factors, and one has not exactly two levels.
    """
    if not sizes:
        return [()]
    row = DESIGNS[design]
    if row.switching and any(size != 2 for size in sizes):
        raise ValueError(f"{design} switches factors on and off: give each exactly two levels")
    drawn: list[Cell] = code_at(row.cells)(sizes)
    return drawn


def count(design: str, sizes: Sequence[int]) -> int:
    """How many cells `cells` would give, without building them."""
    number: int = code_at(DESIGNS[design].count)(sizes) if sizes else 1
    return number
