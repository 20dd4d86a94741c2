"""Content addresses: one canonical text for a value, one digest of it, one seed drawn from it.

Identity decides what is trained and what is found again, so the canonical form is defined here
and nowhere else. It is JSON with sorted keys and no spaces. Numbers that are equal are written
equally (`1.0` as `1`), because a study file that says `1` and one that says `1.0` ask the same
question. What has no exact text (NaN, infinities, objects) is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["canonical", "derive_seed", "fingerprint"]

_DIGITS = 20


def canonical(value: Any) -> str:
    """The one text of a value made of mappings, sequences, strings, numbers, booleans and None.

    Raises:
        TypeError: the value holds something else, a key that is not a string, or a number that is
            not finite.
    """
    return json.dumps(
        _plain(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False
    )


def fingerprint(value: Any) -> str:
    """Eighty bits of SHA-256 over the canonical text, as 20 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()[:_DIGITS]


def derive_seed(seed: int, *names: str | int) -> int:
    """A 32-bit seed that belongs to `names` under `seed`.

    Streams with different names are independent, and adding one moves no other: unlike drawing
    several numbers from one generator, where a new consumer shifts all that follow.
    """
    digest = hashlib.sha256(canonical([seed, *names]).encode("ascii")).digest()
    return int.from_bytes(digest[:4], "big")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TypeError(f"{value!r} has no canonical text: only finite numbers have")
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"key {key!r} is {type(key).__name__}: keys must be strings")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical text")
