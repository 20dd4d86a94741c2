"""`Ledger`: the port of what remembers a study: all facts, in the order they were told.

What implements it inherits the tests of `cbablate.testing.ledger`. It is opened by a `Ledgers`:
anybody may read at any time, and one process at a time may append.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from cbablate.records.record import Kind, Record

__all__ = ["Facts", "Follow", "Ledger", "Ledgers"]


Follow = Callable[[Record], object]
"""Takes note of a fact."""


class Facts(Protocol):
    """A ledger as anybody reads it, beside the one who writes, too."""

    def records(
        self, kinds: Iterable[Kind] | None = None, *, after: int = 0, subject: str | None = None
    ) -> list[Record]:
        """Facts of these kinds (all by default) in the order they were told.

        They are numbered from 1 without a gap.

        Args:
            kinds: which kinds; None for all.
            after: only those with a greater sequence number.
            subject: only those about this subject.

        Raises:
            DamagedState: a fact is not what was appended.
        """
        ...


class Ledger(Facts, Protocol):
    """Facts in the order they were told, with the sole right to append; nothing is ever altered.

    A fact lasts, whatever becomes of this process, when `append` returns.
    """

    @property
    def folder(self) -> Path:
        """The results folder, where tables lie; a study's place is as seen from there."""
        ...

    def append(self, *facts: Record) -> None:
        """Record facts, all or none, in this order.

        Raises:
            OwnedElsewhere: another process has taken the ledger over.
            DamagedState: the ledger was removed, replaced or altered, or it was closed.
            EnvironmentFault: the machine cannot write it.
            TypeError: a body is not plain data with finite numbers.
        """
        ...

    def tell(self, kind: Kind, subject: str, body: Mapping[str, Any]) -> Record:
        """Record one fact as of now, and give it back."""
        ...


class Ledgers(Protocol):
    """Where one ledger is kept, and who opens it."""

    def reading(self) -> AbstractContextManager[Facts]:
        """The ledger to read; without facts where nothing was recorded yet.

        Raises:
            DamagedState: it is not a whole ledger that this version can read.
            EnvironmentFault: it cannot be reached.
        """
        ...

    def writing(self, follow: Follow | None = None) -> AbstractContextManager[Ledger]:
        """The ledger with the sole right to append, which ends with the block.

        Whoever would `follow` it is called with every fact, once and in order: with those that it
        holds, one after the other as they are read, then with each that is appended.

        Raises:
            OwnedElsewhere: another process has that right.
            DamagedState, EnvironmentFault: as `reading` says.
        """
        ...
