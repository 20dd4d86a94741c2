"""`Fault`: one thing wrong with a file, told with its place in the file's structure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Fault", "dotted"]

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """What is wrong at `path` (`("factors", 1, "levels", 0)`), and what may have been meant.

    `at_key` points at the key's text instead of its value, where the key itself is wrong.
    """

    path: Path
    sentence: str
    hint: str = ""
    at_key: bool = False


def dotted(path: Path) -> str:
    """A path as a person reads it: `factors[1].levels[0].changes`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
