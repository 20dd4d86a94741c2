"""`TrialState` and `Verdict`: where a trial stands, and whether it goes on.

    WAITING --started--> RUNNING --ended--> COMPLETE   its budget is spent
                          ^   |         |-> PRUNED     its search's pruner stopped it
                          |   |         '-> FAILED     with a class of failure
                          |   |                 |
                          |   '-- driver died --|      the next run gives a further attempt,
                          '---------------------'      from the last checkpoint if there is one

Never attempted again: COMPLETE, PRUNED, and FAILED as `diverged`, which would happen again. FAILED
as anything else is attempted once more by each further run.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

__all__ = ["FAILURES", "Failure", "TrialState", "Verdict"]

Failure = Literal["error", "diverged", "lost", "no measurement", "timeout", "other code"]
"""Classes of failure: `error`, the workload raised; `diverged`, a metric was not finite; `lost`,
its process died; `no measurement`, it ended without reaching its budget; `timeout`, it broke a
limit of time; `other code`, what ran was not what was recorded."""

FAILURES: tuple[str, ...] = get_args(Failure)


class TrialState(StrEnum):
    """Where a trial stands, as the ledger says; never inferred from a value."""

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
