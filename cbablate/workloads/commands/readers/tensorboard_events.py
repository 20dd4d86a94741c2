"""`TensorboardEvents`: scalars in TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cbablate.errors import EnvironmentFault, TrialFailure
from cbablate.spec.own_workload import Reads
from cbablate.workloads.commands.readers.port import located, stamp_of
from cbablate.workloads.commands.room import Room
from cbablate.workloads.commands.row import Row

__all__ = ["TensorboardEvents"]

_FILES = "*.tfevents.*"
_SPLITS = ("train", "val", "valid", "validation", "eval", "test")


class TensorboardEvents:
    """The event files below a folder. Scalars of one step are one row.

    A folder whose name is a split's goes before its tags (`validation/epoch_loss`), and what
    `add_scalars("loss", {"a": ..., "b": ...})` writes is called `loss/a` and `loss/b`. Of several
    files, a step is read when each has come to it. Step 0, which is written where none is said,
    does not count after others: a test after training.
    """

    whole = False
    counted_by = "step"
    pause = 0.1

    def __init__(self, reads: Reads, room: Room) -> None:
        self.where, self._room = str(reads.tensorboard), room
        self._counts = reads.spent is None
        self._files: dict[Path, Any] = {}
        self._reached: dict[Path, int] = {}
        self._waiting: dict[int, dict[str, tuple[float, Path]]] = {}
        self._after: dict[str, float] = {}

    @property
    def written(self) -> int:
        """When one of the files was last written."""
        return max(map(stamp_of, self._files), default=0)

    def rows(self, *, over: bool) -> Sequence[Row]:
        """The steps that are new, in their order."""
        for root in located(self.where, self._room):
            for path in sorted(root.rglob(_FILES)):
                self._read(path)
        until = max(self._waiting, default=0) if over else min(self._reached.values(), default=0)
        steps = sorted(step for step in self._waiting if step <= until)
        rows = [self._row(step, self._waiting.pop(step)) for step in steps]
        if self._after and over:
            rows.append(Row(self._after, f"{self.where}, after the last step"))
        return rows

    def _read(self, path: Path) -> None:
        if path not in self._files:
            self._files[path] = _loader(path)
        for step, tag, value in _scalars(self._files[path]):
            name = _name(path.parent, tag)
            reached = self._reached.get(path, 0)
            if step == 0 < reached:
                self._after[name] = value
                continue
            if step < reached:
                raise TrialFailure(
                    f"{self.where}: step {step} of {name} comes after step {reached}: what is "
                    "spent only grows, so let the program log all numbers by one count, each "
                    "before the next step's"
                )
            self._reached[path] = step
            _, before = self._waiting.setdefault(step, {}).get(name, (value, path))
            if before.parent != path.parent:
                raise TrialFailure(
                    f"{self.where}, step {step}: {name} is in the event files of two folders, "
                    f"{before.parent.name} and {path.parent.name}"
                )
            self._waiting[step][name] = value, path

    def _row(self, step: int, found: dict[str, tuple[float, Path]]) -> Row:
        counted = {"step": float(step)} if self._counts else {}
        values = {name: value for name, (value, _) in found.items()}
        return Row({**values, **counted}, f"{self.where}, step {step}")


def _name(folder: Path, tag: str) -> str:
    """What a tag of a folder's file is called."""
    one_of = f"{tag.replace('/', '_')}_"
    if folder.name.startswith(one_of) and folder.name != one_of:  # `add_scalars` of torch
        return f"{tag}/{folder.name.removeprefix(one_of)}"
    if folder.parent.as_posix().endswith(f"/{tag}"):  # that of tensorboardX
        return f"{tag}/{folder.name}"
    return f"{folder.name}/{tag}" if folder.name in _SPLITS else tag


def _loader(path: Path) -> Any:
    """TensorBoard's own reader of a file, which goes on where it stopped.

    Raises:
        EnvironmentFault: TensorBoard is not installed.
    """
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    except ImportError as error:
        raise EnvironmentFault(
            f"reads names TensorBoard's files, and TensorBoard cannot be imported ({error}): "
            "`pip install tensorboard`"
        ) from error
    return EventFileLoader(str(path))


def _scalars(loader: Any) -> Iterator[tuple[int, str, float]]:
    """The scalars that are new: step, tag, value."""
    from tensorboard.util import tensor_util

    for event in loader.Load():
        for value in event.summary.value:
            kind = value.metadata.plugin_data.plugin_name
            if kind in ("scalars", "") and value.HasField("tensor"):
                array = tensor_util.make_ndarray(value.tensor)
                if array.size == 1 and array.dtype.kind in "fiu":
                    yield event.step, value.tag, float(array.item())
