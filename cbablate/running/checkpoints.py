"""`Checkpoints`: where the driver keeps what unfinished trials can go on from.

They lie in a `Store`: the newest as `<trial id>`, the one before it as `<trial id>.before`, each a
line that says what it is, with the SHA-256 of the next; a line of JSON (the budget spent; name,
length and SHA-256 of each file that the workload wrote); then the files.
There is always a whole one; one that is damaged later leaves the one before it. One that cannot be
read at the moment is left where it is.
A trial that is complete leaves its last one where a longer training begins as it did; these are
named `final-<arm, seed and unit>-<trial id>`, and the oldest go when they take more than a limit.

Everything here may be deleted at any time: the trials concerned then start from the beginning.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from cbablate.fingerprint import fingerprint
from cbablate.planning.trial import Trial
from cbablate.records.history import History
from cbablate.records.state import TrialState
from cbablate.records.store import Kept, Store
from cbablate.running.executors.checkpoint_transport import Saved
from cbablate.spec.budget import Budget
from cbablate.spec.description import Config

__all__ = [
    "CHECKPOINT_SECONDS",
    "CheckpointOrigin",
    "Checkpoints",
    "checkpoint_bytes",
    "damaged_checkpoints",
]

CHECKPOINT_SECONDS = 60.0
"""How many seconds at least lie between two checkpoints of a trial, unless something else is said:
a trial that is over sooner never writes one."""

_FINAL = "final"
_BEFORE = ".before"
_PAUSES = (0.05, 0.2)
"""Seconds between attempts to read what cannot be read."""
_MOST_BYTES = 2_000_000_000
"""What the checkpoints of complete trials may take together."""
_TITLE = b"cbablate checkpoint 1 "


@dataclass(frozen=True)
class CheckpointOrigin:
    """Where a checkpoint comes from: the budget spent, and the shorter trial, "" for its own."""

    spent: int
    shorter: str = ""


class Checkpoints:
    """The last two checkpoints of each trial that can go on; one driver writes.

    Args:
        store: where they are kept.
        every: seconds between two checkpoints of a trial; 0 for one at each measurement.
        open_ended: whether a training of a config to a budget is the beginning of every longer one.
        tell: is told a sentence when a checkpoint cannot be used or cannot be kept. No trial
            fails by that: it goes on, and if it is cut short it starts again.
    """

    def __init__(
        self,
        store: Store,
        *,
        every: float = CHECKPOINT_SECONDS,
        open_ended: Callable[[Config, Budget], bool] = lambda config, budget: False,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.every = every
        self._store = store
        self._open_ended = open_ended
        self._tell = tell
        self._offered: dict[str, CheckpointOrigin] = {}
        self._unkept = False

    def offer(self, trial: Trial) -> Saved | None:
        """What the trial can go on from; None if it must start from the beginning.

        That is its own checkpoint; else the last one of the longest training of the same arm and
        seed to a smaller budget, if a longer one begins as that did. A damaged one is removed,
        and told; the checkpoint before it takes its place.
        """
        self._offered.pop(trial.id, None)
        for name in _both(trial.id):
            own = self._read(name)
            if own is not None and 0 < own.spent < trial.budget.amount:
                self._offered[trial.id] = CheckpointOrigin(own.spent)
                return own
        found = None
        for name in self._finals(trial):
            saved = self._read(name)
            if saved and (found.spent if found else 0) < saved.spent < trial.budget.amount:
                found = saved
                self._offered[trial.id] = CheckpointOrigin(saved.spent, _trial_of(name))
        return found

    def offered(self, trial: str) -> CheckpointOrigin:
        """Where the checkpoint that was last offered to this trial comes from."""
        return self._offered.get(trial, CheckpointOrigin(0))

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
        try:
            self._store.put(
                name, (_heading(saved), *saved.files.values()), former=f"{name}{_BEFORE}"
            )
        except OSError as error:
            if not self._unkept:
                self._unkept = True
                self._tell(
                    f"checkpoints cannot be kept in {self._store.address} ({error.strerror}): "
                    "training goes on, but a trial that is cut short starts from its last one, "
                    "if any"
                )

    def drop(self, trial: str) -> None:
        """Remove the trial's checkpoints, if there are any."""
        for name in _both(trial):
            self._remove(name)

    def clear(self, told: Mapping[str, History]) -> None:
        """Remove what no trial can go on from, by the histories of all, and half written files.

        What unfinished trials left stays, and, up to a limit, what complete ones did.
        """
        finals: list[Kept] = []
        for one in self._store.kept():
            final = one.name.startswith(f"{_FINAL}-")
            history = told.get(_trial_of(one.name))
            if final and history is not None and history.state is TrialState.COMPLETE:
                finals.append(one)
            elif final or history is None or history.settled:
                self._remove(one.name)
        taken = 0
        for one in sorted(finals, reverse=True):
            taken += one.size
            if taken > _MOST_BYTES:
                self._remove(one.name)
        try:
            self._store.clear_half_put()
        except OSError as error:
            self._tell(f"{self._store.address} cannot be tidied up: {error.strerror}")

    def _read(self, name: str) -> Saved | None:
        """The checkpoint of a name; None where there is none that can be used."""
        instead = "its trial starts from the one before, or again"
        where = self._store.where(name)
        try:
            return _parsed(self._content(name))
        except FileNotFoundError:
            return None
        except (OSError, MemoryError) as error:  # that may pass: nothing is removed
            why = getattr(error, "strerror", None) or type(error).__name__
            self._tell(f"checkpoint {where} cannot be read now ({why}) and is left: {instead}")
        except (ValueError, KeyError, TypeError, RecursionError) as error:  # damage
            self._tell(f"checkpoint {where} is damaged and not used, {instead}: {error}")
            self._remove(name)
        return None

    def _content(self, name: str) -> bytes:
        """What is kept, read again a few times where the machine cannot read it now."""
        for pause in _PAUSES:
            try:
                return self._store.read(name)
            except FileNotFoundError:
                raise
            except OSError:
                time.sleep(pause)
        return self._store.read(name)

    def _finals(self, trial: Trial) -> list[str]:
        if not self._extensible(trial):
            return []
        begin = f"{_final_name(trial)}-"
        return [one.name for one in self._store.kept() if one.name.startswith(begin)]

    def _extensible(self, trial: Trial) -> bool:
        """Whether its last checkpoint serves longer ones; a search's pruner must see all anew."""
        return not trial.search and self._open_ended(trial.config, trial.budget)

    def _remove(self, name: str) -> None:
        try:
            self._store.remove(name)
        except OSError as error:
            where = self._store.where(name)
            self._tell(f"checkpoint {where} cannot be removed: {error.strerror}")


def checkpoint_bytes(store: Store) -> tuple[int, int]:
    """How many checkpoints a store keeps, and the bytes they take."""
    try:
        sizes = [one.size for one in store.kept()]
    except OSError:  # it cannot be looked at
        return 0, 0
    return len(sizes), sum(sizes)


def _both(name: str) -> tuple[str, str]:
    """The names of a trial's newest checkpoint and of the one before it."""
    return name, f"{name}{_BEFORE}"


def _trial_of(name: str) -> str:
    """The id of the trial whose checkpoint has this name."""
    return name.rpartition("-")[2].removesuffix(_BEFORE)


def damaged_checkpoints(store: Store) -> list[str]:
    """Where the checkpoints of a store are that are not what was written.

    Raises:
        OSError: one cannot be read.
    """
    found = []
    for one in store.kept():
        try:
            _parsed(store.read(one.name))
        except FileNotFoundError:  # a driver has just removed it
            continue
        except (ValueError, KeyError, TypeError, RecursionError):
            found.append(store.where(one.name))
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
    """The checkpoint in these bytes.

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
