"""`History`: what the ledger says of one trial, folded from its facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cbablate.records.facts import Ended, Started, attempt_of, measurement_of
from cbablate.records.measurement import Measurement
from cbablate.records.record import Kind, Record
from cbablate.records.state import TrialState

__all__ = [
    "LONGEST_REASON",
    "TRIAL_KINDS",
    "History",
    "falsely_complete",
    "fold",
]

LONGEST_REASON = 500
"""Characters of a reason that are shown: a stranger's exception may have millions."""

TRIAL_KINDS: tuple[Kind, ...] = ("started", "measured", "ended")
"""The kinds of fact that a history is made of."""


@dataclass
class History:
    """The last attempt at a trial: its state, its measurements in order, and why it ended.

    The open attempt is the one that started last, from its start to its end. What the facts of
    another attempt say touches nothing: not those of one that a second driver, whose session they
    name, began earlier and still reports on, nor a second end. (A ledger has one writer; two wrote
    where its lock was removed.) Facts of version 0.1.0 name no attempt, and are the open one's.

    An attempt that went on from a checkpoint has the measurements of earlier ones up to there, so
    that they are one whole curve; `sessions` and `workers` are those of all attempts that it is
    made of, the last one last ("" for a worker that is not known), and `times` says when each
    measurement was recorded (UTC seconds). `began` is the start of the last attempt. `failure` is
    a class of `records.state.FAILURES` where the state is FAILED, else empty. `attempts` counts
    every start, of which all but the last were cut short or failed.
    """

    trial: str
    state: TrialState = TrialState.WAITING
    attempts: int = 0
    measurements: Sequence[Measurement] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    reason: str = ""
    failure: str = ""
    traceback: str = ""
    began: float = 0.0
    ended: float = 0.0
    session: str = ""
    attempt: int = 0
    """The number that the last attempt's start gives it, within its session."""
    sessions: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    """The code that each of these attempts ran; "" where its start does not tell."""
    reached: int = 0
    """The budget spent at the checkpoint that the last attempt was given; 0 if it was given none
    or did not use it."""

    @property
    def last(self) -> Measurement | None:
        """The newest measurement of the last attempt."""
        return self.measurements[-1] if self.measurements else None

    @property
    def settled(self) -> bool:
        """Whether running the study again leaves this trial alone."""
        if self.state is TrialState.FAILED:
            return self.failure == "diverged"
        return self.state.ended


def falsely_complete(history: History, budget: int) -> bool:
    """Whether a trial is said to be complete and did not spend its budget."""
    spent = history.last.spent if history.last else 0
    return history.state is TrialState.COMPLETE and spent < budget


def fold(told: dict[str, History], fact: Record) -> bool:
    """One more fact, added to histories by trial id; whether it counts."""
    if fact.kind not in TRIAL_KINDS:
        return False
    history = told.get(fact.subject)
    if history is None:
        history = told[fact.subject] = History(trial=fact.subject)
    if fact.kind == "started":
        told[fact.subject] = _attempt(history, Started.of(fact), fact.at)
        return True
    named = attempt_of(fact)
    if named is not None and not _open(history, named):
        return False
    if fact.kind == "measured":
        measurement = measurement_of(fact)
        if history.measurements and measurement.spent <= history.measurements[-1].spent:
            _forget(history)  # it was offered a checkpoint, and started again all the same
        if not isinstance(history.measurements, list):
            history.measurements = [*history.measurements]
        history.measurements.append(measurement)
        history.times.append(fact.at)
    else:
        end = Ended.of(fact)
        history.state = TrialState(end.state)
        history.reason, history.failure, history.traceback = end.reason, end.failure, end.traceback
        history.ended = fact.at
    return True


def _open(history: History, named: tuple[int, str]) -> bool:
    """Whether a fact that names its attempt tells of the open one."""
    running = history.state is TrialState.RUNNING
    return running and named == (history.attempt, history.session)


def _attempt(before: History, started: Started, at: float) -> History:
    """What is known when a further attempt begins: the curve up to the checkpoint, if any."""
    kept = sum(measurement.spent <= started.reached for measurement in before.measurements)
    sessions = started.sessions or (before.sessions if kept else ())
    workers = started.workers or (before.workers if kept else ())
    codes = before.codes if kept else ()
    return History(
        trial=before.trial,
        state=TrialState.RUNNING,
        attempts=before.attempts + 1,
        measurements=before.measurements[:kept],
        times=before.times[:kept],
        began=at,
        session=started.session,
        attempt=started.attempt,
        sessions=(*sessions, started.session),
        workers=(*workers, started.worker),
        codes=(*codes, started.code),
        reached=started.reached,
    )


def _forget(history: History) -> None:
    history.measurements = []
    history.times = []
    history.sessions = history.sessions[-1:]
    history.workers = history.workers[-1:]
    history.codes = history.codes[-1:]
    history.reached = 0
