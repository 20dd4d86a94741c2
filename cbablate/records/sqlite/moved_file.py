"""What is left of a ledger whose files were removed, moved or replaced while it was open."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cbablate.errors import DamagedState
from cbablate.records.sqlite.sqlite_fault import SQLITE_ERRORS

__all__ = ["Identity", "identity", "keep_open", "lost"]

Identity = tuple[tuple[int, int] | None, ...]
"""Device and inode of a ledger's file, its -wal and its -shm; None for one that is not there."""

_SUFFIXES = ("", "-wal", "-shm")


def identity(path: Path) -> Identity:
    """Which files lie under a ledger's names now."""
    real = os.path.realpath(path)
    return tuple(_file(real + suffix) for suffix in _SUFFIXES)


def keep_open(connection: sqlite3.Connection) -> None:
    """Never close a connection, not even when Python ends.

    SQLite removes the -wal file by its name when it closes: by now that may be another ledger's.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def lost(path: Path, connection: sqlite3.Connection, opened: Identity) -> DamagedState:
    """The error about a ledger that does not lie under its name any more, with its facts saved.

    Args:
        path: the name.
        connection: the open ledger.
        opened: its files, when it was opened.
    """
    with suppress(*SQLITE_ERRORS):  # all facts into the file itself, wherever it is
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    now = identity(path)
    if now[0] == opened[0]:
        gone = " and ".join(
            path.name + suffix
            for suffix, one, other in zip(_SUFFIXES, now, opened, strict=True)
            if one != other
        )
        return DamagedState(
            f"{gone} in {path.parent} was removed or replaced while it was in use. Every fact was "
            f"copied into {path}; `cbablate fsck {path.parent}` tells whether it is whole. Then "
            "run again."
        )
    what = "was replaced by another file" if now[0] else "was removed or moved"
    moved = _place(opened[0])
    if moved:
        return DamagedState(
            f"{path} {what} while it was in use. Every fact that was recorded is in {moved}: put "
            "it back, or go on there with --results."
        )
    for target in _targets(path):
        if _copied(connection, target):
            return DamagedState(
                f"{path} {what} while it was in use. Every fact that was recorded was written to "
                f"{target}: make it {path.name} of an empty folder, and run again with that "
                "folder as --results."
            )
    return DamagedState(
        f"{path} {what} while it was in use, and its facts could not be written elsewhere."
    )


def _file(name: str) -> tuple[int, int] | None:
    try:
        about = Path(name).stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _place(file: tuple[int, int] | None) -> str:
    """Where an open file lies now; "" where it has no name or the system does not tell."""
    with suppress(OSError):
        for link in Path("/proc/self/fd").iterdir():
            if _file(str(link)) == file:
                name = str(link.readlink())
                return name if _file(name) == file else ""
    return ""


def _targets(path: Path) -> Iterator[Path]:
    folders = (path.parent, path.parent.parent, Path.cwd(), Path(tempfile.gettempdir()))
    for folder in dict.fromkeys(folders):
        if folder.is_dir():
            names = ("ledger-rescued", *(f"ledger-rescued-{number}" for number in range(2, 100)))
            free = (folder / f"{name}.sqlite" for name in names)
            target = next((one for one in free if not one.exists()), None)
            if target is not None:
                yield target


def _copied(connection: sqlite3.Connection, target: Path) -> bool:
    """Whether a whole copy of the open ledger now lies at `target`."""
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return False
    try:
        copy = sqlite3.connect(target, isolation_level=None)
        try:
            connection.backup(copy)
            copy.execute("DELETE FROM lease")
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()
    except SQLITE_ERRORS:
        with suppress(OSError):
            target.unlink()
        return False
    return True
