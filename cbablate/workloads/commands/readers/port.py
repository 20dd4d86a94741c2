"""`Reader`: the port to a kind of file that a program leaves its numbers in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cbablate.character import brief
from cbablate.errors import TrialFailure
from cbablate.workloads.commands.room import Room
from cbablate.workloads.commands.row import Row

__all__ = ["OPEN_END", "Reader", "located", "stamp_of", "the_one"]

OPEN_END = "the program has ended in the middle of it"


class Reader(Protocol):
    """Reads what is new, again and again, while the program writes.

    Made with what the study says (a path, or patterns) and the trial's room. What is half
    written is left for the next time, unless the program is over.
    """

    whole: bool
    """Whether each row is a measurement; it may be a part of one."""
    counted_by: str
    """The name of what counts the budget where nothing else is said; empty for the usual names."""
    pause: float
    """How many seconds at least lie between two times."""

    @property
    def where(self) -> str:
        """What is looked at, for a sentence."""
        ...

    @property
    def written(self) -> int:
        """When it was last written, in nanoseconds of the file system's clock; 0 for never."""
        ...

    def rows(self, *, over: bool) -> Sequence[Row]:
        """What has come since the last time; the program has ended if it is `over`.

        Raises:
            TrialFailure: it is not what it should be.
        """
        ...


def located(said: str, room: Room) -> list[Path]:
    """The files or folders that a path of a study stands for by now, within the trial's folder.

    Raises:
        TrialFailure: it leads out of that folder, where other trials write, too.
    """
    pattern = said.replace("{workdir}", str(room.workdir))
    path = room.workdir / pattern
    try:
        within = path.relative_to(room.workdir)
    except ValueError:
        within = None
    if within is None or ".." in within.parts:
        raise TrialFailure(
            f"reads names {said}, which is outside the trial's own folder, where other trials "
            "write, too: have the program write into {workdir}, and name the path from there"
        )
    if not any(sign in str(within) for sign in "*?["):
        return [path] if path.exists() else []
    return sorted(room.workdir.glob(str(within)))


def stamp_of(path: Path) -> int:
    """When a file was last written, in nanoseconds; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def the_one(found: list[Path], said: str) -> Path | None:
    """The only path; None where there is none yet.

    Raises:
        TrialFailure: there are several.
    """
    if len(found) > 1:
        names = brief(", ".join(path.name for path in found), 100)
        raise TrialFailure(f"reads names {said}, and {len(found)} files match: {names}")
    return found[0] if found else None
