"""A ledger in memory: the smallest that keeps the contract of `cbablate.testing.ledger`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cbablate.errors import DamagedState, OwnedElsewhere
from cbablate.fingerprint import canonical
from cbablate.records.ledger import Follow
from cbablate.records.record import Kind, Record


class MemoryLedgers:
    """A ledger and where it is kept; time counts facts."""

    folder = Path("results")

    def __init__(self, facts: Iterable[Record] = ()) -> None:
        self.facts = list(facts)
        self._open = False
        self._follow: Follow | None = None

    @classmethod
    def opened(cls, follow: Follow | None = None) -> MemoryLedgers:
        """One that is written for as long as a test likes."""
        ledger = cls()
        ledger._open, ledger._follow = True, follow
        return ledger

    @contextmanager
    def reading(self) -> Iterator[MemoryLedgers]:
        yield self

    @contextmanager
    def writing(self, follow: Follow | None = None) -> Iterator[MemoryLedgers]:
        if self._open:
            raise OwnedElsewhere("another one is writing to this ledger")
        self._open, self._follow = True, follow
        for fact in self.facts if follow is not None else ():
            follow(fact)
        try:
            yield self
        finally:
            self._open, self._follow = False, None

    def append(self, *facts: Record) -> None:
        if not self._open:
            raise DamagedState("the ledger is not open")
        for fact in facts:
            canonical(fact.body)
        numbered = enumerate(facts, start=len(self.facts) + 1)
        new = [Record(f.kind, f.subject, f.body, f.at, count) for count, f in numbered]
        self.facts += new
        for fact in new if self._follow is not None else ():
            self._follow(fact)

    def tell(self, kind: Kind, subject: str, body: Mapping[str, Any]) -> Record:
        fact = Record(kind, subject, body, float(len(self.facts)))
        self.append(fact)
        return fact

    def records(
        self, kinds: Iterable[Kind] | None = None, *, after: int = 0, subject: str | None = None
    ) -> list[Record]:
        wanted = None if kinds is None else set(kinds)
        return [
            fact
            for fact in self.facts[after:]
            if (wanted is None or fact.kind in wanted) and subject in (None, fact.subject)
        ]
