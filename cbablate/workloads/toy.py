"""`toy`: a learning curve from a formula, for tests, demonstrations and timing the machinery.

    val/score(t) = ceiling - (ceiling - start) * exp(-rate * t) + noise * z_t

with z_t standard normal, drawn from the trial's seed and nothing else. No library that trains is
imported, so a trial costs what cbablate costs.

With `function` the ceiling is minus the value of a standard test function of optimization at
(x0, x1, ...), so that searches can be tried where the answer is known: Branin's has three minima of
0.397887, Hartmann's in six dimensions one of -3.32237, Rosenbrock's in four one of 0.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cbablate.errors import TrialFailure
from cbablate.fingerprint import derive_seed
from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.spec.metric import Metric
from cbablate.workloads import peak_memory as resident
from cbablate.workloads.checkpoint import Checkpoint

__all__ = ["METRICS", "VERSION", "ToyConfig", "cost", "resolve", "run", "throughput"]

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

    ceiling: float = Field(default=1.0, description="The score that the curve comes near to.")
    start: float = Field(default=0.0, description="The score that it starts from.")
    rate: Annotated[float, Field(gt=0)] = Field(
        default=0.5, description="How fast it rises, per unit of budget."
    )
    noise: Annotated[float, Field(ge=0)] = Field(
        default=0.01, description="The standard deviation of what is added to each measurement."
    )
    seconds: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="How many seconds one unit of budget takes."
    )
    fault: Literal["none", "raise", "nan", "silent", "die"] = Field(
        default="none",
        description="`raise` an error, report `nan`, end in silence, or `die` with the process, at "
        "half budget.",
    )
    function: Literal["none", "branin", "hartmann6", "rosenbrock"] = Field(
        default="none",
        description="What is minimized over `x0`, `x1`, ...: its negative stands in the place of "
        "`ceiling`.",
    )
    x0: float = Field(default=0.0, description="The first coordinate of `function`.")
    x1: float = Field(default=0.0, description="The second coordinate of `function`.")
    x2: float = Field(default=0.0, description="The third coordinate of `function`.")
    x3: float = Field(default=0.0, description="The fourth coordinate of `function`.")
    x4: float = Field(default=0.0, description="The fifth coordinate of `function`.")
    x5: float = Field(default=0.0, description="The sixth coordinate of `function`.")


_POINT = ("x0", "x1", "x2", "x3", "x4", "x5")


def resolve(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with defaults filled in; without a function there is no point to evaluate it at.

    Raises:
        pydantic.ValidationError: the config is not one of this workload.
    """
    toy = ToyConfig.model_validate(config)
    absent = {"function", *_POINT} if toy.function == "none" else set[str]()
    return toy.model_dump(mode="json", exclude=absent)


def run(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """The curve, one measurement a unit of budget; goes on from a checkpoint."""
    toy = ToyConfig.model_validate(config)
    draw = random.Random(derive_seed(seed, "noise"))  # noqa: S311 - a simulation, not a secret
    checkpoint = Checkpoint(workdir)
    reached, before = _reached(checkpoint)
    began = time.perf_counter() - before
    ceiling = toy.ceiling
    if toy.function != "none":
        ceiling = -_FUNCTIONS[toy.function]([getattr(toy, name) for name in _POINT])
    for spent in range(1, budget.amount + 1):
        noise = [draw.gauss(0.0, 1.0) for _ in range(2)]
        if spent <= reached:
            continue
        time.sleep(toy.seconds)
        clean = ceiling - (ceiling - toy.start) * math.exp(-toy.rate * spent)
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


def cost(config: Mapping[str, Any], *, budget: Budget) -> dict[str, Any]:
    """The cost of a toy: a few pauses as long as its `seconds`; see `Probe`."""
    toy = ToyConfig.model_validate(config)
    _faulty(toy, 0.0)
    resident.start_peak()
    units: list[float] = []
    for _ in range(min(budget.amount, 3)):
        began = time.perf_counter()
        time.sleep(toy.seconds)
        units.append(time.perf_counter() - began)
    return {"setup": 0.0, "units": units, "end": 0.0, "memory": resident.peak(), "device": "cpu"}


def _faulty(toy: ToyConfig, value: float) -> float:
    if toy.fault == "raise":
        raise TrialFailure("the toy was asked to raise")
    if toy.fault == "die":
        import os

        os._exit(1)
    if toy.fault == "nan":
        return math.nan
    return math.inf if toy.fault == "silent" else value


def _branin(x: Sequence[float]) -> float:
    """On [-5, 10] x [0, 15] (Dixon and Szego, Towards Global Optimisation 2, 1978)."""
    inner = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return inner**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10


_HARTMANN_A = (
    (10.0, 3.0, 17.0, 3.5, 1.7, 8.0),
    (0.05, 10.0, 17.0, 0.1, 8.0, 14.0),
    (3.0, 3.5, 1.7, 10.0, 17.0, 8.0),
    (17.0, 8.0, 0.05, 10.0, 0.1, 14.0),
)
_HARTMANN_P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def _hartmann6(x: Sequence[float]) -> float:
    """On [0, 1]^6 (likewise)."""
    weights = (1.0, 1.2, 3.0, 3.2)
    return -sum(
        weight * math.exp(-sum(a * (v - p) ** 2 for a, v, p in zip(row, x, centre, strict=True)))
        for weight, row, centre in zip(weights, _HARTMANN_A, _HARTMANN_P, strict=True)
    )


def _rosenbrock(x: Sequence[float]) -> float:
    """Of the first four coordinates, usually on [-2, 2]^4 (Rosenbrock, Computer Journal, 1960)."""
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(3))


_FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = MappingProxyType(
    {"branin": _branin, "hartmann6": _hartmann6, "rosenbrock": _rosenbrock}
)
