"""`Handover`: checkpoints on their way between a trial's folder and whoever keeps them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cbablate.errors import TrialFailure
from cbablate.workloads.checkpoint import FOLDER, ask_for_checkpoints

__all__ = ["Handover", "Saved"]


@dataclass(frozen=True)
class Saved:
    """A checkpoint off its folder: the budget spent when it was written, and its files by name."""

    spent: int
    files: Mapping[str, bytes]


class Handover:
    """The folder of one attempt, seen from whoever runs it.

    What an earlier attempt left is laid there before the workload begins; what the workload has
    written since is taken away after a measurement.
    """

    def __init__(self, workdir: Path, *, every: float, given: Saved | None = None) -> None:
        self._folder = workdir / FOLDER
        ask_for_checkpoints(workdir, every=every)
        if given is not None:
            for name, content in given.files.items():
                path = self._folder / PurePosixPath(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        self._known = self._stamp()

    def taken(self, spent: int) -> Saved | None:
        """What the workload wrote since this was asked last, and its folder is empty again.

        None if it wrote nothing.

        Raises:
            TrialFailure: what it wrote cannot be read.
        """
        stamp = self._stamp()
        if stamp == self._known:
            return None
        try:
            files = {name: (self._folder / name).read_bytes() for name, _, _ in stamp}
            shutil.rmtree(self._folder)
        except OSError as error:
            raise TrialFailure(f"the checkpoint that the workload wrote: {error}") from error
        self._known = ()
        return Saved(spent, files) if files else None

    def _stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Names, sizes and times of the folder's files: another one if it was written anew."""
        found = []
        for path in sorted(self._folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                about = path.stat()
                name = path.relative_to(self._folder).as_posix()
                found.append((name, about.st_size, about.st_mtime_ns))
        return tuple(found)
