"""`environment_rows`: with what the trials of a table were made, in a few rows of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["environment_rows"]

_GROUPS = {"commit": "Commit", "host": "Machine", "numerics": "Numerics", "versions": "Versions"}
_NAMES = {"gpus": "GPUs", "machine": "architecture"}


def environment_rows(traits: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """What is told of, and what was seen of it, from dotted traits and the values of each.

    Trials that were made differently have several values: `torch 2.9 or 2.10`.
    """
    rows: dict[str, list[str]] = {}
    for trait, values in traits.items():
        group, _, key = trait.partition(".")
        words = " or ".join(value or "none" for value in values)
        name = _NAMES.get(key, key)
        rows.setdefault(group, []).append(f"{name} {words}" if name else words)
    return [(_GROUPS.get(group, group), ", ".join(told)) for group, told in rows.items()]
