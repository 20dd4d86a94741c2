"""Feeds, keepers and workloads with which an executor is tried."""

from __future__ import annotations

import gc
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cbablate.planning.trial import Trial
from cbablate.records.measurement import Measurement
from cbablate.records.state import Verdict
from cbablate.running.executors.checkpoint_transport import Saved
from cbablate.running.executors.port import Ending
from cbablate.testing.toy_plan import toy_plan
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.source import code_of

__all__ = [
    "TOGETHER",
    "TOY",
    "Census",
    "Diary",
    "Judge",
    "Shelf",
    "hostile",
    "is_alive",
    "stream",
    "trials_that",
]

TOY = Entry("cbablate.workloads.toy:run")
TOGETHER = Entry("cbablate.testing.toy_group:together")
OWN = Path(__file__).with_name("own")


def hostile(name: str) -> Entry:
    """A workload of `hostile.py`."""
    return Entry(f"hostile:{name}", code_of("hostile", OWN))


def trials_that(*ways: str, epochs: int = 2) -> tuple[Trial, ...]:
    """A trial for each way to behave, which is its id."""
    template = toy_plan(epochs=epochs, replicates=1).trials[0]
    return tuple(replace(template, id=how, config={"how": how}) for how in ways)


def is_alive(process: float) -> bool:
    """Whether a process is there, and not only its remains."""
    try:
        status = Path(f"/proc/{int(process)}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def stream(name: str) -> Entry:
    """A workload of `streams.py`, as a user's own."""
    return Entry(f"streams:{name}", code_of("streams", OWN))


class Diary:
    """A feed that writes down what it is told, and stops trials where it is asked to."""

    def __init__(self, trials: tuple[Trial, ...], *, stop_at: int = 10**9) -> None:
        self.waiting = deque(trials)
        self.stop_at = stop_at
        self.told: list[tuple[str, str, Any]] = []
        self.workers: list[Mapping[str, Any]] = []

    @property
    def exhausted(self) -> bool:
        return not self.waiting

    def next(self, most: int = 1) -> tuple[Trial, ...]:
        count = min(most, len(self.waiting))
        return tuple(self.waiting.popleft() for _ in range(count))

    def started(self, trial: Trial, worker: Mapping[str, Any]) -> None:
        self.workers.append(worker)
        self.told.append((trial.id, "started", None))

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        self.told.append((trial.id, "measured", measurement))
        return Verdict(stop=measurement.spent >= self.stop_at, reason="enough")

    def printed(self, trial: Trial, text: bytes) -> None:
        self.told.append((trial.id, "printed", text))

    def ended(self, trial: Trial, ending: Ending) -> None:
        self.told.append((trial.id, "ended", ending))

    def of(self, trial: str, kind: str) -> list[Any]:
        return [value for who, what, value in self.told if (who, what) == (trial, kind)]

    def of_kind(self, kind: str) -> list[Any]:
        return [value for _, what, value in self.told if what == kind]

    def endings(self) -> set[str]:
        return {value.how for _, what, value in self.told if what == "ended"}


class Judge(Diary):
    """A feed that stops the trials it is given at its own time each, and what is not finite."""

    def __init__(self, trials: tuple[Trial, ...], stops: Mapping[str, int]) -> None:
        super().__init__(trials)
        self.stops = stops

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        super().measured(trial, measurement)
        if not all(map(math.isfinite, measurement.metrics.values())):
            return Verdict(stop=True, reason="not finite")
        return Verdict(stop=measurement.spent >= self.stops.get(trial.id, 10**9), reason="enough")


class Census:
    """A feed that keeps nothing, and counts what is left in memory of trials that have ended.

    Each trial is made when it is asked for, so that whoever holds one, or what it measured, has
    kept it. Every trial that goes beyond a second measurement is stopped there. What there was
    before is frozen, so that counting goes through what is new alone.
    """

    def __init__(self, trials: tuple[Trial, ...]) -> None:
        self.planned = trials
        self.given = 0
        self.held: list[int] = []

    @property
    def exhausted(self) -> bool:
        return self.given == len(self.planned)

    def next(self, most: int = 1) -> tuple[Trial, ...]:
        if self.exhausted:
            return ()
        self.given += 1
        return (replace(self.planned[self.given - 1]),)

    def started(self, trial: Trial, worker: Mapping[str, Any]) -> None: ...

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        return Verdict(stop=measurement.spent == 2, reason="enough")

    def printed(self, trial: Trial, text: bytes) -> None: ...

    def ended(self, trial: Trial, ending: Ending) -> None:
        gc.collect()
        alive = gc.get_objects()
        trials = sum(type(one) is Trial for one in alive)
        told = sum(type(one) is dict and {"metrics", "spent"} <= one.keys() for one in alive)
        self.held.append(trials + told)


class Shelf:
    """A keeper that has each trial's newest checkpoint in memory, and counts what it is given."""

    every = 0.0

    def __init__(self) -> None:
        self.saved: dict[str, Saved] = {}
        self.kept: list[tuple[str, int]] = []

    def offer(self, trial: Trial) -> Saved | None:
        return self.saved.get(trial.id)

    def keep(self, trial: Trial, saved: Saved) -> None:
        self.saved[trial.id] = saved
        self.kept.append((trial.id, saved.spent))
