"""Phrases: how a number of things, a length of time and a list are said, everywhere alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["LISTED", "amount", "counted", "duration", "first_few", "listed"]

LISTED = 12
"""How many things a sentence names before it says how many more there are."""


def counted(number: int, noun: str) -> str:
    """`1 arm`, `2 arms`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def amount(number: int, unit: str) -> str:
    """`1 epoch`, `20 epochs`: so many of a unit that is a plural; `1 ms` of one that is none."""
    plural = len(unit) > 2 and unit.isalpha() and unit.endswith("s")
    return f"{number:,} {unit[:-1] if number == 1 and plural else unit}"


def duration(seconds: float) -> str:
    """`8.2 s`, `3 min 20 s`, `2 h 5 min` or `3 d 4 h`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Words in a row: `a, b and c`."""
    *others, last = words
    return f"{', '.join(others)} {joint} {last}" if others else last


def first_few(phrases: Iterable[str]) -> str:
    """The first `LISTED` of them, and how many more there are: `a; b; and 3 more`."""
    every = list(phrases)
    more = len(every) - LISTED
    return "; ".join(every[:LISTED]) + (f"; and {more} more" if more > 0 else "")
