"""`End`: what the end of an attempt makes of its trial."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from cbablate.planning.trial import Trial
from cbablate.records.facts import Ended
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState
from cbablate.running.executors.port import Ending

__all__ = ["End", "end_of", "not_finite"]


@dataclass(frozen=True)
class End:
    """The state a trial is in from now on, and why; `failure` is one of `records.state.FAILURES`
    where that is FAILED, else empty.
    """

    state: TrialState
    reason: str = ""
    failure: str = ""
    traceback: str = ""

    @classmethod
    def failed(cls, reason: str, failure: str = "no measurement") -> End:
        """The end of a trial that failed."""
        return cls(TrialState.FAILED, reason, failure)

    def fact(self, attempt: int = 0, session: str = "") -> Ended:
        """What is recorded of it; the attempt is that of its start, if it ever started."""
        return Ended(self.state, self.reason, self.failure, self.traceback, attempt, session)


def end_of(
    trial: Trial,
    ending: Ending,
    *,
    spent: int,
    last: Measurement | None,
    lacking: Callable[[Measurement | None], str],
) -> End:
    """What an attempt came to that its executor saw end so, after so much of its budget.

    `lacking` says what a search needs and the last measurement does not tell.
    """
    if ending.how == "stopped":
        return End(TrialState.PRUNED, ending.sentence)
    if ending.how in ("raised", "lost"):
        failure = "lost" if ending.how == "lost" else ending.failure
        return End(TrialState.FAILED, ending.sentence, failure, ending.traceback)
    budget = trial.budget
    if spent < budget.amount:
        return End.failed(f"the workload ended after {spent} of {budget}")
    missing = lacking(last) if trial.search else ""
    return End.failed(missing) if missing else End(TrialState.COMPLETE)


def not_finite(measurement: Measurement, unit: str) -> str:
    """The sentence about a measurement with NaN or an infinity in it; empty if there is none."""
    for name, value in measurement.metrics.items():
        if not math.isfinite(value):
            return f"{name} is {value} after {measurement.spent} {unit}"
    for name, values in measurement.vectors.items():
        if not all(math.isfinite(value) for value in values):
            return f"{name} is not finite after {measurement.spent} {unit}"
    return ""
