"""`Checkpoint`: a trial's own place to go on from, as its workload sees it.

An attempt at a trial may be cut short at any moment. A workload that now and then leaves all that
it needs to go on in the folder `workdir / "checkpoint"`, just before it yields a measurement,
finds it there when the trial is attempted again. What is in the folder is the workload's own
matter; whoever runs the trial carries it away when the measurement is told, and back again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cbablate.errors import EnvironmentFault

__all__ = ["EVERY", "FOLDER", "NOTE", "Checkpoint", "ask_for_checkpoints"]

FOLDER = "checkpoint"
"""The folder's name in a trial's working directory."""
EVERY = "checkpoint-every"
"""The file beside it that says how many seconds shall lie between two checkpoints."""
NOTE = "checkpoint"
"""The name of the note that tells why a checkpoint was not used."""


class Checkpoint:
    """The checkpoint of the trial that works in `workdir`: what was found, and when one is due.

    Where nobody asked for checkpoints, none is ever due. A command has them in another folder,
    and is asked for them by `every`, in seconds.

    Raises:
        EnvironmentFault: the file that asks for them holds no number of seconds.
    """

    def __init__(self, workdir: Path, *, every: float | None = None) -> None:
        self._folder = workdir / FOLDER
        self._every = _interval(workdir / EVERY) if every is None else every
        self._since = time.monotonic()

    @property
    def found(self) -> Path | None:
        """The folder that an earlier attempt left; None where the trial starts anew."""
        there = self._folder.is_dir() and any(self._folder.iterdir())
        return self._folder if there else None

    @property
    def every(self) -> float:
        """How many seconds shall lie between two; infinity where nobody keeps any."""
        return self._every

    @property
    def asked(self) -> bool:
        """Whether anybody keeps checkpoints."""
        return self._every < float("inf")

    @property
    def due(self) -> bool:
        """Whether enough time has passed since the trial, or its last checkpoint, began."""
        return time.monotonic() - self._since >= self._every

    @contextmanager
    def written(self) -> Iterator[Path]:
        """An empty folder to fill, which at the end of the block takes the place of the last one.

        If the block raises, the last one stays.
        """
        fresh = self._folder.with_name(f"{FOLDER}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        try:
            yield fresh
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        shutil.rmtree(self._folder, ignore_errors=True)
        fresh.rename(self._folder)
        self._since = time.monotonic()


def ask_for_checkpoints(workdir: Path, *, every: float) -> None:
    """Ask the workload that will work in `workdir` for a checkpoint every so many seconds."""
    (workdir / EVERY).write_text(repr(float(every)), encoding="ascii")


def _interval(file: Path) -> float:
    if not file.exists():
        return float("inf")
    said = file.read_text(encoding="utf-8", errors="replace")
    try:
        return float(said)
    except ValueError as error:
        raise EnvironmentFault(
            f"{file} says {said[:40]!r}: it is for the number of seconds between two checkpoints"
        ) from error
