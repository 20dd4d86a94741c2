"""Corrections for making several comparisons at once: Sidak's, in one step, and Holm's, in several.

Sidak's adjusted p value is below ALPHA exactly where the interval at the level `share` leaves out
zero, and such intervals hold together with 95 % or more: exactly where comparisons are independent,
with a little more where they share a baseline (Sidak 1967; simulated: docs/decisions/0032).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from cbablate.statistics.power import ALPHA

__all__ = ["CORRECTIONS", "Steps", "corrected", "holm", "share", "sidak"]

Steps = Literal["sidak", "holm"]
"""The corrections that take p values of any test."""


def share(family: int, steps: Steps = "sidak") -> float:
    """The level at which one of so many comparisons is tested; by Holm's, the first of them."""
    if steps == "holm" or family <= 1:
        return ALPHA / max(family, 1)
    return -math.expm1(math.log1p(-ALPHA) / max(family, 1))


def sidak(ps: Sequence[float]) -> list[float]:
    """The adjusted p values 1 - (1 - p)^k of k tests, in the order given."""
    count = len(ps)
    if count == 1:
        return [*ps]
    return [1.0 if p >= 1 else -math.expm1(count * math.log1p(-p)) for p in ps]


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order given (Holm 1979)."""
    found = [0.0] * len(ps)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        found[index] = largest
    return found


CORRECTIONS: dict[Steps, Callable[[Sequence[float]], list[float]]] = {"sidak": sidak, "holm": holm}


def corrected(ps: Sequence[float | None], steps: Steps) -> list[float | None]:
    """The adjusted p values of a family; one that is missing counts as a member with p = 1.

    So what is missing makes no other comparison look better, and completing it never makes the
    correction harder.
    """
    filled = CORRECTIONS[steps]([1.0 if p is None else p for p in ps])
    return [None if p is None else said for p, said in zip(ps, filled, strict=True)]
