"""`LedgerFile`: a ledger as anybody reads it, at any time, beside a writer too."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from json import JSONDecoder
from json.scanner import make_scanner
from math import isfinite
from pathlib import Path
from typing import Any

from cbablate.errors import CbablateError, DamagedState, EnvironmentFault
from cbablate.records.facts import misshapen
from cbablate.records.record import Kind, Record, digest_of
from cbablate.records.sqlite.garbage import uncollected
from cbablate.records.sqlite.layout import APPLICATION, FORMAT, LEDGER_FILE, address_of, strange
from cbablate.records.sqlite.seal import SEAL_FILE, Seal, read_seal, seal_of
from cbablate.records.sqlite.sqlite_fault import SQLITE_ERRORS, damaged, fault

__all__ = ["LEDGER_FILE", "PATIENCE", "LedgerFile", "among", "connected", "written_here"]

_COUNTS = """
    SELECT count(*), coalesce(max(sequence) - min(sequence) + 1, 0), coalesce(max(sequence), 0),
        coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), 0)
    FROM records
"""
"""Equal numbers, as long as no record was removed: they are counted from 1 without a gap."""
_FACTS = (
    "SELECT sequence, kind, subject, at, body, digest FROM records "
    "WHERE sequence > ? ORDER BY sequence LIMIT ?"
)
_LAST = "SELECT sequence, digest FROM records ORDER BY sequence DESC LIMIT 1"
PATIENCE = 10_000
"""Milliseconds that a process waits for another that has the ledger locked."""
_SOME = 1_000
"""How many rows are read at a time: in between, a writer is not held up."""
_MOST_BYTES = 100_000_000
"""The longest value that is read from a file; a fact is far shorter."""

written_here: set[Path] = set()
"""The ledgers that this process writes. It must not open and close their files by other means than
SQLite's own locking: the kernel drops a process's locks on a file when it closes any descriptor of
it.
"""


class LedgerFile:
    """The facts of a ledger that exists.

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
            if folder.exists() and not folder.is_dir():
                raise EnvironmentFault(f"{folder} is a file, not a folder of results.")
        except OSError as error:
            raise EnvironmentFault(f"{folder} cannot be read: {error.strerror}.") from error
        sealed, base = _beside(path), _base(path)  # before the ledger, which goes on meanwhile
        ledger = cls(path, _reader(path) if there else None)
        try:
            ledger.check(sealed, base)
            yield ledger
        finally:
            ledger.close()

    def records(
        self, kinds: Iterable[Kind] | None = None, *, after: int = 0, subject: str | None = None
    ) -> list[Record]:
        """Facts of these kinds (all by default) in the order they were told.

        Args:
            kinds: which kinds; None for all.
            after: only those with a greater sequence number.
            subject: only those about this subject.

        Raises:
            DamagedState: a fact does not match its checksum, or has not the shape of its kind.
        """
        # Chosen here, not by SQL: a fact whose damaged kind hides it must be met, not missed.
        with uncollected():
            return among(self.stream(after=after), kinds, subject)

    def stream(self, *, after: int = 0) -> Iterator[Record]:
        """The facts in the order they were told, read and checked one after the other.

        Raises:
            DamagedState: as `records`.
        """
        if self._connection is None:
            return
        try:
            while some := self._connection.execute(_FACTS, (after, _SOME)).fetchall():
                after = some[-1][0]
                yield from map(self._record, some)
        except SQLITE_ERRORS as error:
            raise fault(self.path, error) from error

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()

    def check(self, sealed: Seal | None, base: tuple[int, str] | None) -> None:
        """Refuse what is not a whole ledger that this version can read.

        Args:
            sealed: what the seal beside the file said before this was opened.
            base: number and checksum of the last fact in the file without its -wal, likewise.
        """
        if self._connection is None:
            if sealed is not None and sealed.facts:
                raise self._damaged(
                    f"it is missing, and {SEAL_FILE} says that it held {sealed.facts} facts"
                )
            if _pages(self.path) and not self.path.exists():  # else it is being made
                raise self._damaged(f"it is missing, and its {LEDGER_FILE}-wal is there")
            return
        if self._asked("PRAGMA application_id")[0] != APPLICATION:
            raise self._damaged("it is not a ledger of cbablate")
        version = self._asked("PRAGMA user_version")[0]
        if version > FORMAT:
            raise DamagedState(
                f"{self.path} was written by a newer cbablate (format {version}, this one reads "
                f"up to {FORMAT}). Nothing was changed; update cbablate."
            )
        wrong = strange(version, self._rows("SELECT type, name, sql FROM sqlite_master"))
        if wrong:
            raise self._damaged(wrong)
        checked = self._asked("PRAGMA quick_check(1)")[0]
        if checked != "ok":
            raise self._damaged(str(checked))
        self._rows("BEGIN")  # one state of the ledger for all that follows
        try:
            self._check_facts(version, sealed, base)
        finally:
            self._rows("COMMIT")

    def digests(self) -> list[str]:
        """The checksums of all facts, in order."""
        return [str(row[0]) for row in self._rows("SELECT digest FROM records ORDER BY sequence")]

    def _check_facts(self, version: int, sealed: Seal | None, base: tuple[int, str] | None) -> None:
        if len(set(self._asked(_COUNTS))) > 1:
            raise self._damaged("a record is missing")
        digests = self.digests()
        if version > 1:
            inner = self._rows("SELECT facts, digest FROM seal")
            if inner != [(len(digests), seal_of(digests).digest)]:
                raise self._damaged("its facts are not those that its seal counts")
        if base is not None and base[1] not in digests[base[0] - 1 : base[0]]:
            raise self._damaged(
                f"by itself it holds {base[0]} facts, with {LEDGER_FILE}-wal beside it "
                f"{len(digests)} or others: that -wal is an older copy's"
            )
        if sealed is None:
            return
        if len(digests) < sealed.facts:
            raise self._damaged(
                f"{sealed.facts - len(digests)} of {sealed.facts} facts are missing that "
                f"{SEAL_FILE} counts: {LEDGER_FILE}-wal was damaged or removed, or this is an "
                "older copy"
            )
        if seal_of(digests, sealed.facts) != sealed:
            raise self._damaged(f"{SEAL_FILE} beside it is another ledger's")

    @staticmethod
    def whole(row: tuple[Any, ...]) -> Record | str:
        """The fact in a row of the table, or what is wrong with it."""
        sequence, kind, subject, at, text, digest = row
        try:
            body = _decode(text)
            matches = digest_of(kind, subject, text, at) == digest and isfinite(at)
        except (ValueError, TypeError, RecursionError):
            matches = False
        if not matches:
            return f"record {sequence} does not match its checksum"
        wrong = misshapen(kind, body)
        if wrong:
            return f"record {sequence} is not as cbablate writes it: {wrong}"
        return Record(kind, subject, body, at, sequence)

    def _record(self, row: tuple[Any, ...]) -> Record:
        fact = self.whole(row)
        if isinstance(fact, str):
            raise self._damaged(fact)
        return fact

    def _asked(self, question: str) -> tuple[Any, ...]:
        """The one row that answers a question in SQL."""
        return self._rows(question)[0]

    def _rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(question, values).fetchall()
        except SQLITE_ERRORS as error:
            raise fault(self.path, error) from error

    def _damaged(self, what: str) -> DamagedState:
        return damaged(self.path, what)


def among(
    facts: Iterable[Record], kinds: Iterable[Kind] | None, subject: str | None
) -> list[Record]:
    """The facts of these kinds about this subject; None is all."""
    wanted = None if kinds is None else set(kinds)
    return [
        fact
        for fact in facts
        if (wanted is None or fact.kind in wanted) and subject in (None, fact.subject)
    ]


def connected(path: Path, mode: str, more: str = "") -> sqlite3.Connection:
    """A connection to a ledger that trusts nothing in the file.

    Raises:
        DamagedState, EnvironmentFault: it cannot be opened.
    """
    if not path.is_file():
        raise damaged(path, "it is not a file")
    if path.stat().st_size == 0 and _pages(path):  # opening it would have SQLite remove the -wal
        raise damaged(path, f"it is empty, and its {LEDGER_FILE}-wal is not")
    try:
        connection = sqlite3.connect(
            address_of(path, mode) + more, uri=True, check_same_thread=False, isolation_level=None
        )
    except SQLITE_ERRORS as error:
        raise fault(path, error) from error
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)
        for setting in (
            f"busy_timeout = {PATIENCE}",
            "trusted_schema = OFF",
            "cell_size_check = ON",
        ):
            connection.execute(f"PRAGMA {setting}")
    except SQLITE_ERRORS as error:
        connection.close()
        raise fault(path, error) from error
    return connection


def _reader(path: Path) -> sqlite3.Connection:
    # SQLite reads beside a writer with the help of a file that it makes in the folder.
    still = not os.access(path.parent, os.W_OK) and not _wal(path).exists()
    return connected(path, "ro", "&immutable=1" if still else "")


def _beside(path: Path) -> Seal | None:
    try:
        return read_seal(path.parent)
    except ValueError as error:
        raise damaged(path, str(error)) from None


def _base(path: Path) -> tuple[int, str] | None:
    """Number and checksum of the last fact in the file without its -wal.

    None where that cannot be told: there is no -wal, or a process is at this moment copying pages
    from it.
    """
    if path.resolve() in written_here:
        return None
    try:
        if not path.exists() or not _pages(path):
            return None
        connection = connected(path, "ro", "&immutable=1")
    except (OSError, CbablateError):
        return None  # whoever opens it with its -wal says what is wrong
    try:
        row = connection.execute(_LAST).fetchone()
    except SQLITE_ERRORS:
        return None
    finally:
        connection.close()
    return row if row and type(row[0]) is int and isinstance(row[1], str) else None


def _pages(path: Path) -> bool:
    """Whether a ledger has a -wal with anything in it."""
    try:
        return _wal(path).stat().st_size > 0
    except OSError:
        return False


def _wal(path: Path) -> Path:
    path = path.resolve()
    return path.with_name(f"{path.name}-wal")


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is not a number")


_scan = make_scanner(JSONDecoder(parse_constant=_refuse))  # type: ignore[arg-type]  # as json does


def _decode(text: str) -> Any:
    """The value of a canonical text, which has no space around it."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        raise ValueError("it is not JSON") from None
    if end != len(text):
        raise ValueError("there is more behind it")
    return value
