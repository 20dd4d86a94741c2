"""`Attempt`: the worker's half of `RayExecutor`: a trial's stream, advanced step by step."""

from __future__ import annotations

import contextlib
import shutil
from typing import Any

from ray.tune import Trainable

from cbablate.records.history import body_of
from cbablate.running.executor import Ending, raised
from cbablate.running.scratch import scratch_folder
from cbablate.running.stream import open_stream
from cbablate.workloads.entry import Entry

__all__ = ["BEGAN", "Attempt", "Report", "called"]

BEGAN = "began"
"""What an attempt reports first: Ray tells of a trial's start through callbacks only, and a list
of those makes it import every integration it knows, MLflow's too (2 s)."""


class Report:
    """A measurement's body, wrapped so that Ray does not flatten it."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body


class Attempt(Trainable):
    """A trial's stream, advanced by one measurement a step, in a worker that outlives it."""

    def setup(self, config: dict[str, Any]) -> None:
        """Open the stream of the trial in `config`, without beginning it."""
        self._began = False
        self._workdir = scratch_folder("trial")
        entry: Entry = config["workload"]["entry"]
        self._stream = open_stream(entry, config["trial"]["value"], self._workdir)

    def step(self) -> dict[str, Any]:
        """The word that it began, then a measurement each time, then how it ended."""
        if not self._began:
            self._began = True
            return {"report": {"value": BEGAN}}
        try:
            measurement = next(self._stream)
        except StopIteration:
            return _end(Ending("finished"))
        except Exception as error:  # noqa: BLE001 - whatever it raises is the trial's failure
            return _end(raised(error))
        return {"report": {"value": Report(body_of(measurement))}}

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
