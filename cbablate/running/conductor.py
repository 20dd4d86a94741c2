"""`Conductor`: gives an executor the trials of a plan, and hears what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.book import Book
from cbablate.records.ledger import Ledger
from cbablate.records.logs import Logs
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState, Verdict
from cbablate.running.agenda import agenda_of
from cbablate.running.checkpoints import Checkpoints
from cbablate.running.executors.port import Ending
from cbablate.running.expectation import Expectation
from cbablate.running.recorder import Recorder
from cbablate.spec.needs import Needs

if TYPE_CHECKING:
    from cbablate.searching.searches import Searching

__all__ = ["Conductor", "Watcher"]


class Watcher(Protocol):
    """Whoever follows a study as it goes on: a display, a mirror."""

    def planned(self, plan: Plan, over: Sequence[str]) -> None:
        """The searches with these ids are over: this plan has their confirmations. Or, without any:
        a look asks for further replicates, and this plan has them.
        """
        ...

    def started(self, trial: Trial) -> None:
        """A trial began."""
        ...

    def measured(self, trial: Trial, measurement: Measurement) -> None:
        """A trial reported."""
        ...

    def ended(self, trial: Trial, state: TrialState, reason: str) -> None:
        """A trial ended, and its end is on disk."""
        ...


class Conductor:
    """The feed of a study's trials: an agenda says what comes next, a recorder writes down what
    became of it. Every fact is in the ledger before a watcher is told of it.

    Args:
        plan: what is asked.
        ledger: what is told.
        book: what it says, which is told of every fact that is appended.
        session: id of this driver's `session` fact.
        executor: name of what runs the trials.
        needs_of: what is reserved for a trial.
        searching: the study's searches; None for a study that does not tune.
        checkpoints: what trials go on from; those of a trial that needs none any more are
            removed. None where nothing is kept.
        logs: where what programs print is kept; None where it is not.
        watchers: who follows.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        book: Book,
        *,
        session: str,
        executor: str,
        needs_of: Callable[[Trial], Needs] = lambda _trial: Needs(),
        searching: Searching | None = None,
        checkpoints: Checkpoints | None = None,
        logs: Logs | None = None,
        watchers: Sequence[Watcher] = (),
    ) -> None:
        told = dict(book.histories)  # as they are now: what this driver adds is not among them
        self._watchers = watchers
        self._logs = logs
        self._expected = Expectation(plan, told)
        self.recorder = Recorder(
            ledger,
            book,
            told,
            session=session,
            executor=executor,
            needs_of=needs_of,
            expected=self._expected,
            searching=searching,
            checkpoints=checkpoints,
            ran=plan.description.ran,
        )
        self._agenda = agenda_of(
            plan, told, self.recorder, searching=searching, announce=self._announce
        )
        self.trained = 0
        """How many trials were begun."""

    @property
    def halted(self) -> str:
        """Why no further trial is started, though some wait; "" if none is held back."""
        return self._expected.halted

    @property
    def exhausted(self) -> bool:
        """Whether no trial waits, and none can come of those that are under way."""
        return bool(self.halted) or self._agenda.exhausted

    def next(self, most: int = 1) -> Sequence[Trial]:
        """The next trials to start, at most so many and alike; none if there is none, or none
        before a running one ends.
        """
        return () if self.halted else self._agenda.next(most)

    def started(self, trial: Trial, worker: Mapping[str, Any]) -> None:
        """Record that an attempt began, and by which worker."""
        self.recorder.started(trial, worker)
        self.trained += 1
        self._tell(lambda watcher: watcher.started(trial))

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        """Record a measurement; stop the trial if it is not finite, or its search says so."""
        fault = self.recorder.refused(trial, measurement)
        if fault:
            return Verdict(stop=True, reason=fault)
        verdict = self.recorder.measured(trial, measurement)
        self._tell(lambda watcher: watcher.measured(trial, measurement))
        return verdict

    def printed(self, trial: Trial, text: bytes) -> None:
        """Keep what a trial's program prints."""
        if self._logs is not None:
            self._logs.append(trial.id, self.recorder.attempt_at(trial), text)

    def ended(self, trial: Trial, ending: Ending) -> None:
        """Record the end of an attempt, whose state follows from how it ended."""
        if self._logs is not None:
            self._logs.close(trial.id, self.recorder.attempt_at(trial))
        end = self.recorder.ended(trial, ending)
        self._tell(lambda watcher: watcher.ended(trial, end.state, end.reason))
        self._agenda.ended(trial)

    def _announce(self, plan: Plan, over: Sequence[str]) -> None:
        self._tell(lambda watcher: watcher.planned(plan, over))

    def _tell(self, tell: Callable[[Watcher], None]) -> None:
        for watcher in self._watchers:
            tell(watcher)
