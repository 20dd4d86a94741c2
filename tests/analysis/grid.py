"""Factorials of the toy workload, and values laid over their cells."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cbablate.analysis.designs.factorial import by_cell
from cbablate.planning.plan import Plan, plan
from cbablate.records.record import Record
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe
from tests.analysis.fabrication import Telling

KEYS = ("ceiling", "start", "rate", "noise", "seconds")


def factors_of(*sizes: int) -> tuple[Factor, ...]:
    """Factors `ceiling`, `start`, ... with so many levels, called `0`, `ceiling 1`, ..."""
    return tuple(
        Factor(
            name=key,
            levels=(
                Level(name="0"),
                *(Level(name=f"{key} {i}", changes={key: 1.0 + i}) for i in range(1, size)),
            ),
        )
        for key, size in zip(KEYS, sizes, strict=False)
    )


def grid(*sizes: int, replicates: Any = 4, design: str = "factorial", **other: Any) -> Plan:
    """A study over such factors."""
    said = {
        "name": "grid",
        "question": "Which?",
        "workload": "toy",
        "baseline": {},
        "factors": factors_of(*sizes),
        "design": design,
        "budget": Budget(epochs=2),
        "replicates": replicates,
        "objective": Objective(metric="val/score", direction="maximize"),
        "report": ("test/score",),
    }
    return plan(Study.model_validate({**said, **other}), describe("toy", Path()))


Value = Callable[[Sequence[int], int], float]
"""What an arm with these levels has at this replicate."""


def laid(plan: Plan, value: Value) -> dict[str, dict[int, float]]:
    """Values by arm and replicate."""
    return {
        arm.id: {
            replicate: value([int(level.split()[-1]) for level in arm.levels.values()], replicate)
            for replicate in range(plan.study.most_replicates)
        }
        for arm in plan.arms
    }


def facts_of(plan: Plan, values: Mapping[str, Mapping[int, float]]) -> list[Record]:
    """A ledger whose trials have these values of `test/score`; the others have not run."""
    telling = Telling()
    telling.session()
    for trial in plan.trials:
        if trial.replicate in values[trial.arm]:
            value = values[trial.arm][trial.replicate]
            telling.complete(trial, {"test/score": value, "val/score": value})
    return telling.facts


def noise(plan: Plan, seed: int, spread: float = 1.0) -> dict[str, dict[int, float]]:
    """Noise that is orthogonal to all effects: it sums to zero over replicates in every cell, and
    over cells in every replicate.
    """
    draw = random.Random(seed)
    cells = [*by_cell(plan).values()]
    n = plan.study.most_replicates
    raw = [[draw.gauss(0.0, spread) for _ in range(n)] for _ in cells]
    rows = [sum(one) / n for one in raw]
    columns = [sum(one[r] for one in raw) / len(cells) for r in range(n)]
    grand = sum(rows) / len(cells)
    return {
        arm: {r: raw[i][r] - rows[i] - columns[r] + grand for r in range(n)}
        for i, arm in enumerate(cells)
    }
