"""`CheckpointCopy`: a program's checkpoint folder, copied at moments when it is whole.

The program writes into a folder of its own whenever it likes. A copy is made when a measurement
has come, if the folder was written since the measurement before, and not since this one was
reported: so it belongs to that measurement. A program therefore writes its checkpoint first, and
reports then.
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
        self._folder, self._copy = room.checkpoint, room.folder / "copy"
        self._spent: int | None = None
        self.seconds = 0.0
        """How long the attempts before this one took, up to the checkpoint."""
        if self._checkpoint.found is not None:
            self._lay_out(self._checkpoint.found)
        self._known = self._stamp()

    @property
    def every(self) -> float:
        """How many seconds shall lie between two; infinity where nobody keeps any."""
        return self._checkpoint.every

    def look(self, reached: list[int], written: int) -> None:
        """Copy the folder, if one new measurement was reported, at that time, and it belongs to it.

        `reached` are the amounts of budget that new measurements have spent.
        """
        if not reached:
            return
        stamp = self._stamp()
        new = stamp != self._known
        self._known = stamp
        due = self._checkpoint.due and len(reached) == 1
        if not (new and due and stamp) or max(time for _, _, time in stamp) > written:
            return
        shutil.rmtree(self._copy, ignore_errors=True)
        self._spent = None
        try:
            shutil.copytree(self._folder, self._copy, symlinks=True)
        except (OSError, shutil.Error):  # the program is just writing anew: there is a next time
            return
        if self._stamp() == stamp:
            self._spent = reached[0]

    def lay_by(self, spent: int, seconds: float) -> None:
        """Leave the copy that belongs to a measurement for whoever runs the trial."""
        if self._spent is None or self._spent != spent:
            return
        self._spent = None
        with self._checkpoint.written() as folder:
            self._copy.rename(folder / _FILES)
            (folder / _SECONDS).write_text(repr(seconds), encoding="ascii")

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
