"""What trials leave of networks that never were: Gram matrices and maps, drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.probes.catalog import GRAMS, MAPS
from cbablate.records.record import Record
from cbablate.records.sketch import Sketch

Leave = Callable[[Trial, int], dict[str, Sketch]]


def triangle(features: np.ndarray) -> tuple[float, ...]:
    centred = features - features.mean(axis=0)
    gram = centred @ centred.T
    return tuple(gram[np.triu_indices(len(gram))].tolist())


def grams(trial: Trial, arm: int, *, depth: int = 4, images: int = 16) -> dict[str, Sketch]:
    """Layers that arms share the less the deeper they are, and seeds share less of."""
    rows = []
    for layer in range(depth):
        shared = np.random.RandomState(layer).randn(images, 6)
        of_seed = np.random.RandomState(100 + 10 * layer + trial.replicate).randn(images, 6)
        own = np.random.RandomState(1000 + 100 * arm + 10 * layer + trial.replicate)
        rows.append(triangle(shared + of_seed + 0.2 * arm * layer * own.randn(images, 6)))
    return {GRAMS: Sketch("the same", tuple(rows))}


def maps(trial: Trial, arm: int, *, about: str = "the same", colours: int = 1) -> dict[str, Sketch]:
    """Two images of 4 x 6 pixels, and maps of 2 x 3 patches of the layers 1 and 4."""
    draw = np.random.RandomState(10 * arm + trial.replicate)
    rows: list[Sequence[float]] = [(4, 6, colours), (2, 3, 1, 4)]
    for _ in range(2):
        rows.append(np.linspace(0, 1, 24 * colours).tolist())
        rows += [(each / each.sum()).tolist() for each in draw.rand(2, 6)]
    return {MAPS: Sketch(about, tuple(tuple(map(float, row)) for row in rows))}


def sketched(plan: Plan, facts: Sequence[Record], *leave: Leave) -> list[Record]:
    """The same facts, every trial's last measurement with what these functions leave of it."""
    arms = {arm.id: place for place, arm in enumerate(plan.arms)}
    found = []
    for fact in facts:
        trial = plan.trial_of.get(fact.subject)
        if fact.kind == "measured" and trial and fact.body["spent"] == trial.budget.amount:
            left = {k: s for each in leave for k, s in each(trial, arms[trial.arm]).items()}
            packed = {name: sketch.packed for name, sketch in left.items()}
            fact = replace(fact, body={**fact.body, "sketches": packed})
        found.append(fact)
    return found
