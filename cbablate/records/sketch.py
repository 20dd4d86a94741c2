"""`Sketch`: what a trial leaves of its network, to be set beside another trial's or shown.

Not a result: nothing of it stands in a table as it is. Numbers are kept to 16 bits, so that some
tens of thousands of them are no more in a ledger than a curve.
"""

from __future__ import annotations

import base64
import json
import math
import sys
from array import array
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

__all__ = ["STEPS", "Sketch", "packs_a_sketch"]

STEPS = 32767
"""Into how many parts a row's largest number is divided; each number is a whole number of them."""


@dataclass(frozen=True)
class Sketch:
    """Rows of finite numbers, and a word for what they were taken of, the images say.

    Two sketches can be set against each other only where `about` is the same.
    """

    about: str
    rows: tuple[tuple[float, ...], ...]

    @property
    def packed(self) -> str:
        """The sketch as text: each number within half a step of itself, a row's largest exact.

        Raises:
            ValueError: a number is not finite.
        """
        scales = [max((abs(value) for value in row), default=0.0) for row in self.rows]
        if not all(map(math.isfinite, [value for row in self.rows for value in row])):
            raise ValueError("a sketch has a number that is not finite")
        kept = array("h")
        for row, scale in zip(self.rows, scales, strict=True):
            kept.extend(round(value / scale * STEPS) if scale else 0 for value in row)
        return json.dumps(
            {
                "about": self.about,
                "lengths": [len(row) for row in self.rows],
                "scales": scales,
                "steps": base64.b64encode(_little_endian(kept).tobytes()).decode("ascii"),
            }
        )

    @classmethod
    def unpacked(cls, text: str) -> Sketch:
        """The sketch that such a text holds.

        Raises:
            ValueError, KeyError, TypeError: it holds none.
        """
        told = json.loads(text)
        kept = array("h")
        kept.frombytes(base64.b64decode(told["steps"], validate=True))
        lengths = told["lengths"]
        if sum(lengths) != len(kept):
            raise ValueError(f"{len(kept)} numbers are no rows of {lengths}")
        _little_endian(kept)
        ends = [*accumulate(lengths)]
        rows = tuple(
            tuple([scale * (step / STEPS) for step in kept[end - length : end]])
            for end, length, scale in zip(ends, lengths, told["scales"], strict=True)
        )
        return cls(str(told["about"]), rows)


def packs_a_sketch(text: object) -> bool:
    """Whether `Sketch.unpacked` takes a value, found out without making the numbers."""
    try:
        told: Any = json.loads(text) if isinstance(text, str) else None
        lengths, scales, steps = told["lengths"], told["scales"], told["steps"]
        return (
            isinstance(told["about"], str)
            and all(type(length) is int and length >= 0 for length in lengths)
            and all(type(scale) in (int, float) and math.isfinite(scale) for scale in scales)
            and len(lengths) == len(scales)
            and len(base64.b64decode(steps, validate=True)) == 2 * sum(lengths)
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return False


def _little_endian(kept: array[int]) -> array[int]:
    if sys.byteorder == "big":
        kept.byteswap()
    return kept
