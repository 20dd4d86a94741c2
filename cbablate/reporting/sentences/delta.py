"""Deltas: what one config sets otherwise than another, key by key, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.spec.loading.changes import flatten

__all__ = ["delta", "reference_of", "spelled", "unlike"]


def unlike(config: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Dotted key, value here, value there, for each key in which they differ; sorted by key.

    A key that one of them lacks is "not set" there.
    """
    here, there = dict(flatten(config)), dict(flatten(other))
    return [
        (key, spelled(here, key), spelled(there, key))
        for key in sorted({*here, *there})
        if (key in here, here.get(key)) != (key in there, there.get(key))
    ]


def spelled(leaves: Mapping[str, Any], key: str) -> str:
    """A leaf's value as JSON; bare words stand as they are, and "none" for an empty list."""
    if key not in leaves:
        return "not set"
    value = leaves[key]
    if value in ([], {}):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def reference_of(plan: Plan, arm: Arm) -> Arm:
    """The arm that this one is compared with; for a reference the study's first."""
    return plan.arm_of[arm.against] if arm.against else plan.arms[0]


def delta(plan: Plan, arm: Arm) -> str:
    """What an arm sets otherwise than the arm it is compared with, in one line; "" for nothing."""
    found = unlike(arm.config, reference_of(plan, arm).config)
    return ", ".join(f"{key} = {here} (instead of {there})" for key, here, there in found)
