"""Cells: what stands in one place of a table, formatted once, before anything is spelled.

The numbers' texts use a plain alphabet: digits, point, `-`, `+`, and the symbols below. A
renderer turns them into its own; it never sees a float, so that all forms of a table agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

__all__ = ["DASH", "Blank", "Cell", "Count", "Number", "Probability", "Range", "Spread", "Text"]

DASH = "\u2013"
"""An en dash: no value here, or from here to there."""
_ALPHA = 0.05


@dataclass(frozen=True)
class Text:
    """Words from a study or from us; every renderer escapes them."""

    text: str

    @property
    def plain(self) -> str:
        """What it says."""
        return self.text


@dataclass(frozen=True)
class Number:
    """A value with this number of decimals; `signed` shows a plus. What is not finite is a dash."""

    value: float | None
    decimals: int = 0
    signed: bool = False

    @property
    def digits(self) -> str:
        """`-0.42`, with neither thousands' separators nor a zero that has a sign."""
        if self.value is None or not math.isfinite(self.value):
            return DASH
        text = f"{self.value:.{self.decimals}f}"
        if not text.strip("-0."):
            return text.lstrip("-")
        return f"+{text}" if self.signed and self.value > 0 else text

    @property
    def plain(self) -> str:
        """The digits, grouped by commas from five before the point."""
        digits = self.digits
        whole, point, decimals = digits.lstrip("+-").partition(".")
        if len(whole) < 5 or digits == DASH:
            return digits
        sign = digits[: len(digits) - len(digits.lstrip("+-"))]
        return f"{sign}{int(whole):,}{point}{decimals}"


@dataclass(frozen=True)
class Spread:
    """A centre with the half-width of its interval, if it has one: `96.20 ± 0.31 †`.

    `best` says that no other is better for sure; a form that has bold faces shows it.
    """

    centre: Number
    half: Number | None = None
    mark: str = ""
    best: bool = False

    @property
    def plain(self) -> str:
        """All of it in a line."""
        half = f" ± {self.half.plain}" if self.half else ""
        return f"{self.centre.plain}{half}{' ' if self.mark else ''}{self.mark}"


@dataclass(frozen=True)
class Range:
    """A centre with the least and the greatest value: `2134 (2101–2160)`, and a mark."""

    centre: Number
    low: Number
    high: Number
    mark: str = field(default="", kw_only=True)

    @property
    def span(self) -> str:
        """Least and greatest in parentheses; before a sign a dash would read as another."""
        low, high = self.low.plain, self.high.plain
        apart = DASH if low[:1].isdigit() and high[:1].isdigit() else " to "
        return f"({low}{apart}{high})"

    @property
    def plain(self) -> str:
        """All of it in a line."""
        return f"{self.centre.plain} {self.span}{' ' if self.mark else ''}{self.mark}"


@dataclass(frozen=True)
class Probability:
    """A p value to three decimals, never rounded across 0.05 nor down to nothing."""

    value: float

    @property
    def plain(self) -> str:
        """`0.012`, `<0.001`, `<0.050`."""
        if self.value < 0.001:
            return "<0.001"
        text = f"{self.value:.3f}"
        return "<0.050" if self.value < _ALPHA and text == "0.050" else text


@dataclass(frozen=True)
class Count:
    """How many entered, and of how many where some are missing: `5`, `3/5`."""

    n: int
    planned: int

    @property
    def plain(self) -> str:
        """The planned number is said only where it was missed."""
        return str(self.n) if self.n == self.planned else f"{self.n}/{self.planned}"


@dataclass(frozen=True)
class Blank:
    """No value, and the word that stands in its place."""

    plain: str = DASH


Cell = Text | Number | Spread | Range | Probability | Count | Blank
