"""The tables of a ledger: what SQLite is told to make, and what a ledger may consist of.

Format 1 (version 0.1.0) has `records` alone. Format 2 adds two tables of one row each, which every
append alters in its own transaction: `seal`, how many facts there are and a digest of them all,
and `lease`, which process may append.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from cbablate.errors import EnvironmentFault
from cbablate.records.crash_point import crash_point
from cbablate.records.disk import synchronise
from cbablate.records.sqlite.seal import EMPTY, Seal
from cbablate.records.sqlite.sqlite_fault import fault

__all__ = [
    "APPLICATION",
    "FORMAT",
    "LEDGER_FILE",
    "address_of",
    "clear_half_made",
    "create",
    "strange",
    "upgrade",
]

LEDGER_FILE = "ledger.sqlite"
FORMAT = 2
APPLICATION = 0x63624142  # "cbAB": tells our file from any other SQLite file

_RECORDS = """CREATE TABLE records (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind VARCHAR(16) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    at FLOAT NOT NULL,
    body TEXT NOT NULL,
    digest VARCHAR(16) NOT NULL
)"""
_SEAL = "CREATE TABLE seal (facts INTEGER NOT NULL, digest TEXT NOT NULL)"
_LEASE = "CREATE TABLE lease (token TEXT NOT NULL, holder TEXT NOT NULL, seen REAL NOT NULL)"
_COUNTER = "CREATE TABLE sqlite_sequence(name,seq)"  # SQLite's own, of AUTOINCREMENT


def _words(sql: str | None) -> str:
    return "".join(str(sql).split())


_TABLES = {
    1: {"records": _words(_RECORDS), "sqlite_sequence": _words(_COUNTER)},
    2: {
        "records": _words(_RECORDS),
        "sqlite_sequence": _words(_COUNTER),
        "seal": _words(_SEAL),
        "lease": _words(_LEASE),
    },
}


def strange(version: int, schema: Iterable[tuple[str, str, str | None]]) -> str:
    """What of a file's schema does not belong to a ledger of this format; "" if it is one.

    Args:
        version: the format.
        schema: type, name and SQL of all that the file defines.
    """
    allowed = dict(_TABLES.get(version, {}))
    for kind, name, sql in schema:
        if kind != "table" or name not in allowed:
            return f"it has a {kind} {name[:80]!r}, which no ledger has"
        if _words(sql) != allowed.pop(name):
            return f"its table {name!r} is not laid out as a ledger's"
    return f"it has no table {min(allowed)!r}" if allowed else ""


_BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite may leave beside a file."""


def create(path: Path) -> None:
    """Put an empty ledger at `path` in one step, so that a half-made one never has its name.

    One that another process put there in the meantime stays.

    Raises:
        EnvironmentFault: the disk does not take it.
    """
    try:
        _create(path)
    except (OSError, EnvironmentFault) as error:
        if path.exists():  # another process made it, and removed what we had half made
            return
        if isinstance(error, EnvironmentFault):
            raise
        raise EnvironmentFault(
            f"a ledger cannot be made in {path.parent}: {error.strerror or error}. Mend "
            "that, or choose another folder with --results."
        ) from error


def clear_half_made(folder: Path) -> None:
    """Remove what processes left that were killed while they made a ledger which is there now."""
    for half_made in folder.glob("ledger*.new*"):
        with suppress(OSError):  # it does no harm
            half_made.unlink()


def _create(path: Path) -> None:
    fresh = path.with_name(f"ledger.{secrets.token_hex(4)}.new")
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _fill(fresh)
        crash_point("ledger.create.before")
        _name(fresh, path)
        crash_point("ledger.create.after")
    finally:
        for part in (fresh, *(fresh.with_name(f"{fresh.name}{end}") for end in _BESIDE)):
            with suppress(OSError):  # what is wrong is told already, and the next run removes it
                part.unlink(missing_ok=True)


def _fill(path: Path) -> None:
    try:
        with closing(
            sqlite3.connect(address_of(path, "rw"), uri=True, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN")
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute("PRAGMA user_version = 1")
            connection.execute(_RECORDS)
            upgrade(connection, EMPTY)
            connection.execute("COMMIT")
            # Before it has its name: a rollback journal beside a ledger, which a full disk or a
            # power cut would leave, cannot be undone by those who only read.
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise fault(path.parent / LEDGER_FILE, error, "made") from error


def _name(fresh: Path, path: Path) -> None:
    """Give the file its name unless there is a file of that name, and make it last."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        return
    except OSError:  # this file system has no links
        if not path.exists():
            fresh.replace(path)
    synchronise(path.parent)


def upgrade(connection: sqlite3.Connection, seal: Seal) -> None:
    """Make a ledger of format 1 one of format 2, inside the caller's transaction."""
    connection.execute(_SEAL)
    connection.execute(_LEASE)
    connection.execute("INSERT INTO seal VALUES (?, ?)", (seal.facts, seal.digest))
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def address_of(path: Path, mode: str) -> str:
    """SQLite's own address of a file: `ro` to read, `rw` to write; neither makes one."""
    return f"file:{quote(str(path.resolve()))}?mode={mode}"
