"""`Execution`: one attempt at a trial in this process, kept apart from all that is around it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cbablate.planning.trial import Trial
from cbablate.running.executors.checkpoint_transport import Saved
from cbablate.running.executors.port import Ending, raised
from cbablate.running.executors.stream import Told, attempt
from cbablate.running.isolation.error_text import sentence
from cbablate.running.isolation.isolation import Isolation, Remains
from cbablate.running.isolation.limits import CLOSING, Limits, OverLimit, Watch
from cbablate.running.isolation.scratch import remove_scratch, scratch_folder
from cbablate.running.isolation.signals import Stopped, heed
from cbablate.workloads.own_code.entry import Entry

__all__ = ["Execution", "Order"]


class Order(NamedTuple):
    """What an executor is to run: a trial, how, and from where it goes on."""

    entry: Entry
    trial: Trial
    every: float
    saved: Saved | None
    limits: Limits


class Execution:
    """One attempt at a trial: its measurements one by one, its end, and the tidying up.

    Whatever the workload does, `next` and `close` raise nothing but `Stopped`.

    Args:
        fatal: whether a workload that cannot be interrupted ends the process.
        root: where its temporary folder is made; None for the machine's own place.
    """

    def __init__(
        self,
        isolation: Isolation,
        order: Order,
        *,
        fatal: bool = False,
        root: Path | None = None,
    ) -> None:
        self.workdir = scratch_folder("trial", root)
        self._isolation = isolation
        self._limits, self._fatal = order.limits, fatal
        self._watch: Watch | None = None
        self._remains: Remains | None = None
        isolation.begin()
        self._stream = attempt(
            order.entry,
            order.trial,
            self.workdir,
            every=order.every,
            given=order.saved,
            load=isolation.load,
        )

    def next(self) -> Told | Ending:
        """The next measurement, or how the attempt ended."""
        watch = self._watch = self._watch or Watch(self._limits, fatal=self._fatal)
        told: Told | Ending
        try:
            with self._isolation.turn(), watch.step():
                told = next(self._stream, None) or Ending("finished")
        except Stopped:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it raises is the trial's failure
            told = raised(error)
        heed()  # a workload may have caught what the signal raised
        if watch.broken:
            trace = told.traceback if isinstance(told, Ending) else ""
            return Ending("raised", watch.broken, "timeout", trace)
        return told

    def close(self) -> str:
        """Stop the attempt; what its workload raised on that, as a sentence, empty for nothing."""
        watch = self._watch
        if watch is None:  # it never began
            self._stream.close()
            return ""
        complaint = ""
        try:
            with self._isolation.turn(), watch.closing():
                self._stream.close()
        except Stopped:
            raise
        except OverLimit:
            complaint = f"closing it took more than {CLOSING:.0f} s"
        except BaseException as error:  # noqa: BLE001 - it was stopped all the same
            complaint = f"closing it raised {sentence(error)}"
        heed()
        return complaint

    def end(self) -> Remains:
        """Give back what the attempt had; may be called more than once."""
        if self._remains is None:
            self._remains = self._isolation.end()
            remove_scratch(self.workdir)
        return self._remains
