"""`Book`: what a ledger says, folded once and kept up to date fact by fact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from threading import Lock
from typing import NamedTuple

from cbablate.errors import DamagedState
from cbablate.records.curve import packed
from cbablate.records.facts import Started, TrialFact
from cbablate.records.history import TRIAL_KINDS, History, falsely_complete, fold
from cbablate.records.record import Kind, Record
from cbablate.records.state import TrialState

__all__ = ["Book", "Recorded"]


class _Seen(NamedTuple):
    """The first and the last fact about a subject: its place among all, and its moment."""

    first: tuple[int, float]
    last: tuple[int, float]


class Book:
    """The facts of a ledger, those of trials' courses as histories.

    What it takes to add one is the same however many there are. A driver adds each fact that it
    records; another thread looks at a `copy`.
    """

    def __init__(self) -> None:
        self.facts: list[Record] = []
        """All that tell of no attempt at a trial, in order: sessions, workers, studies, arms,
        trials, proposals, timings."""
        self.past: dict[str, History] = {}
        """Histories by trial id, even where the ledger contradicts itself."""
        self.ended: dict[str, None] = {}
        """The trials that have ended and not begun again, in that order."""
        self.seconds: dict[str, float] = {}
        """Seconds from start to end, over all attempts at a trial that ended."""
        self.gpus: dict[str, float] = {}
        """The share of GPUs that the last attempt at a trial had."""
        self.count = 0
        """How many facts it was given."""
        self.latest = 0.0
        """The latest moment that any of them names, in UTC seconds; 0 without any."""
        self._newest: tuple[int, str, str, float] | None = None
        self._seen: dict[str, _Seen] = {}
        self._subjects: dict[Kind, set[str]] = {}
        self._budgets: dict[str, int] = {}
        self._unchecked: set[str] = set()
        self._lock = Lock()

    @classmethod
    def of(cls, facts: Recorded) -> Book:
        """The book of these facts, which are taken in a ledger's order; a book is its own."""
        if isinstance(facts, Book):
            return facts
        book = cls()
        for fact in sorted(facts, key=lambda fact: fact.sequence):
            book.add(fact)
        return book

    @property
    def histories(self) -> Mapping[str, History]:
        """Histories by trial id.

        Raises:
            DamagedState: a trial is COMPLETE and has not spent its budget.
        """
        while self._unchecked:
            trial = next(iter(self._unchecked))
            history, budget = self.past[trial], self._budgets.get(trial, 0)
            if falsely_complete(history, budget):
                raise _contradiction(history, budget)
            self._unchecked.discard(trial)
        return self.past

    def add(self, fact: Record) -> bool:
        """Take note of one more fact; whether it counts, as `History` says."""
        with self._lock:
            newest = fact.sequence, fact.kind, fact.subject, fact.at
            if fact.sequence and newest == self._newest:
                return False  # handed over once more, after a signal
            self._newest = newest
            self._see(fact)
            if fact.kind not in TRIAL_KINDS:
                self._told(fact)
                return True
            before = self.past.get(fact.subject)
            running = before is not None and before.state is TrialState.RUNNING
            counts = fold(self.past, fact)
            if fact.kind == "started":
                self.ended.pop(fact.subject, None)
                self.gpus[fact.subject] = Started.of(fact).gpus
            elif fact.kind == "ended" and counts:
                self._closed(fact.subject, running=running)
            return counts

    def subjects(self, kind: Kind) -> set[str]:
        """What facts of this kind are about; not of the kinds that make a history."""
        return self._subjects.get(kind, set())

    def last(self, kind: Kind, subject: str) -> Record | None:
        """The newest fact of this kind about a subject; not of the kinds that make a history."""
        if subject not in self.subjects(kind):
            return None
        same = (f for f in reversed(self.facts) if f.kind == kind and f.subject == subject)
        return next(same, None)

    def copy(self) -> Book:
        """The book as it stands, which no further fact alters."""
        copied = Book()
        with self._lock:
            copied.facts = self.facts.copy()
            copied.past = {
                trial: history
                if history.state.ended
                else replace(history, measurements=[*history.measurements], times=[*history.times])
                for trial, history in self.past.items()
            }
            copied.ended, copied.seconds = self.ended.copy(), self.seconds.copy()
            copied.gpus, copied._seen = self.gpus.copy(), self._seen.copy()
            copied.count, copied.latest = self.count, self.latest
            copied._newest = self._newest
            copied._subjects = {kind: {*names} for kind, names in self._subjects.items()}
            copied._budgets, copied._unchecked = self._budgets.copy(), self._unchecked.copy()
        return copied

    def span(self, subjects: Iterable[str]) -> tuple[float, float] | None:
        """When the first and the last of all facts about these subjects were told; None of none."""
        seen = [self._seen[subject] for subject in subjects if subject in self._seen]
        if not seen:
            return None
        return min(one.first for one in seen)[1], max(one.last for one in seen)[1]

    def _see(self, fact: Record) -> None:
        self.count += 1
        self.latest = max(self.latest, fact.at)
        now = self.count, fact.at
        before = self._seen.get(fact.subject)
        self._seen[fact.subject] = _Seen(before.first if before else now, now)

    def _told(self, fact: Record) -> None:
        self.facts.append(fact)
        self._subjects.setdefault(fact.kind, set()).add(fact.subject)
        if fact.kind == "trial":
            self._budgets[fact.subject] = TrialFact.of(fact).amount
            if fact.subject in self.past:
                self._unchecked.add(fact.subject)

    def _closed(self, trial: str, *, running: bool) -> None:
        """A trial has ended, which was `running` until now if it ever started."""
        history = self.past[trial]
        self.ended[trial] = None
        if running:
            taken = max(0.0, history.ended - history.began)
            self.seconds[trial] = self.seconds.get(trial, 0.0) + taken
        if history.state is TrialState.COMPLETE:
            self._unchecked.add(trial)
        history.measurements = packed(history.measurements)


Recorded = Iterable[Record] | Book
"""Recorded as whoever reads them takes them: folded already, or not yet."""


def _contradiction(history: History, budget: int) -> DamagedState:
    return DamagedState(
        f"the ledger says that trial {history.trial} is complete, and its last attempt spent "
        f"{history.last.spent if history.last else 0} of a budget of {budget}: two "
        "processes wrote to it at once, or it was altered. `cbablate fsck RESULTS` says "
        "which trials are concerned, and `--repair` makes a ledger without their ends, so "
        "that they are trained again."
    )
