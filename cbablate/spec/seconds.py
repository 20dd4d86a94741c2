"""`Seconds`: a length of time as a file says it, as a number or as text with a unit."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

__all__ = ["Seconds"]

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_MOST = 365 * _UNITS["d"]
_PATTERN = r"^[0-9]+(\.[0-9]+)? ?[smhd]$"


def _read(value: Any) -> Any:
    """The seconds that a text names; anything else as it is."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(_PATTERN, value, re.ASCII):
        raise ValueError(f"say seconds, or a number with a unit (90s, 30m, 2h, 1d), not {value!r}")
    return float(value[:-1]) * _UNITS[value[-1]]


Seconds = Annotated[
    float,
    Field(gt=0, le=_MOST, allow_inf_nan=False),
    BeforeValidator(_read),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": _MOST},
                {"type": "string", "pattern": _PATTERN},
            ]
        }
    ),
]
"""More than none, and a year at most; `90`, `90s`, `30m`, `2h` and `1d` are all right."""
