"""Rounding: how many digits a column's numbers need, and when a rounded interval misleads."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["Ends", "enough", "exponent", "like", "misleads"]

Ends = tuple[float | None, float | None, float | None]
"""A difference with the least and the greatest value of its interval; None: not known."""
_APART = 1e5
"""A size that is so many times the next smaller one belongs to another column, so to speak."""
_SMALL = -3
"""The least power of ten that is written without naming it."""
_MOST = 15
"""The significant digits that a float has."""


def exponent(size: float) -> int:
    """The power of ten of a size's first digit, once it has two digits: 0 of 9.94, 1 of 9.96."""
    return int(f"{abs(size):.1e}".partition("e")[2])


def like(sizes: Sequence[float]) -> list[float]:
    """Those of these sizes, sorted, that decide how a column is written.

    Where sizes lie decades apart (one arm has diverged) they are the smaller ones, as long as
    these are no tiny leftovers: with the digits of the larger ones they would be zeros.
    """
    groups: list[list[float]] = []
    for size in sorted(sizes):
        if not groups or size >= _APART * groups[-1][-1]:
            groups.append([])
        groups[-1].append(size)
    return next((one for one in groups if exponent(one[-1]) >= _SMALL), groups[-1])


def misleads(ends: Ends, form: str) -> bool:
    """Whether a form makes nothing of a difference or its half-width, or moves an end to 0."""

    def rounded(value: float) -> float:
        return float(format(value, form))

    centre, low, high = ends
    if low is None or high is None:
        return bool(centre) and not rounded(centre or 0.0)
    half = (high - low) / 2
    if half and not rounded(half):
        return True
    if low <= 0 <= high:
        return False
    apart = centre is None or abs(rounded(centre)) > rounded(half) or abs(centre) <= half
    return not (apart and rounded(low) and rounded(high))


def enough(ends: Ends, decimals: int, *, form: str = "f") -> int:
    """The fewest decimals, these at least, with which an interval does not mislead.

    `form` is `f`, or `e` for numbers with a power of their own. Where no float has so many digits,
    the decimals asked for.
    """
    largest = max((abs(end) for end in ends if end and math.isfinite(end)), default=1.0)
    most = _MOST if form == "e" else max(decimals, _MOST - exponent(largest))
    tried = range(decimals, most + 1)
    return next((one for one in tried if not misleads(ends, f".{one}{form}")), decimals)
