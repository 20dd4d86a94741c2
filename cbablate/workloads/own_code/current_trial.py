"""`current_trial`: what a script or a function can learn of the trial that it runs in."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

from cbablate.errors import EnvironmentFault
from cbablate.spec.budget import Budget
from cbablate.workloads.checkpoint import Checkpoint

__all__ = ["CurrentTrial", "from_the_environment"]


@dataclass(frozen=True)
class CurrentTrial:
    """A trial as its own training sees it: its config, its seed, its budget and its folder.

    `checkpoint` has what an earlier attempt left, and says when the next one is due.
    """

    config: Mapping[str, Any]
    seed: int
    budget: Budget
    workdir: Path
    checkpoint: Checkpoint

    def copied(self) -> CurrentTrial:
        """The same with a config of its own."""
        return replace(self, config=copy.deepcopy(dict(self.config)))


def from_the_environment() -> CurrentTrial | None:
    """The trial that a command runs in; None where a script runs by itself.

    Raises:
        EnvironmentFault: the variables that say it are incomplete or damaged.
    """
    text = os.environ.get("CBABLATE_CONFIG")
    if text is None:
        return None
    try:
        return CurrentTrial(
            config=json.loads(text),
            seed=int(os.environ["CBABLATE_SEED"]),
            budget=Budget(**{os.environ["CBABLATE_UNIT"]: int(os.environ["CBABLATE_BUDGET"])}),
            workdir=Path(os.environ["CBABLATE_WORKDIR"]),
            checkpoint=_checkpoint(
                os.environ["CBABLATE_CHECKPOINT"], os.environ.get("CBABLATE_CHECKPOINT_EVERY")
            ),
        )
    except (KeyError, ValueError) as error:
        raise EnvironmentFault(
            "CBABLATE_CONFIG is set, so a trial of cbablate is running, but what CBABLATE_SEED, "
            "_UNIT, _BUDGET, _WORKDIR and _CHECKPOINT say of it cannot be read: "
            f"{type(error).__name__}: {error}"
        ) from error


@cache
def _checkpoint(folder: str, every: str | None) -> Checkpoint:
    """The checkpoint of a command; one, since it knows when the last was written."""
    return Checkpoint(Path(folder).parent, every=inf if every is None else float(every))
