"""Plans of real studies, and facts as a ledger would tell of them, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cbablate.planning.plan import Plan, plan
from cbablate.planning.trial import Trial
from cbablate.records.facts import Ended, Fact, Measured, SessionFact, Started, Timed
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record
from cbablate.spec.budget import Budget
from cbablate.spec.description import Description
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Metric, Objective
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe

REPORT = ("test/top1", "attention/entropy", "throughput/train", "params")
MODEL = {
    "name": "vit_tiny_patch16_224",
    "img_size": 8,
    "patch_size": 2,
    "in_chans": 1,
    "embed_dim": 48,
    "depth": 4,
    "num_heads": 2,
}
BASELINE = {"data": {"name": "digits"}, "model": MODEL, "optimizer": {"lr": 2e-3}}
PLACES = ("mlp.front", "mlp.mid", "mlp.end", "attn.end")
NAMES = ("MLP front", "MLP middle", "MLP end", "after attention")
FROZEN = Description(
    name="images",
    version="1",
    run="nowhere:run",
    resolve=dict,
    data=lambda _config: "",
    metrics={
        metric.name: metric
        for metric in (
            Metric("test/top1", "Top-1", "%", 2, "maximize"),
            Metric("attention/entropy", "Entropy", "nats", 3),
            Metric("params", "Parameters", "", 0, "minimize"),
            Metric("throughput/train", "Training", "img/s", 0, "maximize", "timing"),
        )
    },
    closed=True,
)
"""A workload that no other work changes, for what is compared byte for byte."""
SESSION = SessionFact(
    host={"machine": "x86_64", "processor": "Some Processor at 2 GHz", "gpus": []},
    versions={"cbablate": "0.1.0", "torch": "2.15.0", "timm": "1.0.31", "ray": "2.60.0"},
    commit="0123456789abcdef0123456789abcdef01234567",
)


def placement(
    *,
    replicates: int = 6,
    names: Sequence[str] = NAMES,
    report: tuple[str, ...] = REPORT,
    question: str = "Where in a transformer block should context be broadcast?",
    factor: str = "placement",
    description: Description | None = None,
    margin: float | None = None,
) -> Plan:
    """The study of places: a baseline and up to four arms."""
    levels = [
        Level(name=name, changes={"context": {"operator": "cb", "place": place}})
        for name, place in zip(names, PLACES, strict=False)
    ]
    return _planned(
        (Factor(name=factor, levels=(Level(name="none"), *levels)),),
        description,
        replicates=replicates,
        report=report,
        question=question,
        margin=margin,
    )


def sizes(
    *,
    contrast: str | None = "context",
    contrast_first: bool = False,
    description: Description | None = None,
) -> Plan:
    """A factorial of width, depth and context."""
    width = Factor(
        name="width",
        levels=(
            Level(name="48"),
            Level(name="96", changes={"model.embed_dim": 96}),
        ),
    )
    depth = Factor(
        name="depth",
        levels=(Level(name="4"), Level(name="6", changes={"model.depth": 6})),
    )
    context = Factor(
        name="context",
        levels=(Level(name="none"), Level(name="CB", changes={"context": {"operator": "cb"}})),
    )
    factors = (context, width, depth) if contrast_first else (width, depth, context)
    return _planned(
        factors, description, name="size", design="factorial", contrast=contrast, replicates=4
    )


def _planned(factors: tuple[Factor, ...], description: Description | None, **other: Any) -> Plan:
    study = Study(
        **{
            "name": "placement",
            "question": "Which?",
            "workload": "image_classification",
            "baseline": BASELINE,
            "factors": factors,
            "budget": Budget(epochs=20),
            "objective": Objective(metric="val/top1", direction="maximize"),
            "report": REPORT,
            **other,
        }
    )
    return plan(study, description or describe(study.workload, Path()))


class Telling:
    """Facts in the order they are told, numbered as a ledger numbers them."""

    def __init__(self) -> None:
        self.facts: list[Record] = []

    def tell(self, subject: str, fact: Fact) -> None:
        number = len(self.facts) + 1
        self.facts.append(fact.record(subject, at=1e9 + number, sequence=number))

    def session(self, name: str = "session 1", **changes: Any) -> None:
        self.tell(name, replace(SESSION, **changes))

    def measure(
        self,
        trial: Trial,
        metrics: Mapping[str, float],
        *,
        vectors: Mapping[str, Sequence[float]] | None = None,
        notes: Mapping[str, str] | None = None,
        session: str = "session 1",
        worker: str = "",
    ) -> None:
        """A start, a first measurement that must not count, and the last one."""
        self.tell(trial.id, Started(1, session, "local", worker))
        early = dict.fromkeys(metrics, -1000.0)
        self.tell(trial.id, Measured(Measurement(1, early, seconds=1.0)))
        layers = {name: tuple(values) for name, values in (vectors or {}).items()}
        last = Measurement(trial.budget.amount, metrics, layers, seconds=8.0, notes=notes or {})
        self.tell(trial.id, Measured(last))

    def end(self, trial: Trial, state: str = "complete", failure: str = "", **said: str) -> None:
        self.tell(trial.id, Ended(state, failure=failure, **said))

    def complete(self, trial: Trial, metrics: Mapping[str, float], **other: Any) -> None:
        self.measure(trial, metrics, **other)
        self.end(trial)

    def time(
        self, arm: str, values: Sequence[float], *, batch: str = "stage 1", **other: Any
    ) -> None:
        metrics = {"throughput/train": list(values)}
        self.tell(arm, Timed(batch, metrics, **{"session": "session 1", **other}))


Skip = Callable[[Trial, int], str]


def told(plan: Plan, *, seed: int = 0, skip: Skip = lambda _trial, _arm: "") -> list[Record]:
    """Facts of a finished study. `skip` gives another ending to trials by their arm's index:
    "waiting", "running", "pruned" or a class of failure.
    """
    draw = random.Random(seed)
    telling = Telling()
    telling.session()
    index = {arm.id: place for place, arm in enumerate(plan.arms)}
    for trial in plan.trials:
        place = index[trial.arm]
        common = random.Random(trial.replicate).gauss(0, 0.4)
        top1 = 95.0 + common + 0.35 * place + draw.gauss(0, 0.25)
        layers = [2.6 - 0.25 * layer - 0.05 * place + draw.gauss(0, 0.03) for layer in range(4)]
        metrics = {
            "val/top1": top1 + 0.5,
            "test/top1": top1,
            "attention/entropy": sum(layers) / 4,
            "params": 115210.0 + 48 * (place // 2),
        }
        ending = skip(trial, place)
        if ending == "waiting":
            continue
        telling.measure(
            trial,
            metrics,
            vectors={"attention/entropy": layers},
            notes={"device": "cpu", "precision": "float32"},
        )
        if ending == "pruned":
            telling.end(trial, "pruned")
        elif ending not in ("", "running"):
            telling.end(trial, "failed", ending)
        elif not ending:
            telling.end(trial)
    for arm in plan.arms:
        speed = 2100 - 17 * index[arm.id]
        telling.time(arm.id, [speed + draw.gauss(0, 12) for _ in range(7)])
    return telling.facts


def patchy(trial: Trial, arm: int) -> str:
    """Some trials that did not complete, for `told`."""
    return {(2, 1): "diverged", (2, 4): "error", (3, 5): "pruned", (4, 0): "lost"}.get(
        (arm, trial.replicate), ""
    )
