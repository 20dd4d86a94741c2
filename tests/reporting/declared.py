"""A study of a training of one's own, whose metrics are declared, and its facts."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cbablate.planning.plan import Plan, plan
from cbablate.records.record import Record
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import DeclaredMetric, Objective
from cbablate.spec.study import Study
from tests.analysis.fabrication import FROZEN, Telling

DECLARED: Mapping[str, DeclaredMetric] = {
    "acc/test": DeclaredMetric(label="Accuracy", unit="%", scale=100, digits=1, better="higher"),
    "grad/norm": DeclaredMetric(label="Gradient norm", digits=2, better=None, per="layer"),
    "time/step": DeclaredMetric(
        label="Step", unit="ms", scale=1000, digits=0, better="lower", timing=True
    ),
}
REPORT = ("acc/test", "grad/norm", "time/step", "drift", "loss/test")
OWN = replace(FROZEN, name="train:main", metrics={}, closed=False)


def own_study(**other: Any) -> Plan:
    """Three arms, six replicates; what is declared, what has a twin, and what nobody describes."""
    levels = (Level(name="none"), *(Level(name=n, changes={"norm": n}) for n in ("batch", "layer")))
    said: dict[str, Any] = {
        "name": "norms",
        "question": "Which normalisation helps my own network?",
        "workload": "train:main",
        "baseline": {"norm": None},
        "factors": (Factor(name="norm", levels=levels),),
        "budget": Budget(epochs=10),
        "replicates": 6,
        "objective": Objective(metric="loss/val", direction="minimize"),
        "report": REPORT,
        "metrics": DECLARED,
    }
    return plan(Study(**said | other), OWN)


def own_facts(planned: Plan, *, share: float = 1e6) -> list[Record]:
    """Facts of it: accuracies as shares of one, or in per cent where `share` is 1e4."""
    draw, telling = random.Random(3), Telling()
    telling.session()
    place = {arm.id: number for number, arm in enumerate(planned.arms)}
    for trial in planned.trials:
        arm, seed = place[trial.arm], random.Random(trial.replicate).gauss(0, 5000)
        accuracy = round(900_000 + seed + (0, 14_000, 900)[arm] + draw.gauss(0, 1500))
        norm = [1.0 + layer + draw.gauss(0, 0.05) for layer in range(4)]
        metrics = {
            "acc/test": accuracy / share,
            "loss/val": 1.2 - accuracy / 1e6,
            "loss/test": 1.25 - accuracy / 1e6,
            "time/step": 0.012 + arm * 0.001 + draw.gauss(0, 0.0005),
            "drift": draw.gauss(0, 1e-3),
        }
        telling.complete(trial, metrics, vectors={"grad/norm": norm})
    return telling.facts
