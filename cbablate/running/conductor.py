"""`Conductor`: gives an executor the trials of a plan, and records what becomes of them."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.history import History, body_of
from cbablate.records.ledger import Ledger
from cbablate.records.measurement import Measurement
from cbablate.records.record import Kind, Record
from cbablate.records.state import TrialState, Verdict
from cbablate.running.executor import Ending

__all__ = ["Conductor", "Watcher", "declare", "waiting"]


class Watcher(Protocol):
    """Whoever follows a study as it goes on: a display, a mirror."""

    def started(self, trial: Trial) -> None:
        """A trial began."""
        ...

    def measured(self, trial: Trial, measurement: Measurement) -> None:
        """A trial reported."""
        ...

    def ended(self, trial: Trial, state: TrialState, reason: str) -> None:
        """A trial ended, and its end is on disk."""
        ...


@dataclass(frozen=True)
class _End:
    state: TrialState
    reason: str = ""
    failure: str = ""
    traceback: str = ""


class Conductor:
    """The feed of a study's trials, in the plan's order.

    Every fact is in the ledger before anybody is told of it. A measurement that holds NaN or an
    infinity stops its trial, which is then FAILED as `diverged`; its numbers are not recorded.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        told: Mapping[str, History],
        *,
        session: str,
        executor: str,
        watchers: Sequence[Watcher] = (),
    ) -> None:
        self._plan = plan
        self._ledger = ledger
        self._told = told
        self._session = session
        self._executor = executor
        self._watchers = watchers
        self._waiting = deque(waiting(plan, told))
        self._spent: dict[str, int] = {}
        self._diverged: dict[str, str] = {}

    @property
    def exhausted(self) -> bool:
        """Whether no trial waits."""
        return not self._waiting

    def next(self) -> Trial | None:
        """The next trial in the plan's order."""
        return self._waiting.popleft() if self._waiting else None

    def started(self, trial: Trial) -> None:
        """Record that an attempt began."""
        before = self._told.get(trial.id)
        self._ledger.tell(
            "started",
            trial.id,
            {
                "attempt": (before.attempts if before else 0) + 1,
                "session": self._session,
                "executor": self._executor,
            },
        )
        self._spent[trial.id] = 0
        self._tell_watchers(lambda watcher: watcher.started(trial))

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        """Record a measurement; stop the trial if it is not finite."""
        fault = _not_finite(measurement, trial.budget.unit)
        if fault:
            self._diverged[trial.id] = fault
            return Verdict(stop=True, reason=fault)
        self._ledger.tell("measured", trial.id, body_of(measurement))
        self._spent[trial.id] = measurement.spent
        self._tell_watchers(lambda watcher: watcher.measured(trial, measurement))
        return Verdict()

    def ended(self, trial: Trial, ending: Ending) -> None:
        """Record the end of an attempt, whose state follows from how it ended."""
        end = self._judged(trial, ending)
        self._ledger.tell(
            "ended",
            trial.id,
            {
                "state": end.state.value,
                "reason": end.reason,
                "failure": end.failure,
                "traceback": end.traceback,
            },
        )
        self._tell_watchers(lambda watcher: watcher.ended(trial, end.state, end.reason))

    def _judged(self, trial: Trial, ending: Ending) -> _End:
        diverged = self._diverged.pop(trial.id, "")
        if diverged:
            return _End(TrialState.FAILED, diverged, "diverged")
        if ending.how == "stopped":
            return _End(TrialState.PRUNED, ending.sentence)
        if ending.how in ("raised", "lost"):
            failure = "lost" if ending.how == "lost" else ending.failure
            return _End(TrialState.FAILED, ending.sentence, failure, ending.traceback)
        spent, budget = self._spent.get(trial.id, 0), trial.budget
        if spent < budget.amount:
            return _End(
                TrialState.FAILED,
                f"the workload ended after {spent} of {budget.amount} {budget.unit}",
                "no measurement",
            )
        return _End(TrialState.COMPLETE)

    def _tell_watchers(self, tell: Callable[[Watcher], None]) -> None:
        for watcher in self._watchers:
            tell(watcher)


def waiting(plan: Plan, told: Mapping[str, History]) -> list[Trial]:
    """The trials that running this plan now would start: its set minus what is settled.

    In the plan's order, but for trials that were under way at two deaths of their driver: they may
    be what killed it, and come last, so that the others are not held up for ever.
    """
    new = History(trial="")
    left = [trial for trial in plan.trials if not told.get(trial.id, new).settled]
    return sorted(left, key=lambda trial: _suspect(told.get(trial.id, new)))


def _suspect(history: History) -> bool:
    return history.state is TrialState.RUNNING and history.attempts > 1


def declare(plan: Plan, ledger: Ledger) -> None:
    """Record what is planned: the study as it now stands, and arms and trials not yet known."""
    now = round(time.time(), 3)
    known: dict[Kind, set[str]] = {
        kind: {fact.subject for fact in ledger.records([kind])} for kind in ("arm", "trial")
    }
    facts = [
        Record("arm", arm.id, _arm_body(plan, arm.id), now)
        for arm in plan.arms
        if arm.id not in known["arm"]
    ]
    facts += [
        Record("trial", trial.id, _trial_body(trial), now)
        for trial in plan.trials
        if trial.id not in known["trial"]
    ]
    study = {
        "study": plan.study.model_dump(mode="json"),
        "folder": str(plan.study.folder.resolve()),
        "trials": [trial.id for trial in plan.trials],
    }
    before = ledger.records(["study"], subject=plan.study.name)
    if not before or before[-1].body != study:
        facts.append(Record("study", plan.study.name, study, now))
    ledger.append(*facts)


def _arm_body(plan: Plan, arm_id: str) -> dict[str, Any]:
    arm = plan.arm_of[arm_id]
    return {
        "name": arm.name,
        "levels": dict(arm.levels),
        "config": dict(arm.config),
        "workload": plan.description.name,
        "version": plan.description.version,
        "data": plan.description.data(arm.config),
    }


def _trial_body(trial: Trial) -> dict[str, Any]:
    return {
        "arm": trial.arm,
        "replicate": trial.replicate,
        "seed": trial.seed,
        "budget": {trial.budget.unit: trial.budget.amount},
    }


def _not_finite(measurement: Measurement, unit: str) -> str:
    """The sentence about a measurement with NaN or an infinity in it; empty if there is none."""
    for name, value in measurement.metrics.items():
        if not math.isfinite(value):
            return f"{name} is {value} after {measurement.spent} {unit}"
    for name, values in measurement.vectors.items():
        if not all(math.isfinite(value) for value in values):
            return f"{name} is not finite after {measurement.spent} {unit}"
    return ""
