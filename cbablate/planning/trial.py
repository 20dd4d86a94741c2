"""`Trial`: one arm trained once from one seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cbablate.fingerprint import derive_seed, fingerprint
from cbablate.planning.arm import Arm
from cbablate.spec.budget import Budget
from cbablate.spec.needs import Needs

__all__ = ["Trial", "replicate_seed", "trial_of", "tuning_seed", "tuning_stream"]


@dataclass(frozen=True)
class Trial:
    """What is trained, from which seed, for how long.

    `id` is the fingerprint of arm, seed and budget: not of the study, nor of where it runs. So
    two studies that share a trial share its result. A tuning trial's is of its search, too.
    """

    id: str
    arm: str
    """The id of its arm."""
    replicate: int
    config: Mapping[str, Any]
    seed: int
    budget: Budget
    search: str = ""
    """The id of the search that proposed it; "" for a replicate, which enters tables."""
    needs: Needs | None = None
    """What it takes, where its workload says so."""


def replicate_seed(seed: int, replicate: int) -> int:
    """The seed of a replicate: the same in every arm, so that arms can be compared in pairs."""
    return derive_seed(seed, "replicate", replicate)


def tuning_stream(search: int) -> str:
    """Where the seeds of an arm's searches are drawn from, by the search's index: none shares one
    with another.
    """
    return f"tuning {search}" if search else "tuning"


def tuning_seed(seed: int, number: int, search: int = 0) -> int:
    """The seed of a tuning trial: the same in every arm, and of no replicate."""
    return derive_seed(seed, tuning_stream(search), number)


def trial_of(
    arm: Arm, replicate: int, *, seed: int, budget: Budget, stream: str = "replicate"
) -> Trial:
    """The trial of an arm at a replicate of a study with this seed and budget.

    Seeds of another `stream` are disjoint from those of replicates.
    """
    drawn = derive_seed(seed, stream, replicate)
    identity = {"arm": arm.id, "seed": drawn, "budget": {budget.unit: budget.amount}}
    return Trial(
        id=fingerprint(identity),
        arm=arm.id,
        replicate=replicate,
        config=arm.config,
        seed=drawn,
        budget=budget,
        needs=arm.needs,
    )
