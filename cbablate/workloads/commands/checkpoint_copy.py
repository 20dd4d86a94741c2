"""`CheckpointCopy`: a program's checkpoint folder, copied at moments when it is whole.

The program writes into a folder of its own whenever it likes. A copy is made when a measurement
has come, if the folder was written since the measurement before, and not since this one was
reported: so it belongs to that measurement. A program therefore writes its checkpoint first, and
reports then.

A measurement that is read in several parts is told when the next one begins, so the copy of one
waits while that of the next is made. A copy is given up when a part of its measurement comes
later: a program that says `epoch 3` before it trains has then the checkpoint of epoch 2.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cbablate.errors import TrialFailure
from cbablate.workloads.checkpoint import Checkpoint
from cbablate.workloads.commands.room import Room

__all__ = ["CheckpointCopy"]

_FILES, _SECONDS = "files", "seconds"

_Stamp = tuple[tuple[str, int, int], ...]


class CheckpointCopy:
    """The checkpoint of one attempt: laid out for its program, and copied back from there."""

    def __init__(self, room: Room) -> None:
        self._checkpoint = Checkpoint(room.workdir)
        self._folder, self._room = room.checkpoint, room.folder
        self._copies: dict[int, Path] = {}
        self.seconds = 0.0
        """How long the attempts before this one took, up to the checkpoint."""
        if self._checkpoint.found is not None:
            self._lay_out(self._checkpoint.found)
        self._known = self._stamp()

    @property
    def every(self) -> float:
        """How many seconds shall lie between two; infinity where nobody keeps any."""
        return self._checkpoint.every

    def look(self, rows: list[int | None], written: int) -> None:
        """Copy the folder, if one new measurement was reported, at that time, and it belongs to it.

        `rows` are the amounts of budget that new rows say; None is a part of what came before.
        """
        last = max(self._copies, default=0)
        if rows and last and rows[0] in (None, last):
            self._given_up(last)
        reached = sorted({spent for spent in rows if spent is not None})
        if not reached:
            return
        stamp = self._stamp()
        new = stamp != self._known
        self._known = stamp
        due = self._checkpoint.due and len(reached) == 1
        if not (new and due and stamp) or max(time for _, _, time in stamp) > written:
            return
        spent = reached[0]
        copy = self._copies[spent] = self._room / f"copy-{spent}"
        try:
            shutil.copytree(self._folder, copy, symlinks=True)
            whole = self._stamp() == stamp
        except (OSError, shutil.Error):  # the program is just writing anew: there is a next time
            whole = False
        if not whole:
            self._given_up(spent)

    def lay_by(self, spent: int, seconds: float) -> None:
        """Leave the copy that belongs to a measurement for whoever runs the trial."""
        if spent in self._copies and self._checkpoint.due:
            with self._checkpoint.written() as folder:
                self._copies.pop(spent).rename(folder / _FILES)
                (folder / _SECONDS).write_text(repr(seconds), encoding="ascii")
        for earlier in [each for each in self._copies if each <= spent]:
            self._given_up(earlier)

    def _given_up(self, spent: int) -> None:
        shutil.rmtree(self._copies.pop(spent), ignore_errors=True)

    def _lay_out(self, found: Path) -> None:
        try:
            self.seconds = float((found / _SECONDS).read_text(encoding="ascii"))
            shutil.copytree(found / _FILES, self._folder, dirs_exist_ok=True, symlinks=True)
        except (OSError, ValueError, shutil.Error) as error:
            raise TrialFailure(f"the checkpoint of an earlier attempt: {error}") from error

    def _stamp(self) -> _Stamp:
        """Names, sizes and times of the files: another one if any was written."""
        found = []
        for path in sorted(self._folder.rglob("*")):
            try:
                about = path.lstat()
            except FileNotFoundError:
                continue
            if path.is_file():
                found.append((str(path), about.st_size, about.st_mtime_ns))
        return tuple(found)
