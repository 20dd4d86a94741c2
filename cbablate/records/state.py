"""`TrialState` and `Verdict`: where a trial stands, and whether it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

__all__ = ["FAILURES", "Failure", "TrialState", "Verdict"]

Failure = Literal["error", "diverged", "lost", "no measurement", "timeout"]
"""Classes of failure: `error`, the workload raised; `diverged`, a metric was not finite; `lost`,
its process died; `no measurement`, it ended without reaching its budget; `timeout`, it broke a
limit of time."""

FAILURES: tuple[str, ...] = get_args(Failure)


class TrialState(StrEnum):
    """Where a trial stands, said by the ledger and never inferred from a value.

    WAITING -> RUNNING -> COMPLETE | PRUNED | FAILED. Running a study again gives a further
    attempt to a trial whose driver died while it was RUNNING, and to a FAILED one, except where
    it `diverged`: that would happen again. COMPLETE and PRUNED trials are never run again.
    """

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing more will be recorded of the attempt."""
        return self in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED)


@dataclass(frozen=True)
class Verdict:
    """Go on, or stop and why."""

    stop: bool = False
    reason: str = ""
