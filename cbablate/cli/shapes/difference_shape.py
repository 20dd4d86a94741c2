"""What `cbablate diff --json` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cbablate.cli.json_shape import VERSION
from cbablate.planning.arm import Arm
from cbablate.reporting.pages.difference import Side, pairs, settings
from cbablate.reporting.sentences.delta import unlike

__all__ = ["difference_shape"]


def difference_shape(a: Side, b: Side) -> dict[str, Any]:
    """What differs from a to b: settings, arms, and the estimates of each pair of arms."""
    both = pairs(a.plan, b.plan)
    left, right = {one.id for one, _ in both}, {other.id for _, other in both}
    names = list(dict.fromkeys([*a.summary.metrics, *b.summary.metrics]))
    return {
        "shape": "diff",
        "version": VERSION,
        "a": _side(a),
        "b": _side(b),
        "settings": [
            {"key": key, "a": one, "b": two} for key, one, two in settings(a.plan, b.plan)
        ],
        "removed": [_named(arm) for arm in a.plan.arms if arm.id not in left],
        "added": [_named(arm) for arm in b.plan.arms if arm.id not in right],
        "arms": [_pair(a, b, one, other, names) for one, other in both],
    }


def _side(side: Side) -> dict[str, Any]:
    complete = [one.trial.id for one in side.trials if one.last]
    return {"study": side.plan.study.name, "label": side.label, "complete": complete}


def _named(arm: Arm) -> dict[str, str]:
    return {"id": arm.id, "name": arm.name}


def _pair(a: Side, b: Side, one: Arm, other: Arm, names: list[str]) -> dict[str, Any]:
    ours, theirs = a.summary.of[one.id].estimates, b.summary.of[other.id].estimates
    return {
        "a": _named(one),
        "b": _named(other),
        "same": one.id == other.id,
        "config": [
            {"key": key, "a": was, "b": now} for key, was, now in unlike(one.config, other.config)
        ],
        "estimates": {
            name: {
                "a": asdict(ours[name]) if name in ours else None,
                "b": asdict(theirs[name]) if name in theirs else None,
            }
            for name in names
        },
    }
