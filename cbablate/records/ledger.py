"""`Ledger`: all facts, append-only, in one SQLite file."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from cbablate.errors import EnvironmentFault
from cbablate.fingerprint import canonical
from cbablate.records.ledger_file import (
    APPLICATION,
    FORMAT,
    LEDGER_FILE,
    LedgerFile,
    address_of,
)
from cbablate.records.lock import exclusive
from cbablate.records.record import Kind, Record

__all__ = ["LEDGER_FILE", "Ledger"]

_metadata = MetaData()
_records = Table(
    "records",
    _metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("at", Float, nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", String(16), nullable=False),
    sqlite_autoincrement=True,
)


class Ledger:
    """Facts in the order they were told; nothing is ever altered or removed.

    Open it with `Ledger.reading` (anyone, at any time) or `Ledger.writing` (one driver). A fact
    is on disk when `append` returns: the file is in WAL mode with full synchronisation.
    """

    def __init__(self, path: Path, engine: Engine, file: LedgerFile) -> None:
        self.path = path
        self._engine = engine
        self._file = file

    @classmethod
    @contextmanager
    def writing(cls, folder: Path) -> Iterator[Ledger]:
        """The ledger of a results folder, with the sole right to append.

        Raises:
            OwnedElsewhere: another process has that right.
            DamagedState: the file is not a whole ledger that this version can read.
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
        with exclusive(folder / "lock"):
            if not path.exists():
                _lay_out(path)
            with LedgerFile.reading(folder):
                pass  # looked at before it is opened to write, which alters even what is not ours
            engine = _engine(address_of(path, "rw"), journal="WAL")
            engine.connect().close()  # in WAL mode from here on, so that reading goes on beside
            ledger = cls(path, engine, LedgerFile.at(path, address_of(path, "ro")))
            try:
                yield ledger
            finally:
                ledger.close()

    @classmethod
    def reading(cls, folder: Path) -> AbstractContextManager[LedgerFile]:
        """The ledger of a results folder, to read: `LedgerFile.reading`."""
        return LedgerFile.reading(folder)

    def append(self, *facts: Record) -> None:
        """Record facts, all or none, in this order."""
        rows = [
            {
                "kind": fact.kind,
                "subject": fact.subject,
                "at": fact.at,
                "body": canonical(fact.body),
                "digest": fact.digest(),
            }
            for fact in facts
        ]
        if not rows:
            return
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_records), rows)
        except DBAPIError as error:
            raise EnvironmentFault(
                f"the ledger {self.path} cannot be written: {error.orig}. Nothing that it holds "
                "is lost; mend the cause and run again."
            ) from error

    def tell(self, kind: Kind, subject: str, body: Mapping[str, Any]) -> Record:
        """Record one fact as of now."""
        fact = Record(kind=kind, subject=subject, body=body, at=round(time.time(), 3))
        self.append(fact)
        return fact

    def records(
        self, kinds: Iterable[Kind] | None = None, *, after: int = 0, subject: str | None = None
    ) -> list[Record]:
        """Facts of these kinds (all by default) in the order they were told.

        Args:
            kinds: which kinds; None for all.
            after: only those with a greater sequence number.
            subject: only those about this subject.

        Raises:
            DamagedState: a fact does not match its checksum.
        """
        return self._file.records(kinds, after=after, subject=subject)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        self._engine.dispose()


def _engine(address: str, *, journal: str | None = None) -> Engine:
    """An engine in which every statement, layout included, lies in a real transaction.

    The address goes to SQLite as it is: an URL of SQLAlchemy's would decode names in it once more.
    """
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, check_same_thread=False),
        poolclass=QueuePool,
    )

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: sqlite3 leaves DDL outside
        connection.execute("PRAGMA busy_timeout = 10000")
        if journal is not None:
            connection.execute(f"PRAGMA journal_mode = {journal}")
            connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _lay_out(path: Path) -> None:
    """Put an empty ledger at `path` in one step, so that a half-made one never has its name."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_WRONLY, 0o600))
    engine = _engine(address_of(fresh, "rw"), journal="DELETE")
    _create(engine)
    engine.dispose()
    fresh.replace(path)


def _create(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
        connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")
        _metadata.create_all(connection)
