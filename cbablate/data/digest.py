"""The digest of files, computed once: remembered as long as no file's size or time changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from cbablate.data import location
from cbablate.fingerprint import fingerprint

__all__ = ["of_files", "remembered"]

_CHUNK = 1 << 20
_DIGITS = 20


def of_files(paths: Sequence[Path], names: Sequence[str]) -> str:
    """The first 20 digits of SHA-256 over names and bytes of files, in this order."""

    def read() -> str:
        digest = hashlib.sha256()
        for path, name in zip(paths, names, strict=True):
            digest.update(f"{name}\0{path.stat().st_size}\0".encode())
            with path.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
        return digest.hexdigest()[:_DIGITS]

    return remembered(paths, read, of="content 1")


def remembered(paths: Sequence[Path], compute: Callable[[], str], *, of: str) -> str:
    """What `compute` gives of these files or folders, asked once for each state of theirs.

    `of` names the question, and is changed when the answer would be another. A state is the paths
    with sizes and times of change. Answers lie in the user's cache folder; where that cannot be
    read or written, the answer is computed again, which costs time only.
    """
    states = [(str(path.resolve()), *_state(path)) for path in paths]
    key = fingerprint([of, states])
    book = location.cache() / "digests.json"
    known = _read(book)
    if key not in known:
        known[key] = compute()
        with contextlib.suppress(OSError):  # the answer is right without being remembered
            _write(book, known)
    return known[key]


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _read(book: Path) -> dict[str, str]:
    try:
        told = json.loads(book.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {key: value for key, value in told.items() if isinstance(value, str)}


def _write(book: Path, known: dict[str, str]) -> None:
    """In one piece: another process reads the old book or the new one."""
    book.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=book.parent, prefix=".digests-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(known, stream, indent=0, sort_keys=True)
        Path(name).replace(book)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
