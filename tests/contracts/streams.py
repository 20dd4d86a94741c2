"""A workload of a user's own, in a file beside their study, for the contract of executors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget


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
