"""`TrialOutcome`: a planned trial and what the ledger tells of it, whether it entered or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cbablate.analysis.printed_unit import in_units
from cbablate.character import brief
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.book import Book, Recorded
from cbablate.records.history import LONGEST_REASON, History
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState

__all__ = ["TrialOutcome", "outcomes"]


@dataclass(frozen=True)
class TrialOutcome:
    """One trial of a plan: its arm, and its history, WAITING where it has none.

    `history` has what was reported, `printed` the same in the units that tables print; so has all
    that is asked of the outcome itself.
    """

    trial: Trial
    arm: Arm
    history: History
    printed: History

    @property
    def last(self) -> Measurement | None:
        """The measurement that counts: the last one of a COMPLETE trial."""
        return self.printed.last if self.printed.state is TrialState.COMPLETE else None

    def value(self, metric: str) -> float | None:
        """What enters a mean of this metric; None where nothing does."""
        said = self.last.metrics.get(metric) if self.last else None
        return float(said) if said is not None and math.isfinite(said) else None

    @property
    def absence(self) -> str:
        """Why the trial is in no mean, in words; "" where it is complete."""
        past = self.history
        if past.state is TrialState.COMPLETE:
            return ""
        spent = past.last.spent if past.last else 0
        after = f" after {spent} of {self.trial.budget}"
        kind = f": {past.failure}" if past.failure else ""
        reason = f" ({brief(past.reason, LONGEST_REASON)})" if past.reason else ""
        return f"{past.state.value}{kind}{'' if not past.attempts else after}{reason}"


def outcomes(plan: Plan, facts: Recorded) -> tuple[TrialOutcome, ...]:
    """An outcome for each trial of a plan, in its order, from facts in any order."""
    told = Book.of(facts).histories
    past = ((trial, told.get(trial.id) or History(trial=trial.id)) for trial in plan.trials)
    return tuple(
        TrialOutcome(trial, plan.arm_of[trial.arm], history, in_units(plan, history))
        for trial, history in past
    )
