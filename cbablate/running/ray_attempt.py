"""`Attempt`: the worker's half of `RayExecutor`: a trial's stream, advanced step by step."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import ray
from ray.tune import Trainable

from cbablate.errors import EnvironmentFault
from cbablate.planning.trial import Trial
from cbablate.records.history import body_of
from cbablate.running.devices import confine
from cbablate.running.executor import Ending, raised
from cbablate.running.handover import Saved
from cbablate.running.scratch import clear_abandoned, remove_scratch, scratch_folder
from cbablate.running.stream import Told, attempt
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
        self._body = body
        self._saved = saved

    def take(self) -> tuple[dict[str, Any], Saved | None]:
        """Both; Ray Tune, which holds a trial's last report, then holds them no more."""
        taken = self._body, self._saved
        self._body, self._saved = {}, None
        return taken


class Given:
    """What a worker is given of a trial, as its config.

    Ray Tune copies configs, writes them down and keeps them as long as the study runs: so this is
    one object for all copies, a checkpoint to go on from lies in Ray's object store, and what was
    given is let go of when the trial has begun.
    """

    def __init__(self, entry: Entry, trial: Trial, every: float, saved: Saved | None) -> None:
        self._given: tuple[Entry, Trial, float] | None = (entry, trial, every)
        self._saved = None if saved is None else ray.put(saved)

    def stream(self, workdir: Path) -> Generator[Told, None, None]:
        """The trial's stream, not begun; called in its worker, once."""
        if self._given is None:
            raise RuntimeError("this trial was given to a worker before")
        entry, trial, every = self._given
        saved: Saved | None = None if self._saved is None else ray.get(self._saved)
        self.forget()
        return attempt(entry, trial, workdir, every=every, given=saved)

    def forget(self) -> None:
        """Hold it no more."""
        self._given = self._saved = None

    def __deepcopy__(self, _memo: dict[int, Any]) -> Given:
        return self

    def __repr__(self) -> str:
        return "Given()"


class Attempt(Trainable):
    """A trial's stream, advanced by one measurement a step, in a worker that outlives it."""

    def setup(self, config: dict[str, Any]) -> None:
        """Open the stream of the trial in `config`, without beginning it."""
        self._began = False
        self._gpus, root = config["room"]["value"]
        if root is None:  # a cluster's machine, where no driver clears
            clear_abandoned()
        self._workdir = scratch_folder("trial", root)
        given: Given = config["given"]["value"]
        self._stream = given.stream(self._workdir)

    def step(self) -> dict[str, Any]:
        """The word that it began, then a measurement each time, then how it ended."""
        if not self._began:
            self._began = True
            try:
                confine(self._gpus)
            except EnvironmentFault as fault:  # every trial's, so it ends the study
                return {"report": {"value": fault}, "done": True}
            return {"report": {"value": BEGAN}}
        try:
            told = next(self._stream)
        except StopIteration:
            return _end(Ending("finished"))
        except Exception as error:  # noqa: BLE001 - whatever it raises is the trial's failure
            return _end(raised(error))
        return {"report": {"value": Report(body_of(told.measurement), told.saved)}}

    def get_auto_filled_metrics(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Nothing. Ray Tune would add a dozen facts and the whole config to every result, send
        them each time, and keep statistics of them for every trial as long as the study runs.
        """
        return {}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial: this worker stays warm."""
        self.cleanup()
        self.setup(new_config)
        return True

    def cleanup(self) -> None:
        """Close the stream, and remove the trial's folder."""
        with contextlib.suppress(Exception):  # its end has been told; nobody is left to tell this
            self._stream.close()
        remove_scratch(self._workdir)


def _end(ending: Ending) -> dict[str, Any]:
    return {"report": {"value": ending}, "done": True}


def called(entry: Entry, arguments: tuple[Any, ...], named: dict[str, Any], gpus: float) -> Any:
    """What an entry returns, in a worker that has reserved so many GPUs."""
    confine(gpus)
    return entry.load()(*arguments, **named)
