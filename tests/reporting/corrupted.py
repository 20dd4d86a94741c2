"""A study of corruptions, as its ledger would tell of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cbablate.analysis.summary import Summary, summarize
from cbablate.planning.plan import Plan
from cbablate.spec.metric import Metric
from tests.analysis.fabrication import FROZEN, Telling, placement

KINDS = {
    f"robust/corruption_{kind}": Metric(
        f"robust/corruption_{kind}", f"Top-1, {words}", "%", 2, "maximize"
    )
    for kind, words in (
        ("noise", "Gaussian noise"),
        ("blur", "Gaussian blur"),
        ("brightness", "brightness"),
        ("contrast", "contrast"),
        ("pixelate", "pixelated"),
        ("jpeg", "JPEG"),
    )
}
"""Six kinds, as they were when the golden table was approved."""
CORRUPTED = replace(FROZEN, metrics={**FROZEN.metrics, **KINDS})
Value = Callable[[int, int, int], float]
"""By arm, task and replicate."""


def corrupted(value: Value, **more: Any) -> tuple[Plan, Summary, Telling]:
    """A study of three arms over six corruptions."""
    planned = placement(
        description=CORRUPTED, report=("test/top1", *KINDS), names=("a", "b"), **more
    )
    telling = Telling()
    telling.session()
    arms = [arm.id for arm in planned.arms]
    for trial in planned.trials:
        at = arms.index(trial.arm)
        found = {name: value(at, k, trial.replicate) for k, name in enumerate(KINDS)}
        telling.complete(trial, {"test/top1": 90.0, **found})
    return planned, summarize(planned, telling.facts), telling


def varied(at: int, task: int, replicate: int) -> float:
    drawn = random.Random(100 * at + 10 * task + replicate).gauss(0, 1)
    return 40.0 + 8 * task + 2 * at + drawn
