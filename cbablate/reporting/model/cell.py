"""Cells: what stands in one place of a table, formatted once, before anything is spelled.

A renderer never sees a float, so that all forms of a table agree: it takes a number's `digits`,
ASCII for programs (siunitx, CSV), or `plain`, what people read. This module alone makes text of
numbers, the sentences' too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

__all__ = [
    "DASH",
    "MINUS",
    "Blank",
    "Cell",
    "Count",
    "Number",
    "Probability",
    "Range",
    "Spread",
    "Text",
    "hyphened",
    "raised",
    "significant",
]

DASH = "\u2013"
"""An en dash: no value here, or from here to there."""
MINUS = "\u2212"
"""The minus sign: as wide as a plus, and no line ends after it."""
_TIMES = "\u00d7"
_ALPHA = 0.05
_NEGATIVE = re.compile(rf"{MINUS}(?=[\d.])")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def raised(power: int) -> str:
    """An exponent: `⁻⁷`."""
    return str(power).translate(_SUPERSCRIPTS)


def significant(value: float, digits: int, *, signed: bool = False) -> str:
    """A number in a sentence, with so many significant digits: `−0.0312`, `1.2×10⁻⁷`."""
    mantissa, _, power = f"{value:{'+' if signed else ''}.{digits}g}".partition("e")
    return mantissa.replace("-", MINUS) + (f"{_TIMES}10{raised(int(power))}" if power else "")


def hyphened(text: str) -> str:
    """Text for programs: its numbers with the hyphen that they read as a minus."""
    return _NEGATIVE.sub("-", text)


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
    """A value with this number of decimals; `signed` shows a plus. What is not finite is a dash.

    `apart` says that the value is far from all others of its column: it is written with a power of
    ten of its own, and has the decimals before that.
    """

    value: float | None
    decimals: int = 0
    signed: bool = False
    apart: bool = False

    @property
    def aligned(self) -> bool:
        """Whether it stands at its column's point: a dash does not, nor a power of its own."""
        return self.value is not None and math.isfinite(self.value) and not self.apart

    @property
    def digits(self) -> str:
        """`-0.42`, with neither thousands' separators nor a zero that has a sign."""
        if self.value is None or not math.isfinite(self.value):
            return DASH
        text = f"{self.value:.{self.decimals}{'e' if self.apart else 'f'}}"
        if self.apart and self.value == 0:
            return "0"
        if self.apart:
            mantissa, _, power = text.partition("e")
            text = f"{mantissa}{_TIMES}10{raised(int(power))}"
        if not text.strip("-0."):
            return text.lstrip("-")
        return f"+{text}" if self.signed and self.value > 0 else text

    @property
    def plain(self) -> str:
        """The digits, grouped by commas from five before the point, with a true minus."""
        text = self.digits.replace("-", MINUS)
        sign = text[: len(text) - len(text.lstrip(f"+{MINUS}"))]
        whole, point, decimals = text[len(sign) :].partition(".")
        if len(whole) < 5 or not whole.isdecimal():
            return text
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
