"""`Checkpoints`: where the driver keeps what unfinished trials can go on from.

The newest is `results/checkpoints/<trial id>`, the one before it `<trial id>.before`: a line that
says what this is, with the SHA-256 of the next; a line of JSON (the budget spent; name, length and
SHA-256 of each file that the workload wrote); then the files.
A file takes its name in one step, so that there is always a whole one; one that is damaged later
leaves the one before it. A file that cannot be read at the moment is left where it is.
A trial that is complete leaves its last one where a longer training begins as it did; these are
named `final-<arm, seed and unit>-<trial id>`, and the oldest go when they take more than a limit.

Everything here may be deleted at any time: the trials concerned then start from the beginning.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cbablate.fingerprint import fingerprint
from cbablate.planning.trial import Trial
from cbablate.records.crash_point import crash_point
from cbablate.records.history import History
from cbablate.records.sqlite.disk import synchronise
from cbablate.records.state import TrialState
from cbablate.running.executors.checkpoint_transport import Saved
from cbablate.spec.budget import Budget
from cbablate.spec.description import Config

__all__ = [
    "CHECKPOINT_SECONDS",
    "Checkpoints",
    "Origin",
    "checkpoint_bytes",
    "damaged_checkpoints",
]

CHECKPOINT_SECONDS = 60.0
"""How many seconds at least lie between two checkpoints of a trial, unless something else is said:
a trial that is over sooner never writes one."""

_FOLDER = "checkpoints"
_FINAL = "final"
_BEFORE = ".before"
_PAUSES = (0.05, 0.2)
"""Seconds between attempts to read a file that cannot be read."""
_MOST_BYTES = 2_000_000_000
"""What the checkpoints of complete trials may take together."""
_TITLE = b"cbablate checkpoint 1 "


@dataclass(frozen=True)
class Origin:
    """Where a checkpoint comes from: the budget spent, and the shorter trial, "" for its own."""

    spent: int
    shorter: str = ""


class Checkpoints:
    """The last two checkpoints of each trial of a results folder that can go on; one driver writes.

    Args:
        results: the results folder.
        every: seconds between two checkpoints of a trial; 0 for one at each measurement.
        open_ended: whether a training of a config to a budget is the beginning of every longer one.
        tell: is told a sentence when a checkpoint cannot be used or cannot be kept. No trial
            fails by that: it goes on, and if it is cut short it starts again.
    """

    def __init__(
        self,
        results: Path,
        *,
        every: float = CHECKPOINT_SECONDS,
        open_ended: Callable[[Config, Budget], bool] = lambda config, budget: False,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.every = every
        self._folder = results / _FOLDER
        self._open_ended = open_ended
        self._tell = tell
        self._offered: dict[str, Origin] = {}
        self._unkept = False

    def offer(self, trial: Trial) -> Saved | None:
        """What the trial can go on from; None if it must start from the beginning.

        That is its own checkpoint; else the last one of the longest training of the same arm and
        seed to a smaller budget, if a longer one begins as that did. A damaged file is removed,
        and told; the checkpoint before it takes its place.
        """
        self._offered.pop(trial.id, None)
        for path in _both(self._folder / trial.id):
            own = self._read(path)
            if own is not None and 0 < own.spent < trial.budget.amount:
                self._offered[trial.id] = Origin(own.spent)
                return own
        found = None
        for path in self._finals(trial):
            saved = self._read(path)
            if saved and (found.spent if found else 0) < saved.spent < trial.budget.amount:
                found = saved
                self._offered[trial.id] = Origin(saved.spent, _trial_of(path))
        return found

    def offered(self, trial: str) -> Origin:
        """Where the checkpoint that was last offered to this trial comes from."""
        return self._offered.get(trial, Origin(0))

    def keep(self, trial: Trial, saved: Saved) -> None:
        """Take the place of the trial's newest checkpoint, on disk when this returns.

        One of a trial that has spent its whole budget is kept for longer ones, or passed by where
        they do not begin as this did.
        """
        name = trial.id
        if saved.spent >= trial.budget.amount:
            if not self._extensible(trial):
                return
            name = f"{_final_name(trial)}-{trial.id}"
        path, fresh = self._folder / name, self._folder / f"{name}.new"
        try:
            crash_point("checkpoint.before")
            self._folder.mkdir(exist_ok=True, mode=0o700)
            with fresh.open("wb") as file:
                file.write(_heading(saved))
                for content in saved.files.values():
                    file.write(content)
                file.flush()
                os.fsync(file.fileno())
            crash_point("checkpoint.before_replace")
            with contextlib.suppress(FileNotFoundError):  # it is the trial's first
                path.replace(_both(path)[1])
            fresh.replace(path)
            crash_point("checkpoint.after_replace")
            synchronise(self._folder)
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
        """Remove the trial's checkpoints, if there are any."""
        for path in _both(self._folder / trial):
            self._unlink(path)

    def clear(self, told: Mapping[str, History]) -> None:
        """Remove what no trial can go on from, by the histories of all, and half written files.

        What unfinished trials left stays, and, up to a limit, what complete ones did.
        """
        finals: list[tuple[float, Path, int]] = []
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            final = path.name.startswith(f"{_FINAL}-")
            history = told.get(_trial_of(path))
            if final and history is not None and history.state is TrialState.COMPLETE:
                about = path.stat()
                finals.append((about.st_mtime, path, about.st_size))
            elif path.is_file() and (final or history is None or history.settled):
                self._unlink(path)
        taken = 0
        for _, path, size in sorted(finals, reverse=True):
            taken += size
            if taken > _MOST_BYTES:
                self._unlink(path)

    def _read(self, path: Path) -> Saved | None:
        """The checkpoint in a file; None where there is none that can be used."""
        instead = "its trial starts from the one before, or again"
        try:
            return _parsed(_content(path))
        except FileNotFoundError:
            return None
        except (OSError, MemoryError) as error:  # that may pass: nothing is removed
            why = getattr(error, "strerror", None) or type(error).__name__
            self._tell(f"checkpoint {path} cannot be read now ({why}) and is left: {instead}")
        except (ValueError, KeyError, TypeError, RecursionError) as error:  # damage
            self._tell(f"checkpoint {path} is damaged and not used, {instead}: {error}")
            self._unlink(path)
        return None

    def _finals(self, trial: Trial) -> list[Path]:
        if not self._extensible(trial) or not self._folder.is_dir():
            return []
        return sorted(self._folder.glob(f"{_final_name(trial)}-*[0-9a-f]"))

    def _extensible(self, trial: Trial) -> bool:
        """Whether its last checkpoint serves longer ones; a search's pruner must see all anew."""
        return not trial.search and self._open_ended(trial.config, trial.budget)

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


def _both(path: Path) -> tuple[Path, Path]:
    """The names of a trial's newest checkpoint and of the one before it."""
    return path, path.with_name(f"{path.name}{_BEFORE}")


def _trial_of(path: Path) -> str:
    """The id of the trial whose checkpoint a file is, by its name."""
    return path.name.rpartition("-")[2].removesuffix(_BEFORE)


def _content(path: Path) -> bytes:
    """A file's bytes, read again a few times where the machine cannot read it now."""
    for pause in _PAUSES:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise
        except OSError:
            time.sleep(pause)
    return path.read_bytes()


def damaged_checkpoints(results: Path) -> list[Path]:
    """The checkpoints of a results folder that are not what was written.

    Raises:
        OSError: one cannot be read.
    """
    found = []
    folder = results / _FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            if path.suffix != ".new":  # half written by a driver that was killed
                _parsed(path.read_bytes())
        except FileNotFoundError:  # a driver has just removed it
            continue
        except (ValueError, KeyError, TypeError, RecursionError):
            found.append(path)
    return found


def _final_name(trial: Trial) -> str:
    same = {"arm": trial.arm, "seed": trial.seed, "unit": trial.budget.unit}
    return f"{_FINAL}-{fingerprint(same)}"


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
