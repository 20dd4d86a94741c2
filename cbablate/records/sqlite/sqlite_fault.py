"""What an error of SQLite's means for a ledger: the machine's fault, or damage to the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from cbablate.errors import CbablateError, DamagedState, EnvironmentFault

__all__ = ["SQLITE_ERRORS", "damaged", "fault"]

SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError, OverflowError)
"""What sqlite3 raises while it reads a damaged file: the second where SQLite quotes the damage in
its message, the third where a number of it does not fit Python's call."""

_MACHINE = {
    sqlite3.SQLITE_FULL: "the disk is full, or a quota is used up; free some space",
    sqlite3.SQLITE_IOERR: "the disk reports an error; see the system's log, `df` and `dmesg`",
    sqlite3.SQLITE_CANTOPEN: "a file cannot be opened; see its permissions, the limit of open "
    "files (`ulimit -n`) and the space left",
    sqlite3.SQLITE_READONLY: "the file, its folder or the disk is read-only, and SQLite must write "
    "beside it to read what a killed process left; allow that, or copy the folder",
    sqlite3.SQLITE_PERM: "permission is denied",
    sqlite3.SQLITE_BUSY: "another program holds it locked; end that program",
    sqlite3.SQLITE_LOCKED: "another program holds it locked; end that program",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_NOLFS: "the file system cannot hold a file of this size",
    sqlite3.SQLITE_PROTOCOL: "the file system does not lock files as it should; choose a local "
    "folder with --results",
}
"""SQLite's primary codes that say nothing about the file's content, and what to do."""


def fault(path: Path, error: BaseException, doing: str = "read") -> CbablateError:
    """The error to raise where SQLite raised `error` while it was `read` or `written`."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code != sqlite3.SQLITE_IOERR_CORRUPTFS:
        remedy = _MACHINE.get(code & 0xFF)
        if remedy is not None:
            return EnvironmentFault(
                f"the ledger {path} cannot be {doing} ({error}): {remedy}. Nothing that it holds "
                "is lost; run again afterwards."
            )
    return damaged(path, str(error))


def damaged(path: Path, what: str) -> DamagedState:
    """The refusal of a ledger, and what a person can do about it."""
    return DamagedState(
        f"{path} cannot be trusted: {what}. It was left as it is. `cbablate fsck {path.parent}` "
        "says what is whole. Put a good copy of all of ledger.sqlite, ledger.sqlite-wal and "
        "ledger.sqlite-shm in their place (beside a copy of ledger.sqlite alone, remove -wal and "
        "-shm), or move the folder away to start anew."
    )
