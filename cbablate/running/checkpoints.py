"""`Checkpoints`: where the driver keeps what unfinished trials can go on from.

One file a trial, `results/checkpoints/<trial id>`: a line that says what this is, with the SHA-256
of the next; a line of JSON (the budget spent; name, length and SHA-256 of each file that the
workload wrote); then the files.
A file takes the place of the one before it in one step, so that there is always a whole one.
Everything here may be deleted at any time: the trials concerned then start from the beginning.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath
from typing import Any

from cbablate.planning.trial import Trial
from cbablate.running.handover import Saved

__all__ = ["CHECKPOINT_SECONDS", "Checkpoints", "checkpoint_bytes"]

CHECKPOINT_SECONDS = 60.0
"""How many seconds at least lie between two checkpoints of a trial, unless something else is said:
a trial that is over sooner never writes one."""

_FOLDER = "checkpoints"
_TITLE = b"cbablate checkpoint 1 "


class Checkpoints:
    """The newest checkpoint of each unfinished trial of a results folder; one driver writes.

    Args:
        results: the results folder.
        every: seconds between two checkpoints of a trial; 0 for one at each measurement.
        tell: is told a sentence when a checkpoint cannot be used or cannot be kept. No trial
            fails by that: it goes on, and if it is cut short it starts again.
    """

    def __init__(
        self,
        results: Path,
        *,
        every: float = CHECKPOINT_SECONDS,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.every = every
        self._folder = results / _FOLDER
        self._tell = tell
        self._offered: dict[str, int] = {}
        self._unkept = False

    def offer(self, trial: Trial) -> Saved | None:
        """What the trial can go on from; None if it must start from the beginning.

        A damaged file is removed, and told.
        """
        path = self._folder / trial.id
        self._offered[trial.id] = 0
        if not path.exists():
            return None
        try:
            saved = _parsed(path.read_bytes())
        except (OSError, ValueError, KeyError, TypeError) as error:  # whatever damage makes of it
            self._tell(f"checkpoint {path} is not used, its trial starts again: {error}")
            self.drop(trial.id)
            return None
        if not 0 < saved.spent < trial.budget.amount:
            self.drop(trial.id)
            return None
        self._offered[trial.id] = saved.spent
        return saved

    def offered(self, trial: str) -> int:
        """The budget that was spent at the checkpoint last offered to this trial; 0 if none."""
        return self._offered.get(trial, 0)

    def keep(self, trial: Trial, saved: Saved) -> None:
        """Take the place of the trial's checkpoint, on disk when this returns.

        One of a trial that has spent its whole budget is passed by: nothing can go on from there.
        """
        if saved.spent >= trial.budget.amount:
            return
        path, fresh = self._folder / trial.id, self._folder / f"{trial.id}.new"
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            with fresh.open("wb") as file:
                file.write(_heading(saved))
                for content in saved.files.values():
                    file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            _settle(self._folder)
        except OSError as error:
            with contextlib.suppress(OSError):  # what is wrong is told below, and once
                fresh.unlink()
            if not self._unkept:
                self._unkept = True
                self._tell(
                    f"checkpoints cannot be kept in {self._folder} ({error.strerror}): training "
                    "goes on, but a trial that is cut short starts from its last one, if any"
                )

    def drop(self, trial: str) -> None:
        """Remove the trial's checkpoint, if there is one."""
        self._unlink(self._folder / trial)

    def clear(self, unfinished: Collection[str]) -> None:
        """Remove the checkpoints of all trials but these, and what a kill left half written."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name not in unfinished and path.is_file():
                    self._unlink(path)

    def _unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self._tell(f"checkpoint {path} cannot be removed: {error.strerror}")


def checkpoint_bytes(results: Path) -> tuple[int, int]:
    """How many checkpoints a results folder keeps, and the bytes they take."""
    try:
        sizes = [path.stat().st_size for path in (results / _FOLDER).iterdir()]
    except OSError:  # there are none, or a driver removes one at this moment
        return 0, 0
    return len(sizes), sum(sizes)


def _heading(saved: Saved) -> bytes:
    files = [
        {"name": name, "length": len(content), "sha256": _digest(content).decode()}
        for name, content in saved.files.items()
    ]
    said = json.dumps({"spent": saved.spent, "files": files}, separators=(",", ":")).encode("ascii")
    return b"%s%s\n%s\n" % (_TITLE, _digest(said), said)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode("ascii")


def _parsed(content: bytes) -> Saved:
    """The checkpoint in a file's bytes.

    Raises:
        ValueError: these are not the bytes that were written.
    """
    title, heading, rest = [*content.split(b"\n", 2), b"", b""][:3]
    if title != _TITLE + _digest(heading):
        raise ValueError("it does not begin as one")
    said: Any = json.loads(heading)
    files: dict[str, bytes] = {}
    start = 0
    for file in said["files"]:
        name, length = str(file["name"]), int(file["length"])
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ValueError(f"it holds a file outside its folder, {name!r}")
        part = rest[start : start + length]
        if _digest(part).decode() != file["sha256"]:
            raise ValueError(f"{name} is not what was written")
        files[name] = part
        start += length
    return Saved(int(said["spent"]), files)


def _settle(folder: Path) -> None:
    """Make the names in a folder as lasting as its files."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
