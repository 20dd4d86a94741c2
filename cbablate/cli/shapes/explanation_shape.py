"""What `cbablate explain --json` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cbablate.cli.json_shape import arm_shape, head_shape
from cbablate.planning.plan import Plan
from cbablate.records.book import Recorded
from cbablate.reporting.model.cell import hyphened
from cbablate.reporting.pages.explanation import explained
from cbablate.reporting.sentences.delta import reference_of, unlike

__all__ = ["explanation_shape"]


def explanation_shape(plan: Plan, facts: Recorded, *cell: str) -> dict[str, Any]:
    """A cell: what it says, the numbers behind it, and each trial that entered or did not.

    Raises:
        CbablateError: the table has no such cell, or the column holds names.
    """
    found = explained(plan, facts, *cell)
    arm, name = found.arm, found.column.metric
    timing = arm.timings.get(name) if found.column.quantity == "timing" else None
    contrast = arm.contrasts.get(name)
    estimate = arm.estimates.get(name)
    return {
        **head_shape("explain", found.plan),
        "row": found.place.row + 1,
        "column": found.place.column + 1,
        "key": found.key,
        "data": found.data,
        "arm": arm_shape(found.plan, arm.arm.id),
        "label": found.column.label,
        "metric": name or None,
        "quantity": found.column.quantity,
        "cell": hyphened(found.cell),
        "estimate": None if estimate is None else asdict(estimate),
        "contrast": None if contrast is None else asdict(contrast),
        "timing": None if timing is None else asdict(timing),
        "trials": [_trial(one, name) for one in found.trials],
        "config": [
            {"key": key, "here": here, "reference": there}
            for key, here, there in unlike(arm.arm.config, reference_of(found.plan, arm.arm).config)
        ],
        "says": hyphened(found.text).splitlines(),
    }


def _trial(one: Any, name: str) -> dict[str, Any]:
    return {
        "id": one.trial.id,
        "arm": one.arm.id,
        "replicate": one.trial.replicate,
        "seed": one.trial.seed,
        "state": one.history.state.value,
        "value": one.value(name) if name else None,
        "absence": one.absence or None,
    }
