"""What `--json` prints: one shape a command, with stable keys, documented in docs/json.md.

Numbers are unrounded; what is not known, or not finite, is null. A key may be added within a
version, none is taken away or given another meaning.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cbablate.analysis.cost import cost
from cbablate.analysis.course import Course, looks_of
from cbablate.analysis.standing import Standing
from cbablate.analysis.trial_outcome import TrialOutcome, outcomes
from cbablate.planning.analysis_rules import comparisons
from cbablate.planning.plan import Plan
from cbablate.records.book import Recorded
from cbablate.records.state import TrialState
from cbablate.reporting.model.cell import hyphened
from cbablate.reporting.model.table import Table
from cbablate.statistics.correction import share
from cbablate.statistics.power import ALPHA, detectable, floor

__all__ = [
    "VERSION",
    "arm_shape",
    "check_shape",
    "head_shape",
    "plan_shape",
    "printed",
    "status_shape",
    "table_shape",
]

VERSION = 1


def printed(shape: Mapping[str, Any]) -> str:
    """The shape as JSON text, in lines."""
    return json.dumps(_known(shape), indent=2, ensure_ascii=True, allow_nan=False)


def plan_shape(plan: Plan, facts: Recorded) -> dict[str, Any]:
    """`cbablate plan --json`; where replicates grow, of as many as there may be."""
    standing = Standing(plan, facts)
    price = cost(plan, standing.book)
    family = comparisons(plan.study, plan.arms)
    level = share(family, plan.study.analysis.steps)
    n, grows, looks = plan.study.most_replicates, plan.study.sequential, looks_of(plan)
    now = cost(standing.asked, standing.book)
    return {
        **head_shape("plan", plan),
        "design": plan.study.design,
        "replicates": n,
        "sequential": {"min": grows.min, "max": grows.max, "first_look": looks.fewest}
        if grows and looks
        else None,
        "searches": plan.study.searches if plan.study.tune else None,
        "seed": plan.study.seed,
        "budget": {"amount": plan.study.budget.amount, "unit": plan.study.budget.unit},
        "objective": plan.study.objective.model_dump(mode="json"),
        "margin": plan.study.margin,
        "time_limit": plan.study.time_limit,
        "silence_limit": plan.study.silence_limit,
        "workload": {"name": plan.description.name, "version": plan.description.version},
        "arms": [arm_shape(plan, arm.id) | {"config": arm.config} for arm in plan.arms],
        "trials": [
            {"id": trial.id, "arm": trial.arm, "replicate": trial.replicate, "seed": trial.seed}
            for trial in plan.trials
        ],
        "cost": {
            "trials": price.trials,
            "left": price.left,
            "budget": price.budget,
            "budget_left": price.budget_left,
            "seconds": price.seconds,
            "basis": price.basis,
            "asked": now.trials,
            "asked_left": now.left,
        },
        "power": {
            "comparisons": family,
            "detectable_sd": detectable(plan.study.units, level) if family else None,
            "sign_flip_floor": floor(plan.study.units) if family else None,
        },
    }


def status_shape(plan: Plan, facts: Recorded, *, at_work: bool = False) -> dict[str, Any]:
    """`cbablate status --json`; where replicates grow, of those that were asked for."""
    standing = Standing(plan, facts)
    trials = outcomes(standing.asked, standing.book)
    return {
        **head_shape("status", plan),
        "at_work": at_work,
        "counts": _counts(trials),
        "arms": [
            arm_shape(plan, arm.id) | {"counts": _counts([t for t in trials if t.arm.id == arm.id])}
            for arm in plan.arms
        ],
        "trials": [_trial(one) for one in trials],
        "looks": _looks(standing.course),
    }


def table_shape(plan: Plan, table: Table) -> dict[str, Any]:
    """`cbablate table --json`: the cells as printed, and the sheet behind them as numbers.

    `plan` is the one whose arms are the rows: of a study that tunes, its confirmations.
    """
    return {
        **head_shape("table", plan),
        "data": table.data,
        "columns": [
            {
                "label": column.label,
                "unit": column.unit,
                "direction": column.direction,
                "metric": column.metric or None,
                "quantity": column.quantity,
            }
            for column in table.columns
        ],
        "rows": [
            (arm_shape(plan, row.arm) if row.arm else {})
            | {"key": row.key, "cells": [hyphened(cell.plain) for cell in row.cells]}
            for row in table.rows
        ],
        "numbers": [dict(zip(table.sheet.header, row, strict=True)) for row in table.sheet.rows],
        "notes": [hyphened(note) for note in table.notes],
    }


def logs_shape(plan: Plan, said: Mapping[str, Any]) -> dict[str, Any]:
    """`cbablate logs --json`: a trial with its output, or `trials` that have any."""
    return head_shape("logs", plan) | dict(said)


def check_shape(files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`cbablate check --json`: of each file `path`, what it `says`, and `faults`, a text each."""
    return {"shape": "check", "version": VERSION, "files": list(files)}


def head_shape(shape: str, plan: Plan) -> dict[str, Any]:
    """How the shape of a study begins."""
    return {
        "shape": shape,
        "version": VERSION,
        "study": plan.study.name,
        "question": plan.study.question,
    }


def _looks(at: Course | None) -> dict[str, Any] | None:
    """Where the looks stand; null of a study with a fixed number of replicates."""
    if at is None:
        return None
    return {
        "first": at.looks.fewest,
        "last": at.looks.most,
        "made": at.made,
        "alpha_spent": at.spent[1] * ALPHA,
        "asked": dict(at.asked),
        "most": dict(at.most),
        "decisions": {arm: one.claim for arm, one in at.decisions.items()},
        "beyond": at.beyond,
    }


def arm_shape(plan: Plan, arm_id: str) -> dict[str, Any]:
    """An arm."""
    arm = plan.arm_of[arm_id]
    return {"id": arm.id, "name": arm.name, "against": arm.against, "levels": dict(arm.levels)}


def _trial(one: TrialOutcome) -> dict[str, Any]:
    past = one.history
    return {
        "id": one.trial.id,
        "arm": one.arm.id,
        "replicate": one.trial.replicate,
        "seed": one.trial.seed,
        "state": past.state.value,
        "attempts": past.attempts,
        "failure": past.failure or None,
        "reason": past.reason or None,
        "session": past.session or None,
        "spent": past.last.spent if past.last else 0,
        "seconds": past.last.seconds if past.last else None,
        "metrics": dict(past.last.metrics) if past.last else {},
    }


def _counts(trials: Iterable[TrialOutcome]) -> dict[str, int]:
    counts = {state.value: 0 for state in TrialState}
    for one in trials:
        counts[one.history.state.value] += 1
    return counts


def _known(value: Any) -> Any:
    """The value with null for every number that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _known(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    return value
