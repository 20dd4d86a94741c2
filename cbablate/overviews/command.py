"""`command`: a command of cbablate as a person can paste it."""

from __future__ import annotations

import shlex
from pathlib import Path

__all__ = ["RESULTS", "command"]

RESULTS = Path("results")
"""The results folder where none is named."""


def command(*words: str | Path, results: Path = RESULTS) -> str:
    """A command as a person can paste it, every word quoted where a shell needs that."""
    where = () if results == RESULTS else ("--results", results)
    return shlex.join(["cbablate", *map(str, (*words, *where))])
