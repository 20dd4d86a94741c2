"""`LocalExecutor`: trials in this process, one after another; needs no library but ours."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from cbablate.planning.trial import Trial
from cbablate.running.executor import Ending, Feed, open_stream, raised
from cbablate.workloads.entry import Entry

__all__ = ["LocalExecutor"]


class LocalExecutor:
    """Runs trials in the order the feed gives them, in the driver's own process."""

    name = "local"
    slots = 1

    def __enter__(self) -> Self:
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
        with tempfile.TemporaryDirectory(prefix="cbablate-trial-") as workdir:
            try:
                stream = open_stream(workload, trial, Path(workdir))
            except Exception as error:  # noqa: BLE001 - whatever it raises is the trial's failure
                return raised(error)
            with closing(cast("Any", stream)):
                while True:
                    try:
                        measurement = next(stream)
                    except StopIteration:
                        return Ending("finished")
                    except Exception as error:  # noqa: BLE001 - likewise
                        return raised(error)
                    verdict = feed.measured(trial, measurement)
                    if verdict.stop:
                        return Ending("stopped", verdict.reason)
