"""Measures: how wide words come out in Computer Modern, so that a table can be made to fit.

The widths are those of cmr10, in em. Papers are set in Times, which is narrower: what fits here
fits there.
"""

# ruff: noqa: RUF001 - look-alikes have widths of their own

from __future__ import annotations

import math
import unicodedata

from cbablate.character import visible
from cbablate.reporting.model.style import Size

__all__ = ["EM", "LEADING", "lines", "points"]

EM: dict[Size, float] = {9: 9.25, 8: 8.5}
"""An em in points; small sizes of Computer Modern are a little wider than they are high."""
LEADING: dict[Size, float] = {9: 11.0, 8: 9.5}
"""Points from one line to the next."""
_GROUPS = {
    0.278: ".,:;!|'ijl",
    0.306: "f",
    0.334: " -",
    0.362: "I",
    0.392: "rst()[]",
    0.445: "cez?`†",
    0.5: "↑↓0123456789ago/*\u2013",
    0.515: "J",
    0.528: "kqvxy",
    0.556: 'bdhnpuS"^~',
    0.625: "L",
    0.653: "F",
    0.681: "PEZ",
    0.723: "wCTBR",
    0.751: "AHNUVXY",
    0.778: "GQKDO+=_#$&\\±×<>{}\u2212",
    0.834: "m%@Δ",
    0.917: "M",
    1.03: "W…—",
}
_EMS = {character: ems for ems, characters in _GROUPS.items() for character in characters}
_OTHER = 1.0
"""Other signs are no wider, Chinese and emoji among them."""


def points(text: str, size: Size) -> float:
    """How wide the text is in one line, in points, as LaTeX sets it; rather too wide."""
    return EM[size] * sum(_ems(character) for character in visible(text))


def lines(text: str, width: float, size: Size) -> int:
    """Lines of a width in points that the text takes; rather too many where words are broken."""
    return max(1, math.ceil(1.08 * points(text, size) / max(width, EM[size])))


def _ems(character: str) -> float:
    if character in _EMS:
        return _EMS[character]
    base = unicodedata.normalize("NFD", character)[0]
    if base in _EMS:
        return _EMS[base]
    if unicodedata.combining(character):
        return 0.0
    return _OTHER
