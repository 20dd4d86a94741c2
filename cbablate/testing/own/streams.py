"""A workload of a user's own, in a file beside their study, for the contract of executors."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cbablate.records.measurement import Measurement
from cbablate.records.sketch import Sketch
from cbablate.spec.budget import Budget
from cbablate.workloads.checkpoint import Checkpoint


def writes_where_it_worked(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Measures for ever; says when it is closed, and where it worked."""
    (workdir / "kept").write_text("something large")
    try:
        for spent in range(1, budget.amount + 1):
            yield Measurement(spent=spent, metrics={"val/score": 1.0})
    finally:
        Path(config["witness"]).write_text(f"closed\n{workdir}")


def tells_what_is_due(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Says whether a checkpoint is due."""
    yield Measurement(spent=budget.amount, metrics={"due": float(Checkpoint(workdir).due)})


class _Odd(BaseException):
    """What no workload should raise."""


def misbehaves(
    config: dict[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Any] | None:
    """Does what its config asks, which no workload should."""
    how = config["how"]
    config["how"] = "altered"
    if how == "no generator":
        return None
    return _misbehaving(how, budget)


def _misbehaving(how: str, budget: Budget) -> Iterator[Any]:
    print("noise on stdout")
    good = Measurement(spent=1, metrics={"val/score": 1.0})
    if how == "a dict":
        yield {"val/score": 1.0}
    elif how == "a word":
        yield Measurement(spent=1, metrics={"val/score": "good"})  # type: ignore[dict-item]  # on purpose
    elif how == "no metrics":
        yield Measurement(spent=1, metrics=None)  # type: ignore[arg-type]  # on purpose
    elif how == "a time in words":
        yield Measurement(spent=1, metrics={}, seconds="soon")  # type: ignore[arg-type]  # on purpose
    elif how == "no sketch":
        yield Measurement(spent=1, metrics={}, sketches={"of it": "a drawing"})
    elif how == "backwards":
        yield good
        yield good
    elif how == "too much":
        yield Measurement(spent=budget.amount + 1, metrics={})
    elif how == "exit":
        sys.exit(0)
    elif how == "odd":
        raise _Odd("not an Exception")
    elif how == "elsewhere":
        os.chdir("/")
        yield Measurement(spent=budget.amount, metrics={"val/score": 1.0})
    elif how == "altered":
        raise ValueError("the config of one trial was altered by another")
    else:
        left = {"of it": Sketch("all", ((1.0, 0.5),)).packed}
        for spent in range(1, budget.amount + 1):
            yield Measurement(spent=spent, metrics={"val/score": 1.0}, sketches=left)


def tells_what_it_sees(config: dict[str, Any], **_: Any) -> Iterator[Measurement]:
    seen = {"CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "all")}
    yield Measurement(spent=1, metrics={"val/score": 0.0}, notes=seen)
