"""`toy`: a learning curve from a formula, for tests, demonstrations and timing the machinery.

    val/score(t) = ceiling - (ceiling - start) * exp(-rate * t) + noise * z_t

with z_t standard normal, drawn from the trial's seed and nothing else. No library that trains is
imported, so a trial costs what cbablate costs.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cbablate.errors import TrialFailure
from cbablate.fingerprint import derive_seed
from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.spec.metric import Metric
from cbablate.workloads.checkpoint import Checkpoint

__all__ = ["METRICS", "VERSION", "ToyConfig", "resolve", "run", "throughput"]

VERSION = "1"
_REACHED = "reached"
METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("val/score", "Score (val.)", direction="maximize"),
            Metric("test/score", "Score", direction="maximize"),
            Metric("throughput/train", "Train", "it/s", 0, "maximize", "timing"),
        )
    }
)


class ToyConfig(BaseModel):
    """The curve's shape, how long a unit of budget takes, and what goes wrong, if anything."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    ceiling: float = 1.0
    start: float = 0.0
    rate: Annotated[float, Field(gt=0)] = 0.5
    noise: Annotated[float, Field(ge=0)] = 0.01
    seconds: Annotated[float, Field(ge=0)] = 0.0
    """How long one unit of budget takes."""
    fault: Literal["none", "raise", "nan", "silent", "die"] = "none"
    """`raise` an error, report `nan`, end in silence, or `die` with the process, at half budget."""


def resolve(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with defaults filled in.

    Raises:
        pydantic.ValidationError: the config is not one of this workload.
    """
    return ToyConfig.model_validate(config).model_dump(mode="json")


def run(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """The curve, one measurement a unit of budget; goes on from a checkpoint."""
    toy = ToyConfig.model_validate(config)
    draw = random.Random(derive_seed(seed, "noise"))  # noqa: S311 - a simulation, not a secret
    checkpoint = Checkpoint(workdir)
    reached, before = _reached(checkpoint)
    began = time.perf_counter() - before
    for spent in range(1, budget.amount + 1):
        noise = [draw.gauss(0.0, 1.0) for _ in range(2)]
        if spent <= reached:
            continue
        time.sleep(toy.seconds)
        clean = toy.ceiling - (toy.ceiling - toy.start) * math.exp(-toy.rate * spent)
        value, held_out = (clean + toy.noise * drawn for drawn in noise)
        if 2 * spent > budget.amount:
            value = _faulty(toy, value)
            if math.isinf(value):
                return
        seconds = time.perf_counter() - began
        if checkpoint.due and spent < budget.amount:
            with checkpoint.written() as folder:
                (folder / _REACHED).write_text(f"{spent} {seconds!r}", encoding="ascii")
        yield Measurement(
            spent=spent,
            metrics={"val/score": value, "test/score": held_out},
            seconds=seconds,
        )


def _reached(checkpoint: Checkpoint) -> tuple[int, float]:
    """The budget spent at the checkpoint, and the seconds that it took; zeros without one."""
    if checkpoint.found is None:
        return 0, 0.0
    spent, seconds = (checkpoint.found / _REACHED).read_text(encoding="ascii").split()
    return int(spent), float(seconds)


def throughput(
    configs: Mapping[str, Mapping[str, Any]], *, rounds: int
) -> dict[str, dict[str, list[float]]]:
    """A pretended timing: what the config's `seconds` say, the same in every round."""
    return {
        arm: {"throughput/train": [1.0 / max(config["seconds"], 1e-3)] * rounds}
        for arm, config in configs.items()
    }


def _faulty(toy: ToyConfig, value: float) -> float:
    if toy.fault == "raise":
        raise TrialFailure("the toy was asked to raise")
    if toy.fault == "die":
        import os

        os._exit(1)
    if toy.fault == "nan":
        return math.nan
    return math.inf if toy.fault == "silent" else value
