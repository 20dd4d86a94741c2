"""A study conducted in this process over a ledger in memory, to be cut off wherever one likes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cbablate.analysis.course import asked
from cbablate.planning.plan import Plan
from cbablate.records.history import TRIAL_KINDS, histories
from cbablate.records.record import Kind, Record
from cbablate.running.conductor import Conductor
from cbablate.running.executors.port import Ending, raised
from cbablate.running.recorder import declare
from cbablate.searching.searches import Searching
from cbablate.workloads import toy


class Cut(BaseException):
    """The driver died."""


class Memory:
    """A ledger of so many facts; the next one kills the driver, before or after it is told."""

    path = Path("results/ledger.sqlite")

    def __init__(self, facts: Iterable[Record] = (), *, most: int | None = None) -> None:
        self.facts = list(facts)
        self._most = most

    def append(self, *facts: Record) -> None:
        for fact in facts:
            count = len(self.facts) + 1
            numbered = Record(fact.kind, fact.subject, fact.body, float(count), count)
            self.facts.append(numbered)
        if self._most is not None and len(self.facts) >= self._most:
            raise Cut

    def tell(self, kind: Kind, subject: str, body: Mapping[str, Any]) -> Record:
        fact = Record(kind, subject, body, float(len(self.facts)))
        self.append(fact)
        return fact

    def records(
        self, kinds: Iterable[Kind] | None = None, *, subject: str | None = None
    ) -> list[Record]:
        wanted = None if kinds is None else set(kinds)
        return [
            fact
            for fact in self.facts
            if (wanted is None or fact.kind in wanted) and subject in (None, fact.subject)
        ]


def conducted(
    plan: Plan, facts: Iterable[Record] = (), *, most: int | None = None, slots: int = 1
) -> list[Record]:
    """The facts after a driver has worked on them, until the study ends or `most` facts are told.

    With several slots trials advance in turns, one measurement each.
    """
    ledger = Memory(facts, most=most)
    told = histories(ledger.records(TRIAL_KINDS))
    searching = Searching(plan, ledger.records()) if plan.study.tune else None
    try:
        now = asked(plan, ledger.records())
        declare(now, ledger)  # type: ignore[arg-type]  # what is used of a ledger is there
        conductor = Conductor(
            plan,
            ledger,  # type: ignore[arg-type]
            told,
            session="s",
            executor="bench",
            searching=searching,
        )
        running: list[tuple[Any, Any]] = []
        while True:
            while len(running) < slots and (trials := conductor.next()):
                (trial,) = trials
                conductor.started(trial, {})
                stream = toy.run(trial.config, seed=trial.seed, budget=trial.budget, workdir=Path())
                running.append((trial, stream))
            if not running:
                assert conductor.exhausted
                return ledger.facts
            trial, stream = running.pop(0)
            try:
                measurement = next(stream, None)
            except Exception as error:  # noqa: BLE001 - as executors do
                conductor.ended(trial, raised(error))
                continue
            if measurement is None:
                conductor.ended(trial, Ending("finished"))
                continue
            verdict = conductor.measured(trial, measurement)
            if verdict.stop:
                conductor.ended(trial, Ending("stopped", verdict.reason))
            else:
                running.append((trial, stream))
    except Cut:
        return ledger.facts
