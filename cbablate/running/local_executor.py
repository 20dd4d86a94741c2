"""`LocalExecutor`: trials in this process, one after another; needs no library but ours."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cbablate.planning.trial import Trial
from cbablate.records.measurement import Measurement
from cbablate.running.executor import Ending, Feed, raised
from cbablate.running.scratch import clear_abandoned, scratch_folder
from cbablate.running.stream import open_stream
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

    def execute(self, feed: Feed, workload: Entry) -> None:
        """Run what the feed gives until it gives nothing: with one slot, nothing else can come."""
        while (trial := feed.next()) is not None:
            feed.started(trial)
            feed.ended(trial, self._attempt(feed, workload, trial))

    def call(self, entry: Entry, *arguments: Any, **named: Any) -> Any:
        """Call a function here and now."""
        return entry.load()(*arguments, **named)

    def _attempt(self, feed: Feed, workload: Entry, trial: Trial) -> Ending:
        workdir, here = scratch_folder("trial"), Path.cwd()
        try:
            return self._followed(feed, trial, open_stream(workload, trial, workdir))
        finally:
            os.chdir(here)  # a workload may have gone elsewhere
            shutil.rmtree(workdir, ignore_errors=True)

    def _followed(
        self, feed: Feed, trial: Trial, stream: Generator[Measurement, None, None]
    ) -> Ending:
        while True:
            try:
                measurement = self._next(stream)
            except Exception as error:  # noqa: BLE001 - whatever it raises is the trial's failure
                return raised(error)
            if measurement is None:
                return Ending("finished")
            try:
                verdict = feed.measured(trial, measurement)
            except BaseException:
                stream.close()
                raise
            if verdict.stop:
                return self._stopped(stream, verdict.reason)

    def _next(self, stream: Generator[Measurement, None, None]) -> Measurement | None:
        """The next measurement; None at the end. What a workload prints goes to stderr."""
        with contextlib.redirect_stdout(sys.stderr):  # stdout is the command's product
            return next(stream, None)

    def _stopped(self, stream: Generator[Measurement, None, None], reason: str) -> Ending:
        try:
            stream.close()
        except Exception as error:  # noqa: BLE001 - it was stopped all the same, and this is told
            reason = f"{reason}; closing it raised {type(error).__name__}: {error}"
        return Ending("stopped", reason)
