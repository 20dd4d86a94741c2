"""`SqliteLedger`: all facts, append-only, in one SQLite file."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cbablate.errors import CbablateError, DamagedState, EnvironmentFault
from cbablate.fingerprint import canonical
from cbablate.records.crash_point import crash_point
from cbablate.records.ledger import Follow
from cbablate.records.record import Kind, Record, digest_of
from cbablate.records.sqlite.garbage import uncollected
from cbablate.records.sqlite.layout import LEDGER_FILE, clear_half_made, create, upgrade
from cbablate.records.sqlite.lease import Lease, holder_now, take
from cbablate.records.sqlite.ledger_file import PATIENCE, LedgerFile, among, connected, written_here
from cbablate.records.sqlite.lock import Lock, exclusive
from cbablate.records.sqlite.moved_file import Identity, identity, keep_open, lost
from cbablate.records.sqlite.seal import Seal, SealFile, seal_of
from cbablate.records.sqlite.sqlite_fault import SQLITE_ERRORS, damaged, fault

__all__ = ["LEDGER_FILE", "SqliteLedger"]

_LASTING: frozenset[Kind] = frozenset({"ended", "timed"})
"""Kinds of fact after which everything is copied from the -wal into the ledger's own file."""

_READERS = 2_000
"""Milliseconds that this waits for a process that reads. One that was stopped while it reads is
waited for once: what it keeps out of the file stays in the -wal, on disk, until it goes on."""


class SqliteLedger:
    """The `Ledger` of a results folder: `ledger.sqlite`, with what SQLite keeps beside it.

    Open it with `SqliteLedger.reading` (anyone, at any time) or `.writing` (one driver). A fact
    is on disk when `append` returns: the file is in WAL mode with full synchronisation. A trial
    that has ended is in the file itself, which alone is enough to keep it.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, lock: Lock, follow: Follow | None = None
    ) -> None:
        self.path = path
        self._follow = follow
        self._followed = 0
        """How many facts were handed to who follows."""
        self._connection = connection
        self._lock = lock
        self._file = LedgerFile(path, connection)
        self._seal_file = SealFile(path.parent)
        self._digests = hashlib.sha256()
        self._facts = 0
        self._lease: Lease | None = None
        self._opened: Identity = ()
        self._lost: DamagedState | None = None
        self._wait = _READERS
        self._known: list[Record] = []
        """The facts that were read so far: all up to some number, since they count from 1."""

    @classmethod
    @contextmanager
    def writing(cls, folder: Path, follow: Follow | None = None) -> Iterator[SqliteLedger]:
        """The ledger of a results folder, with the sole right to append.

        Whoever would `follow` it is called with every fact, once and in order: with those that it
        holds, one after the other as they are read, then with each that is appended.

        Raises:
            OwnedElsewhere: another process has that right.
            DamagedState: the file is not a whole ledger that this version can read. Or, at the
                end of the block: the ledger was removed or replaced meanwhile.
            EnvironmentFault: the folder cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise EnvironmentFault(
                f"results cannot be written to {folder}: {error.strerror}. "
                "Choose another folder with --results."
            ) from error
        path = folder / LEDGER_FILE
        with exclusive(folder / "lock") as lock:
            with LedgerFile.reading(folder) as before:
                # Before it is opened to write, which alters the file.
                known = before.records() if follow is None else _handed(before, follow)
                seal = seal_of(before.digests())
            if not path.exists():
                create(path)
            ledger = cls(path, connected(path, "rw"), lock, follow)
            written_here.add(path.resolve())
            try:
                ledger._open(known, seal)
                clear_half_made(folder)  # a process without the lease may not touch another's
                yield ledger
                ledger.confirm()
            finally:
                ledger.close()

    @classmethod
    def reading(cls, folder: Path) -> AbstractContextManager[LedgerFile]:
        """The ledger of a results folder, to read: `LedgerFile.reading`."""
        return LedgerFile.reading(folder)

    @property
    def folder(self) -> Path:
        """The results folder."""
        return self.path.parent

    def append(self, *facts: Record) -> None:
        """Record facts, all or none, in this order.

        Raises:
            OwnedElsewhere: another process has taken the ledger over.
            DamagedState: the ledger was removed, replaced or altered since it was opened.
            EnvironmentFault: the machine cannot write it.
        """
        rows = [_row(fact) for fact in facts]
        if not rows:
            return
        crash_point("ledger.append.before")
        with self._transaction() as connection:
            self._held.confirm(connection)
            self._catch_up(connection)
            digests = self._digests.copy()
            digests.update("".join(row[-1] for row in rows).encode())
            after = Seal(self._facts + len(rows), digests.hexdigest())
            connection.executemany(
                "INSERT INTO records (kind, subject, at, body, digest) VALUES (?, ?, ?, ?, ?)", rows
            )
            connection.execute("UPDATE seal SET facts = ?, digest = ?", (after.facts, after.digest))
            crash_point("ledger.append.before_commit")
        self._digests, self._facts = digests, after.facts
        crash_point("ledger.append.after")
        try:
            self.confirm()  # before the seal, which may by now be another ledger's
            self._settle(lasting=any(fact.kind in _LASTING for fact in facts))
        finally:  # what is committed is a fact, whatever becomes of the seal
            self._hand_on(facts)

    def _hand_on(self, facts: Sequence[Record]) -> None:
        """Hand on facts that were appended, and those before them whose call a signal ended."""
        if self._follow is None:
            return
        first = self._facts - len(facts) + 1
        numbered = (replace(fact, sequence=number) for number, fact in enumerate(facts, first))
        missed = self._followed < first - 1
        for fact in self._file.records(after=self._followed) if missed else numbered:
            self._follow(fact)
            self._followed = fact.sequence

    def tell(self, kind: Kind, subject: str, body: Mapping[str, Any]) -> Record:
        """Record one fact as of now."""
        fact = Record(kind=kind, subject=subject, body=body, at=round(time.time(), 3))
        self.append(fact)
        return fact

    def records(
        self, kinds: Iterable[Kind] | None = None, *, after: int = 0, subject: str | None = None
    ) -> list[Record]:
        """Facts of these kinds (all by default) in the order they were told.

        Each fact is read from the file, and checked, once: nobody else may append to it.

        Args:
            kinds: which kinds; None for all.
            after: only those with a greater sequence number.
            subject: only those about this subject.

        Raises:
            DamagedState: a fact does not match its checksum, or has not the shape of its kind.
        """
        self._known += self._file.records(after=len(self._known))
        return among(self._known[after:], kinds, subject)

    def confirm(self) -> None:
        """Check that what is open is what lies under the ledger's name.

        Raises:
            DamagedState: it was removed, moved or replaced. The message says where the facts are.
        """
        if self._lost is None and self._opened == identity(self.path):
            self._lock.keep()
            return
        if self._lost is None:
            keep_open(self._connection)
            self._lost = lost(self.path, self._connection, self._opened)
        raise self._lost

    def close(self) -> None:
        """Give the lease back, and let go of the file."""
        written_here.discard(self.path.resolve())
        self._seal_file.close()
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.forget()
            if self._opened != identity(self.path):
                keep_open(self._connection)
                return
            with suppress(CbablateError), self._transaction() as connection:
                lease.release(connection)  # the lease of a process that is gone is not an obstacle
        self._connection.close()

    @property
    def _seal(self) -> Seal:
        return Seal(self._facts, self._digests.hexdigest())

    @property
    def _held(self) -> Lease:
        if self._lease is None:
            raise DamagedState(f"{self.path} is not open any more")
        return self._lease

    def _open(self, known: list[Record] | int, seal: Seal) -> None:
        """Take the lease, seal a ledger that has no seal yet, and learn which file this is.

        `known` are facts that were read just now, or how many were handed to who follows, and
        `seal` is theirs: they are not read again.
        """
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
        except SQLITE_ERRORS as error:
            raise fault(self.path, error, "written") from error
        with self._transaction() as connection:
            digests = self._file.digests()
            self._digests.update("".join(digests).encode())
            self._facts = len(digests)
            if connection.execute("PRAGMA user_version").fetchone() == (1,):
                upgrade(connection, self._seal)
            lease = take(connection, holder_now(self.path, self._lock.file))
            if isinstance(known, int):  # after the lease, whose holder is the better reason
                if seal_of(digests, known) != seal or len(digests) != known:
                    raise damaged(self.path, "another program has altered it while it was opened")
                self._followed = known
            elif seal_of(digests, len(known)) == seal:
                self._known = known
        self._lease = lease
        crash_point("lease.after")
        self._opened = identity(self.path)
        self._settle(lasting=True)

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        """Count what a call to `append` committed that a signal ended before it could count.

        Raises:
            DamagedState: another program has altered the ledger.
        """
        told = connection.execute("SELECT facts, digest FROM seal").fetchone()
        if told == (self._facts, self._digests.hexdigest()):
            return
        digests = self._file.digests()
        self._digests, self._facts = hashlib.sha256("".join(digests).encode()), len(digests)
        if told != (self._facts, self._digests.hexdigest()):
            raise damaged(self.path, "another program has altered it while it was in use")

    def _settle(self, *, lasting: bool) -> None:
        """Seal what was committed; where it is to be lasting, copy all of it into the file."""
        if lasting:
            crash_point("ledger.checkpoint.before")
            try:
                self._connection.execute(f"PRAGMA busy_timeout = {self._wait}")
                found = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                self._connection.execute(f"PRAGMA busy_timeout = {PATIENCE}")
                self._wait = 0 if found[0] else _READERS
            except SQLITE_ERRORS as error:
                raise fault(self.path, error, "written") from error
            crash_point("ledger.checkpoint.after")
        try:
            self._seal_file.write(self._seal, lasting=lasting)
        except OSError as error:
            if self._opened != identity(self.path):
                return  # the folder is gone: `confirm` says so
            raise EnvironmentFault(
                f"the seal beside {self.path} cannot be written: {error.strerror}. Nothing that "
                "the ledger holds is lost; mend the cause and run again."
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer can enter, on disk after the block."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            with suppress(*SQLITE_ERRORS):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            if isinstance(error, SQLITE_ERRORS):
                if self._opened:
                    self.confirm()  # a file that is not there any more is the better reason
                raise fault(self.path, error, "written") from error
            raise


def _handed(before: LedgerFile, follow: Follow) -> int:
    """How many facts there are, now that each was handed to who follows."""
    count = 0
    with uncollected():
        for fact in before.stream():
            follow(fact)
            count += 1
    return count


def _row(fact: Record) -> tuple[str, str, float, str, str]:
    """A fact as a row of the table, its body spelled once for text and checksum."""
    text = canonical(fact.body)
    return fact.kind, fact.subject, fact.at, text, digest_of(fact.kind, fact.subject, text, fact.at)
