"""`Store`: the port of what keeps bytes by name, and `FolderStore`, its first implementation."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cbablate.records.crash_point import crash_point
from cbablate.records.disk import synchronise

__all__ = ["FolderStore", "Kept", "Store"]

_HALF = ".new"


@dataclass(frozen=True, order=True)
class Kept:
    """What a store has under a name: when it was put there (seconds), the name, and its bytes."""

    at: float
    name: str
    size: int


class Store(Protocol):
    """Bytes by name; one process writes. All of it may be deleted at any time.

    What implements it inherits the tests of `cbablate.testing.store`. A name is letters, digits,
    `.`, `_` and `-`. Every method raises `OSError` where the machine does not do it.
    """

    @property
    def address(self) -> str:
        """Where this is, for a sentence."""
        ...

    def where(self, name: str) -> str:
        """Where what has a name is, for a sentence."""
        ...

    def kept(self) -> list[Kept]:
        """What there is, by name; nothing that was only half put."""
        ...

    def read(self, name: str) -> bytes:
        """What was put under this name.

        Raises:
            FileNotFoundError: nothing was.
        """
        ...

    def put(self, name: str, parts: Iterable[bytes], *, former: str | None = None) -> None:
        """Keep bytes, the parts one after another: whole or not at all, and lasting on return.

        What had the name before is under the name `former` then, or gone without one.
        """
        ...

    def remove(self, name: str) -> None:
        """Keep this no longer; nothing where there is none."""
        ...

    def clear_half_put(self) -> None:
        """Remove what processes left that were killed in `put`."""
        ...


class FolderStore:
    """A file for each name, in a folder that is made when something is put there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def address(self) -> str:
        """The folder's path."""
        return str(self._folder)

    def where(self, name: str) -> str:
        """The file's path."""
        return str(self._folder / name)

    def kept(self) -> list[Kept]:
        """The files there are, by name; one that goes meanwhile may be missing."""
        found = []
        for path in sorted(self._files()):
            with contextlib.suppress(FileNotFoundError):
                about = path.stat()
                if path.is_file() and path.suffix != _HALF:
                    found.append(Kept(about.st_mtime, path.name, about.st_size))
        return found

    def read(self, name: str) -> bytes:
        """The file's bytes."""
        return (self._folder / name).read_bytes()

    def put(self, name: str, parts: Iterable[bytes], *, former: str | None = None) -> None:
        """Write a file beside its place, and give it its name in one step."""
        path, fresh = self._folder / name, self._folder / f"{name}{_HALF}"
        try:
            crash_point("checkpoint.before")
            self._folder.mkdir(exist_ok=True, mode=0o700)
            with fresh.open("wb") as file:
                for part in parts:
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            crash_point("checkpoint.before_replace")
            if former is not None:
                with contextlib.suppress(FileNotFoundError):  # it is the first of its name
                    path.replace(self._folder / former)
            fresh.replace(path)
            crash_point("checkpoint.after_replace")
            synchronise(self._folder)
        except OSError:
            with contextlib.suppress(OSError):  # what is wrong is raised, and once
                fresh.unlink()
            raise

    def remove(self, name: str) -> None:
        """Remove the file."""
        (self._folder / name).unlink(missing_ok=True)

    def clear_half_put(self) -> None:
        """Remove files that never took their names."""
        for path in self._files():
            if path.suffix == _HALF:
                path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return list(self._folder.iterdir()) if self._folder.is_dir() else []
