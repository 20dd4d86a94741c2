"""A study conducted in this process over a ledger in memory, to be cut off wherever one likes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cbablate.analysis.standing import Standing
from cbablate.planning.plan import Plan
from cbablate.records.book import Book
from cbablate.records.record import Record
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
        self.book = Book.of(self.facts)
        self._most = most

    def append(self, *facts: Record) -> None:
        for fact in facts:
            count = len(self.facts) + 1
            numbered = Record(fact.kind, fact.subject, fact.body, float(count), count)
            self.facts.append(numbered)
            self.book.add(numbered)
        if self._most is not None and len(self.facts) >= self._most:
            raise Cut


def conducted(
    plan: Plan, facts: Iterable[Record] = (), *, most: int | None = None, slots: int = 1
) -> list[Record]:
    """The facts after a driver has worked on them, until the study ends or `most` facts are told.

    With several slots trials advance in turns, one measurement each.
    """
    ledger = Memory(facts, most=most)
    searching = Searching(plan, ledger.facts) if plan.study.tune else None
    try:
        now = Standing(plan, ledger.book).asked
        declare(now, ledger, ledger.book)  # type: ignore[arg-type]  # what is used of it is there
        conductor = Conductor(
            plan,
            ledger,  # type: ignore[arg-type]
            ledger.book,
            session="s",
            executor="bench",
            searching=searching,
        )
        running: list[tuple[Any, Any]] = []
        while True:
            while len(running) < slots and (trial := conductor.next()) is not None:
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
