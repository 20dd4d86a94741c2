"""`Mirror`: a place outside that shows what the ledger says, and may be lost without loss.

The ledger is the truth; a mirror is written from it, and can be written from it again. So a
mirror is told *all* facts each time, works out by itself what it lacks, and has no say in
whether a study goes on.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic
from typing import Protocol

from cbablate.analysis.provenance.timing import device_of
from cbablate.analysis.standing import Standing
from cbablate.errors import EnvironmentFault
from cbablate.fingerprint import fingerprint
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.book import Book, Recorded
from cbablate.records.facts import SessionFact, Timed, WorkerFact
from cbablate.records.history import History
from cbablate.records.record import Record

__all__ = [
    "Account",
    "Mirror",
    "MirrorThread",
    "MirrorUnreachable",
    "MirroredTiming",
    "StudyState",
    "accounts",
    "ledger_id",
]


class StudyState(StrEnum):
    """Where a study stands as a whole: still going, or how its last command ended."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class MirrorUnreachable(EnvironmentFault):
    """The other side cannot be reached, or refuses. Nothing is lost: a later sync sends it."""


class Mirror(Protocol):
    """A place that shows a study, made from facts alone.

    `sync` is idempotent and convergent: called any number of times, with the same facts or with
    more, after being killed at any point, it leaves what one call on an empty place with the
    last facts would have left. It shows ended trials of the plan, and no others.
    """

    name: str
    """What a person calls it: `MLflow`."""

    def sync(
        self,
        plan: Plan,
        facts: Recorded,
        *,
        state: StudyState,
        artifacts: Sequence[Path] = (),
    ) -> None:
        """Show what all facts of the ledger, in order, say of this plan.

        Args:
            plan: what the study asks.
            facts: every fact, from the first; those about other studies are passed by.
            state: where the study stands.
            artifacts: tables and figures to show beside it, by path.

        Raises:
            MirrorUnreachable: with a sentence that holds no password or token.
        """
        ...


@dataclass(frozen=True)
class MirroredTiming:
    """One timing of an arm alone: when, on which device, the median of each metric's rounds."""

    at: float
    device: str
    medians: Mapping[str, float]


@dataclass(frozen=True)
class Account:
    """An ended trial as a mirror tells it.

    `commit` and `dirty` say which code trained it, as its session told; "" where it did not.
    `nodes` and `devices` are those of the workers that ran it; none in ledgers of 0.1.0.
    """

    trial: Trial
    arm: Arm
    history: History
    timings: tuple[MirroredTiming, ...]
    commit: str = ""
    dirty: bool = False
    nodes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


def accounts(plan: Plan, facts: Recorded) -> list[Account]:
    """The ended trials of a plan, in the order in which they ended."""
    book = Book.of(facts)
    timings: dict[str, list[MirroredTiming]] = {}
    sessions: dict[str, SessionFact] = {}
    workers: dict[str, WorkerFact] = {}
    for fact in book.facts:
        if fact.kind == "timed" and fact.subject in plan.arm_of:
            timings.setdefault(fact.subject, []).append(_timing(fact))
        elif fact.kind == "session":
            sessions[fact.subject] = SessionFact.of(fact)
        elif fact.kind == "worker":
            workers[fact.subject] = WorkerFact.of(fact)
    told = book.histories
    found = []
    for name in book.ended:
        if name not in plan.trial_of:
            continue
        trial = plan.trial_of[name]
        session = sessions.get(told[name].session, SessionFact())
        ran = [workers[worker] for worker in told[name].workers if worker in workers]
        found.append(
            Account(
                trial=trial,
                arm=plan.arm_of[trial.arm],
                history=told[name],
                timings=tuple(timings.get(trial.arm, ())),
                commit=str(session.commit or ""),
                dirty=bool(session.dirty),
                nodes=tuple(dict.fromkeys(worker.node for worker in ran)),
                devices=tuple(dict.fromkeys(device_of(worker.host) for worker in ran)),
            )
        )
    return found


def ledger_id(facts: Recorded) -> str:
    """Which ledger these facts are from: the address of its first session, "" without one.

    Two people who show the same study on one server do not touch each other's half.
    """
    first = next((fact for fact in Book.of(facts).facts if fact.kind == "session"), None)
    return "" if first is None else fingerprint([first.subject, repr(first.at)])


def _timing(fact: Record) -> MirroredTiming:
    timed = Timed.of(fact)
    medians = {name: statistics.median(rounds) for name, rounds in timed.metrics.items() if rounds}
    return MirroredTiming(at=fact.at, device=timed.device, medians=medians)


class MirrorThread:
    """Mirrors kept up to date in one background thread, off the training path.

    `notify` returns at once, however slow or dead the other side is; many notices while a sync
    is under way make one further sync. Nothing a mirror does is raised into the driver: `finish`
    tells it, in sentences. The thread does nothing before the first notice and rests a while
    after each sync, so that neither importing a mirror's library nor working out what is new
    competes with training. `facts` is called from the thread: all so far, which do not change.
    """

    _REST = 2.0
    """Shortest rest between two syncs, in seconds."""
    _SHARE = 9.0
    """Rest so many times as long as the last sync took: a tenth of one core at most."""
    _PAUSE = 30.0
    """How long a mirror that could not be reached is left alone, in seconds."""

    def __init__(
        self, mirrors: Sequence[Mirror], plan: Plan, *, facts: Callable[[], Recorded]
    ) -> None:
        self._mirrors = tuple(mirrors)
        self._plan = plan
        self._facts = facts
        self._noticed = Event()
        self._finishing = Event()
        self._final: tuple[StudyState, tuple[Path, ...]] = (StudyState.RUNNING, ())
        self._lock = Lock()
        self._missed: dict[str, str] = {}
        self._quiet_until: dict[str, float] = {}
        self._given_up: set[str] = set()
        """Mirrors that failed while the study was already ending: not waited for once more."""
        self._thread = Thread(target=self._work, name="mirrors", daemon=True)
        self._thread.start()

    def notify(self) -> None:
        """Something was recorded: show it soon."""
        self._noticed.set()

    def finish(
        self, state: StudyState, artifacts: Sequence[Path] = (), *, timeout: float = 60.0
    ) -> list[str]:
        """Sync a last time, then say what was missed, a sentence for each mirror that was.

        Args:
            state: how the study ended.
            artifacts: its tables and figures.
            timeout: seconds to wait; what has not arrived by then is sent by a later sync.
        """
        with self._lock:
            if not self._finishing.is_set():
                self._final = (state, tuple(artifacts))
                self._missed = dict.fromkeys((mirror.name for mirror in self._mirrors), "")
        self._finishing.set()
        self._noticed.set()
        self._thread.join(timeout)
        with self._lock:
            return [
                reason or f"{name} had not taken everything after {timeout:.0f} s"
                for name, reason in self._missed.items()
            ]

    def _work(self) -> None:
        while True:
            self._noticed.wait()
            last = self._finishing.is_set()
            self._noticed.clear()
            began = monotonic()
            self._sync_all(last)
            if last:
                return
            self._finishing.wait(max(self._REST, self._SHARE * (monotonic() - began)))

    def _sync_all(self, last: bool) -> None:
        with self._lock:
            state, artifacts = self._final if last else (StudyState.RUNNING, ())
        due = [m for m in self._mirrors if last or self._quiet_until.get(m.name, 0) <= monotonic()]
        due = [m for m in due if m.name not in self._given_up]
        if not due:
            return
        try:
            book = Book.of(self._facts())
            plan = Standing(self._plan, book).asked
        except Exception as error:  # noqa: BLE001 - the driver meets a bad ledger by itself
            for mirror in due:
                self._miss(mirror, f"{mirror.name} was not brought up to date: {error}")
            return
        for mirror in due:
            try:
                mirror.sync(plan, book, state=state, artifacts=artifacts)
            except MirrorUnreachable as error:
                self._miss(mirror, str(error))
            except Exception as error:  # noqa: BLE001 - a mirror's fault must not end a training
                kind = type(error).__name__
                self._miss(mirror, f"{mirror.name} was not brought up to date: {kind}: {error}")
            else:
                with self._lock:
                    if last or self._missed.get(mirror.name):  # "" waits for the last sync
                        self._missed.pop(mirror.name, None)

    def _miss(self, mirror: Mirror, sentence: str) -> None:
        if self._finishing.is_set():
            self._given_up.add(mirror.name)
        self._quiet_until[mirror.name] = monotonic() + self._PAUSE
        with self._lock:
            self._missed[mirror.name] = sentence
