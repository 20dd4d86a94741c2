"""`Ledger`: all facts, append-only, in one SQLite file."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from cbablate.errors import DamagedState, EnvironmentFault
from cbablate.fingerprint import canonical
from cbablate.records.lock import exclusive
from cbablate.records.record import KINDS, Kind, Record

__all__ = ["LEDGER_FILE", "Ledger"]

LEDGER_FILE = "ledger.sqlite"
_FORMAT = 1
_APPLICATION = 0x63624142  # "cbAB": tells our file from any other SQLite file
_MEMORY = "file::memory:"
_COUNTS = """
    SELECT count(*), coalesce(max(sequence) - min(sequence) + 1, 0), coalesce(max(sequence), 0),
        coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), 0)
    FROM records
"""
"""Equal numbers, as long as no record was removed: they are counted from 1 without a gap."""
_UNREADABLE = (DBAPIError, UnicodeDecodeError)
"""What reading a damaged file raises; the latter where SQLite quotes the damage in its message."""

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

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine = engine

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
            with cls.reading(folder):
                pass  # looked at before it is opened to write, which alters even what is not ours
            ledger = cls(path, _engine(_address(path, "rw"), journal="WAL"))
            try:
                yield ledger
            finally:
                ledger.close()

    @classmethod
    @contextmanager
    def reading(cls, folder: Path) -> Iterator[Ledger]:
        """The ledger of a results folder, to read; an empty one where there is none yet.

        Raises:
            DamagedState: the file is not a whole ledger that this version can read.
            EnvironmentFault: the folder is a file, or cannot be read.
        """
        path = folder / LEDGER_FILE
        try:
            there = path.exists()
        except OSError as error:
            raise EnvironmentFault(f"{folder} cannot be read: {error.strerror}.") from error
        if folder.exists() and not folder.is_dir():
            raise EnvironmentFault(f"{folder} is a file, not a folder of results.")
        if there:
            # SQLite reads beside a writer with the help of a file that it makes in the folder.
            still = (
                not os.access(folder, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
            )
            engine = _engine(_address(path, "ro") + ("&immutable=1" if still else ""))
        else:
            engine = _engine(_MEMORY)
            _create(engine)
        ledger = cls(path, engine)
        try:
            ledger._check()
            yield ledger
        finally:
            ledger.close()

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
        query = select(_records).where(_records.c.sequence > after).order_by(_records.c.sequence)
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query).all()
        except _UNREADABLE as error:
            raise self._damaged(str(getattr(error, "orig", error))) from error
        # Chosen here, not by SQL: a fact whose damaged kind hides it must be met, not missed.
        wanted = None if kinds is None else set(kinds)
        return [
            fact
            for fact in map(self._record, rows)
            if (wanted is None or fact.kind in wanted) and subject in (None, fact.subject)
        ]

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _record(self, row: Any) -> Record:
        try:
            body = json.loads(row.body)
            if row.kind not in KINDS or not isinstance(body, dict):
                raise ValueError("unknown kind")
            fact = Record(row.kind, row.subject, body, row.at, row.sequence)
            whole = fact.digest() == row.digest
        except (ValueError, TypeError):
            whole = False
        if not whole:
            raise self._damaged(f"record {row.sequence} does not match its checksum")
        return fact

    def _check(self) -> None:
        """Refuse what is not a whole ledger that this version can read."""
        if self._asked("PRAGMA application_id")[0] != _APPLICATION:
            raise self._damaged("it is not a ledger of cbablate")
        version = self._asked("PRAGMA user_version")[0]
        if version > _FORMAT:
            raise DamagedState(
                f"{self.path} was written by a newer cbablate (format {version}, this one reads "
                f"up to {_FORMAT}). Nothing was changed; update cbablate."
            )
        checked = self._asked("PRAGMA quick_check(1)")[0]
        if checked != "ok":
            raise self._damaged(str(checked))
        if len(set(self._asked(_COUNTS))) > 1:
            raise self._damaged("a record is missing")

    def _asked(self, question: str) -> Any:
        """The one row that answers a question in SQL."""
        try:
            with self._engine.connect() as connection:
                return connection.exec_driver_sql(question).one()
        except _UNREADABLE as error:
            raise self._damaged(str(getattr(error, "orig", error))) from error

    def _damaged(self, what: str) -> DamagedState:
        return DamagedState(
            f"{self.path} cannot be trusted: {what}. It was left as it is; put a good copy in "
            "its place, or move it away to start anew."
        )


def _engine(address: str, *, journal: str | None = None) -> Engine:
    """An engine in which every statement, layout included, lies in a real transaction.

    The address goes to SQLite as it is: an URL of SQLAlchemy's would decode names in it once more.
    """
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, check_same_thread=False),
        poolclass=StaticPool if address == _MEMORY else QueuePool,
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
    engine = _engine(_address(fresh, "rw"), journal="DELETE")
    _create(engine)
    engine.dispose()
    fresh.replace(path)


def _create(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION}")
        connection.exec_driver_sql(f"PRAGMA user_version = {_FORMAT}")
        _metadata.create_all(connection)


def _address(path: Path, mode: str) -> str:
    """SQLite's own address of a file: `ro` to read, `rw` to write; neither makes one."""
    return f"file:{quote(str(path.resolve()))}?mode={mode}"
