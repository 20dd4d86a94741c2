"""`LocalExecutor`: trials in this process, one after another; needs no library but ours."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cbablate.planning.trial import Trial
from cbablate.running.devices import unused_gpus
from cbablate.running.executor import Ending, Feed, Keeper, raised
from cbablate.running.scratch import clear_abandoned, remove_scratch, scratch_folder
from cbablate.running.stream import Told, attempt
from cbablate.workloads.entry import Entry

__all__ = ["LocalExecutor"]


class LocalExecutor:
    """Runs trials in the order the feed gives them, in the driver's own process."""

    name = "local"
    slots = 1
    gpus = 0.0
    """None is reserved; a workload that finds one has it alone."""

    def __enter__(self) -> Self:
        clear_abandoned()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def execute(self, feed: Feed, workload: Entry, keeper: Keeper | None = None) -> None:
        """Run what the feed gives until it gives nothing: with one slot, nothing else can come."""
        unused = unused_gpus()
        if unused:
            print(f"cbablate: {unused}", file=sys.stderr)
        while (trial := feed.next()) is not None:
            given = keeper.offer(trial) if keeper else None
            feed.started(trial)
            workdir, here = scratch_folder("trial"), Path.cwd()
            every = keeper.every if keeper else math.inf
            try:
                stream = attempt(workload, trial, workdir, every=every, given=given)
                ending = self._followed(feed, trial, stream, keeper)
            finally:
                os.chdir(here)  # a workload may have gone elsewhere
                remove_scratch(workdir)
            feed.ended(trial, ending)

    def call(self, entry: Entry, *arguments: Any, **named: Any) -> Any:
        """Call a function here and now."""
        return entry.load()(*arguments, **named)

    def _followed(
        self, feed: Feed, trial: Trial, stream: Generator[Told, None, None], keeper: Keeper | None
    ) -> Ending:
        while True:
            try:
                told = self._next(stream)
            except Exception as error:  # noqa: BLE001 - whatever it raises is the trial's failure
                return raised(error)
            if told is None:
                return Ending("finished")
            try:
                verdict = feed.measured(trial, told.measurement)
                if keeper and told.saved and not verdict.stop:
                    keeper.keep(trial, told.saved)
            except BaseException:
                stream.close()
                raise
            if verdict.stop:
                return self._stopped(stream, verdict.reason)

    def _next(self, stream: Generator[Told, None, None]) -> Told | None:
        """The next measurement; None at the end. What a workload prints goes to stderr."""
        with contextlib.redirect_stdout(sys.stderr):  # stdout is the command's product
            return next(stream, None)

    def _stopped(self, stream: Generator[Told, None, None], reason: str) -> Ending:
        try:
            stream.close()
        except Exception as error:  # noqa: BLE001 - it was stopped all the same, and this is told
            reason = f"{reason}; closing it raised {type(error).__name__}: {error}"
        return Ending("stopped", reason)
