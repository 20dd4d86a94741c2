"""`Check`: one statistic held against something that does not share its code."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Check", "Size", "apart", "compared", "lacking", "missed", "share"]

ERRORS = 4.0
"""How many standard errors a simulated share may be beyond its bound: one check in 30,000 fails."""


@dataclass(frozen=True)
class Size:
    """How many cases and simulations are made."""

    quick: bool

    def of(self, full: int, quick: int | None = None) -> int:
        """So many of them; a tenth, or the number given, where it must be quick."""
        return (quick or max(20, full // 10)) if self.quick else full


@dataclass(frozen=True)
class Check:
    """A row of the table. `holds` is None where what it needs is not installed."""

    what: str
    against: str
    n: str
    result: str
    bound: str
    holds: bool | None

    @property
    def verdict(self) -> str:
        """`holds`, `BROKEN` or `not run`."""
        return "not run" if self.holds is None else "holds" if self.holds else "BROKEN"


def apart(
    ours: Iterable[float | None], theirs: Iterable[float | None], scale: float = 1.0
) -> float:
    """How far two rows of numbers are apart at most, relative to the larger, and to the scale
    where both are smaller.
    """
    largest = 0.0
    for one, other in zip(ours, theirs, strict=True):
        if one is None or other is None:
            largest = max(largest, 0.0 if one is other else math.inf)
        else:
            largest = max(largest, abs(one - other) / max(scale, abs(one), abs(other)))
    return largest


def compared(what: str, against: str, cases: int, far: float, bound: float) -> Check:
    """A check of exact agreement: so many cases are this far apart at most."""
    return Check(what, against, f"{cases:,}", f"{far:.1g} apart", f"{bound:g}", far <= bound)


def share(what: str, against: str, held: int, studies: int, bounds: tuple[float, float]) -> Check:
    """A check of a simulated share, in per cent, between bounds, give or take `ERRORS` errors."""
    low, high = bounds
    part = held / max(studies, 1)

    def room(bound: float) -> float:
        return ERRORS * math.sqrt(bound * (1 - bound) / max(studies, 1))

    holds = bool(studies) and low - room(low) <= part <= high + room(high)
    error = 100 * math.sqrt(max(part * (1 - part), 1e-9) / max(studies, 1))
    wanted = (
        f"at most {100 * high:g} %"
        if low <= 0
        else f"at least {100 * low:g} %"
        if high >= 1
        else f"{100 * low:g} to {100 * high:g} %"
    )
    return Check(
        what, against, f"{studies:,}", f"{100 * part:.1f} % (SE {error:.1f})", wanted, holds
    )


def missed(what: str, against: str, cases: int, count: int) -> Check:
    """A check that nothing contradicts: so many cases, so many mismatches."""
    return Check(what, against, f"{cases:,}", f"{count:,} mismatches", "0", count == 0)


def lacking(what: str, library: str) -> Check:
    """A check that is not run, as a library is not there."""
    return Check(what, library, "0", f"pip install {library}", "", None)
