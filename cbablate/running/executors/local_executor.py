"""`LocalExecutor`: trials in this process, one after another; needs no library but ours."""

from __future__ import annotations

import atexit
import contextlib
import math
import sys
from types import TracebackType
from typing import Any, Self

from cbablate.planning.trial import Trial
from cbablate.running.executors.devices import unused_gpus
from cbablate.running.executors.execution import Execution, Order
from cbablate.running.executors.port import NO_LIMITS, Ending, Feed, Keeper
from cbablate.running.executors.ray_folder import ROOTS, listen_in_a_short_folder
from cbablate.running.executors.worker import worker_body
from cbablate.running.isolation.children import adopting, in_this_process
from cbablate.running.isolation.isolation import Isolation, Remains
from cbablate.running.isolation.limits import Limits
from cbablate.running.isolation.scratch import clear_abandoned, remove_scratch
from cbablate.running.isolation.signals import Stopped, interruptible
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.importing import unload

__all__ = ["LocalExecutor"]


class LocalExecutor:
    """Runs trials in the order the feed gives them, in the driver's own process."""

    name = "local"
    slots = 1
    gpus = 0.0
    """None is reserved; a workload that finds one has it alone."""

    def __init__(self) -> None:
        self._isolation = Isolation()
        self._warned = False

    def __enter__(self) -> Self:
        clear_abandoned(*ROOTS)
        listening = listen_in_a_short_folder()
        if listening is not None:  # multiprocessing goes on using it as long as the process lives
            atexit.register(remove_scratch, listening)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        unload()  # whoever imports the user's modules next gets them from their files

    def execute(
        self,
        feed: Feed,
        workload: Entry,
        keeper: Keeper | None = None,
        *,
        limits: Limits = NO_LIMITS,
    ) -> None:
        """Run what the feed gives until it gives nothing: with one slot, nothing else can come.

        A limit ends a trial between two steps of its Python code; one that code in C holds up goes
        on for as long as it is held up.
        """
        unused = unused_gpus()
        if unused:
            print(f"cbablate: {unused}", file=sys.stderr)
        every = keeper.every if keeper else math.inf
        with adopting(), interruptible():
            while (trial := feed.next()) is not None:
                saved = keeper.offer(trial) if keeper else None
                feed.started(trial, worker_body())
                run = Execution(self._isolation, Order(workload, trial, every, saved, limits))
                del saved  # it may be large
                try:
                    ending = self._followed(feed, trial, run, keeper)
                finally:
                    with contextlib.suppress(Stopped):  # it is raised already
                        run.close()
                    remains = run.end()
                feed.ended(trial, ending)
                self._warn(remains)

    def call(self, entry: Entry, *arguments: Any, **named: Any) -> Any:
        """Call a function here and now."""
        self._isolation.begin()
        try:
            with adopting(), self._isolation.turn(), in_this_process():
                return self._isolation.load(entry)(*arguments, **named)
        finally:
            self._isolation.end()

    def _followed(self, feed: Feed, trial: Trial, run: Execution, keeper: Keeper | None) -> Ending:
        while True:
            told = run.next()
            if isinstance(told, Ending):
                return told
            verdict = feed.measured(trial, told.measurement)
            if keeper and told.saved and not verdict.stop:
                keeper.keep(trial, told.saved)
            if verdict.stop:
                complaint = run.close()
                return Ending("stopped", "; ".join(filter(None, [verdict.reason, complaint])))

    def _warn(self, remains: Remains) -> None:
        """Say once that trials leave behind what nobody can put back here."""
        if remains.stays and not self._warned:
            self._warned = True
            print(
                f"a trial left behind what stays in this process: {', '.join(remains.stays)}. The "
                "trials after it may differ from what they would be alone; without --on local each "
                "gets a process that is as new.",
                file=sys.stderr,
            )
