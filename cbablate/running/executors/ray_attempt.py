"""`RayAttempt`: the worker's half of `RayExecutor`: a trial's stream, advanced step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.tune import Trainable

from cbablate.errors import EnvironmentFault
from cbablate.planning.trial import Trial
from cbablate.running.executors.checkpoint_transport import Saved
from cbablate.running.executors.devices import confine
from cbablate.running.executors.execution import Execution, Order
from cbablate.running.executors.port import Ending
from cbablate.running.executors.ray_folder import ROOTS, listen_in_a_short_folder
from cbablate.running.executors.stream import Report
from cbablate.running.executors.worker import worker_body
from cbablate.running.isolation.children import adopting, in_this_process
from cbablate.running.isolation.isolation import Isolation
from cbablate.running.isolation.limits import Limits
from cbablate.running.isolation.scratch import clear_abandoned
from cbablate.spec.needs import Needs
from cbablate.workloads.own_code.entry import Entry

__all__ = ["RETURNED", "Began", "Given", "RayAttempt", "RayReport", "Room", "called"]


@dataclass(frozen=True)
class Room:
    """What a worker has: its share of the machine, and where folders and sockets are made; None
    for the machine's own places.
    """

    needs: Needs
    root: Path | None
    sockets: Path | None


@dataclass(frozen=True)
class Began:
    """What an attempt reports first: it runs, and by which worker.

    Ray tells of a trial's start through callbacks only, and a list of those makes it import every
    integration it knows, MLflow's too (2 s).
    """

    worker: Mapping[str, Any]


RETURNED = "returned"
"""What an attempt reports that has not begun, since the trial before it left its worker unfit."""


class RayReport:
    """A measurement, a checkpoint and what was printed, wrapped so that Ray does not flatten them.

    The checkpoint travels as part of what `step` returns: the driver owns that, so it outlives
    the worker, and no path is shared.
    """

    def __init__(self, told: Report) -> None:
        self._told: Report | None = told

    def take(self) -> Report:
        """All, once; Ray Tune, which holds a trial's last report, then holds them no more."""
        taken, self._told = self._told, None
        if taken is None:
            raise LookupError("a report is taken once")
        return taken


class Given:
    """What a worker is given of a trial, as its config.

    Ray Tune copies configs, writes them down and keeps them as long as the study runs: so this is
    one object for all copies, a checkpoint to go on from lies in Ray's object store, and what was
    given is let go of when the trial has begun.
    """

    def __init__(
        self, entry: Entry, trial: Trial, every: float, saved: Saved | None, limits: Limits
    ) -> None:
        self._given: Order | None = Order(entry, trial, every, None, limits)
        self._saved = None if saved is None else ray.put(saved)

    def order(self) -> Order:
        """What was given; called in its worker, once."""
        if self._given is None:
            raise RuntimeError("this trial was given to a worker before")
        saved: Saved | None = None if self._saved is None else ray.get(self._saved)
        order = self._given._replace(saved=saved)
        self.forget()
        return order

    def forget(self) -> None:
        """Hold it no more."""
        self._given = self._saved = None

    def __deepcopy__(self, _memo: dict[int, Any]) -> Given:
        return self

    def __repr__(self) -> str:
        return "Given()"


class RayAttempt(Trainable):
    """A trial's stream, advanced by one measurement a step, in a worker that outlives it."""

    _run: Execution[Report] | None = None

    def setup(self, config: dict[str, Any]) -> None:
        """Open the stream of the trial in `config`, without beginning it."""
        room: Room = config["room"]["value"]
        self._root = room.root
        if self._root is None:  # a cluster's machine, where no driver clears
            clear_abandoned(*ROOTS)
        listen_in_a_short_folder(room.sockets)
        self._fault: EnvironmentFault | None = None
        try:
            confine(room.needs.reserved_gpus)
        except EnvironmentFault as fault:
            self._fault = fault
        self._isolation = Isolation()
        self._adopting = adopting()
        self._adopting.__enter__()
        self._begin(config)

    def _begin(self, config: dict[str, Any]) -> None:
        given: Given = config["given"]["value"]
        self._began = False
        self._run = Execution(self._isolation, given.order(), fatal=True, root=self._root)

    def step(self) -> dict[str, Any]:
        """`Began`, then a measurement each time, then how it ended.

        Raises:
            RuntimeError: this worker is not to be used any more, which it has reported.
        """
        if self._run is None:
            if self._began:
                raise RuntimeError("a trial before this one left this worker unfit for another")
            self._began = True
            return {"report": {"value": RETURNED}}
        if not self._began:
            self._began = True
            if self._fault is not None:  # every trial's, so it ends the study
                return {"report": {"value": self._fault}, "done": True}
            return {"report": {"value": Began(worker_body())}}
        told = self._run.next()
        if isinstance(told, Ending):
            self._fit()
            return {"report": {"value": told}, "done": True}
        return {"report": {"value": RayReport(told)}}

    def get_auto_filled_metrics(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Nothing. Ray Tune would add a dozen facts and the whole config to every result, send
        them each time, and keep statistics of them for every trial as long as the study runs.
        """
        return {}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial, if this worker is as new; else the trial is given back.

        True all the same: Ray Tune drops a trial, without a word, that cannot reuse a worker.
        """
        if self._fit():
            self._begin(new_config)
        else:
            self._run, self._began = None, False
        return True

    def cleanup(self) -> None:
        """Close the stream, and remove the trial's folder."""
        self._fit()

    def _fit(self) -> bool:
        """End what the last trial has left; whether this worker is as new then."""
        if self._run is None:
            return False
        self._run.close()  # its end has been told; nobody is left to tell what it says
        remains = self._run.end()
        return not remains.stays and not remains.ended


def called(entry: Entry, arguments: tuple[Any, ...], named: dict[str, Any], room: Room) -> Any:
    """What an entry returns, in a worker that has such a room."""
    confine(room.needs.reserved_gpus)
    listen_in_a_short_folder(room.sockets)
    with in_this_process():
        return entry.load()(*arguments, **named)
