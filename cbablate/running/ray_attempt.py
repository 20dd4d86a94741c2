"""`Attempt`: the worker's half of `RayExecutor`: a trial's stream, advanced step by step."""

from __future__ import annotations

import contextlib
import shutil
from typing import Any

import ray
from ray.tune import Trainable

from cbablate.records.history import body_of
from cbablate.running.executor import Ending, raised
from cbablate.running.handover import Saved
from cbablate.running.scratch import scratch_folder
from cbablate.running.stream import attempt
from cbablate.workloads.entry import Entry

__all__ = ["BEGAN", "Attempt", "Given", "Report", "called"]

BEGAN = "began"
"""What an attempt reports first: Ray tells of a trial's start through callbacks only, and a list
of those makes it import every integration it knows, MLflow's too (2 s)."""


class Report:
    """A measurement's body and a checkpoint, wrapped so that Ray does not flatten them.

    The checkpoint travels as part of what `step` returns: the driver owns that, so it outlives
    the worker, and no path is shared.
    """

    def __init__(self, body: dict[str, Any], saved: Saved | None) -> None:
        self.body = body
        self.saved = saved

    def take(self) -> Saved | None:
        """The checkpoint; Ray Tune, which holds a trial's last report, then holds it no more."""
        saved, self.saved = self.saved, None
        return saved


class Given:
    """How often checkpoints are wanted, and what a trial goes on from, as part of its config.

    Ray Tune copies configs, keeps them and writes them down: so this is one object for all copies,
    the checkpoint itself lies in Ray's object store, and it is let go of when the trial has begun.
    """

    def __init__(self, every: float, saved: Saved | None = None) -> None:
        self.every = every
        self._saved = None if saved is None else ray.put(saved)

    def take(self) -> Saved | None:
        """What the trial goes on from; called in its worker."""
        saved: Saved | None = None if self._saved is None else ray.get(self._saved)
        self.forget()
        return saved

    def forget(self) -> None:
        """Hold it no more."""
        self._saved = None

    def __deepcopy__(self, _memo: dict[int, Any]) -> Given:
        return self

    def __repr__(self) -> str:
        return "Given()"


class Attempt(Trainable):
    """A trial's stream, advanced by one measurement a step, in a worker that outlives it."""

    def setup(self, config: dict[str, Any]) -> None:
        """Open the stream of the trial in `config`, without beginning it."""
        self._began = False
        self._workdir = scratch_folder("trial")
        entry: Entry = config["workload"]["entry"]
        given: Given = config["given"]["value"]
        self._stream = attempt(
            entry, config["trial"]["value"], self._workdir, every=given.every, given=given.take()
        )

    def step(self) -> dict[str, Any]:
        """The word that it began, then a measurement each time, then how it ended."""
        if not self._began:
            self._began = True
            return {"report": {"value": BEGAN}}
        try:
            told = next(self._stream)
        except StopIteration:
            return _end(Ending("finished"))
        except Exception as error:  # noqa: BLE001 - whatever it raises is the trial's failure
            return _end(raised(error))
        return {"report": {"value": Report(body_of(told.measurement), told.saved)}}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial: this worker stays warm."""
        self.cleanup()
        self.setup(new_config)
        return True

    def cleanup(self) -> None:
        """Close the stream, and remove the trial's folder."""
        with contextlib.suppress(Exception):  # its end has been told; nobody is left to tell this
            self._stream.close()
        shutil.rmtree(self._workdir, ignore_errors=True)

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: Ray wants the method to exist."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: likewise."""


def _end(ending: Ending) -> dict[str, Any]:
    return {"report": {"value": ending}, "done": True}


def called(entry: Entry, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """What an entry returns, in a worker."""
    return entry.load()(*arguments, **named)
