"""A study conducted in this process over a ledger in memory, to be cut off wherever one likes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
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
from tests.memory_ledger import MemoryLedgers


class Cut(BaseException):
    """The driver died."""


class Mortal(MemoryLedgers):
    """A ledger that counts facts for time; at a number of them the driver is killed."""

    def __init__(self, facts: Iterable[Record] = (), *, most: int | None = None) -> None:
        super().__init__(facts)
        self._most = most

    def append(self, *facts: Record) -> None:
        timed = enumerate(facts, start=len(self.facts) + 1)
        super().append(*(replace(fact, at=float(count)) for count, fact in timed))
        if self._most is not None and len(self.facts) >= self._most:
            raise Cut


def conducted(
    plan: Plan, facts: Iterable[Record] = (), *, most: int | None = None, slots: int = 1
) -> list[Record]:
    """The facts after a driver has worked on them, until the study ends or `most` facts are told.

    With several slots trials advance in turns, one measurement each.
    """
    book = Book()
    with Mortal(facts, most=most).writing(book.add) as ledger:
        _conduct(plan, ledger, book, slots)
    return ledger.facts


def _conduct(plan: Plan, ledger: MemoryLedgers, book: Book, slots: int) -> None:
    searching = Searching(plan, ledger.facts) if plan.study.tune else None
    try:
        now = Standing(plan, book).asked
        declare(now, ledger, book)
        conductor = Conductor(
            plan,
            ledger,
            book,
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
                return
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
        return
