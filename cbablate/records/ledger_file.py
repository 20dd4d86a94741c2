"""`LedgerFile`: a ledger as anybody reads it; nothing but Python's own sqlite3 is imported.

Writing is `records/ledger.py`. The two are apart because `plan`, `status` and `table` only read,
and must answer in under a second: importing SQLAlchemy takes a third of one.
"""

from __future__ import annotations

import gc
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cbablate.errors import DamagedState, EnvironmentFault
from cbablate.records.record import KINDS, Kind, Record, digest_of

__all__ = ["APPLICATION", "FORMAT", "LEDGER_FILE", "LedgerFile", "address_of"]

LEDGER_FILE = "ledger.sqlite"
FORMAT = 1
APPLICATION = 0x63624142  # "cbAB": tells our file from any other SQLite file
_COUNTS = """
    SELECT count(*), coalesce(max(sequence) - min(sequence) + 1, 0), coalesce(max(sequence), 0),
        coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), 0)
    FROM records
"""
"""Equal numbers, as long as no record was removed: they are counted from 1 without a gap."""
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged file raises; the latter where SQLite quotes the damage in its message."""


class LedgerFile:
    """The facts of a ledger that exists, read at any time, beside a writer too.

    Opened by `LedgerFile.reading`; without a connection it holds no facts.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection | None) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    @contextmanager
    def reading(cls, folder: Path) -> Iterator[LedgerFile]:
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
            address = address_of(path, "ro") + ("&immutable=1" if still else "")
            ledger = cls.at(path, address)
        else:
            ledger = cls(path, None)
        try:
            yield ledger
        finally:
            ledger.close()

    @classmethod
    def at(cls, path: Path, address: str) -> LedgerFile:
        """The file at SQLite's own `address`, checked.

        Raises:
            DamagedState: it is not a whole ledger that this version can read.
        """
        try:
            connection = sqlite3.connect(
                address, uri=True, check_same_thread=False, isolation_level=None
            )
        except _UNREADABLE as error:
            raise cls(path, None)._damaged(str(error)) from error
        ledger = cls(path, connection)
        try:
            ledger._asked("PRAGMA busy_timeout = 10000")
            ledger._check()
        except BaseException:
            ledger.close()
            raise
        return ledger

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
        rows = self._rows(
            "SELECT sequence, kind, subject, at, body, digest FROM records "
            "WHERE sequence > ? ORDER BY sequence",
            after,
        )
        # Chosen here, not by SQL: a fact whose damaged kind hides it must be met, not missed.
        wanted = None if kinds is None else set(kinds)
        with _uncollected():
            return [
                fact
                for fact in map(self._record, rows)
                if (wanted is None or fact.kind in wanted) and subject in (None, fact.subject)
            ]

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()

    def _record(self, row: tuple[Any, ...]) -> Record:
        sequence, kind, subject, at, text, digest = row
        try:
            body = json.loads(text)
            if kind not in KINDS or not isinstance(body, dict):
                raise ValueError("unknown kind")
            fact = Record(kind, subject, body, at, sequence)
            whole = digest_of(kind, subject, text, at) == digest
        except (ValueError, TypeError):
            whole = False
        if not whole:
            raise self._damaged(f"record {sequence} does not match its checksum")
        return fact

    def _check(self) -> None:
        """Refuse what is not a whole ledger that this version can read."""
        if self._asked("PRAGMA application_id")[0] != APPLICATION:
            raise self._damaged("it is not a ledger of cbablate")
        version = self._asked("PRAGMA user_version")[0]
        if version > FORMAT:
            raise DamagedState(
                f"{self.path} was written by a newer cbablate (format {version}, this one reads "
                f"up to {FORMAT}). Nothing was changed; update cbablate."
            )
        checked = self._asked("PRAGMA quick_check(1)")[0]
        if checked != "ok":
            raise self._damaged(str(checked))
        if len(set(self._asked(_COUNTS))) > 1:
            raise self._damaged("a record is missing")

    def _asked(self, question: str) -> tuple[Any, ...]:
        """The one row that answers a question in SQL."""
        return self._rows(question)[0]

    def _rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(question, values).fetchall()
        except _UNREADABLE as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, what: str) -> DamagedState:
        return DamagedState(
            f"{self.path} cannot be trusted: {what}. It was left as it is; put a good copy in "
            "its place, or move it away to start anew."
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cyclic garbage: facts are many small mappings that stay, and have no cycles.

    Looking through them again and again would take a third of the time.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def address_of(path: Path, mode: str) -> str:
    """SQLite's own address of a file: `ro` to read, `rw` to write; neither makes one."""
    return f"file:{quote(str(path.resolve()))}?mode={mode}"
