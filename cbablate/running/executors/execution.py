"""`Execution`: an attempt at a trial or a group in this process, kept apart from all around it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from cbablate.planning.trial import Trial
from cbablate.records.logs import HEAD, TAIL
from cbablate.running.executors.checkpoint_transport import Saved
from cbablate.running.executors.group_stream import MemberTold, group_attempt
from cbablate.running.executors.port import Ending, raised
from cbablate.running.executors.stream import Load, Report, Stop, attempt
from cbablate.running.isolation.error_text import sentence
from cbablate.running.isolation.isolation import Isolation, Remains
from cbablate.running.isolation.limits import CLOSING, Limits, OverLimit, Watch
from cbablate.running.isolation.scratch import remove_scratch, scratch_folder
from cbablate.running.isolation.signals import Stopped, heed
from cbablate.workloads.commands.output import Output, last_lines
from cbablate.workloads.commands.room import Room
from cbablate.workloads.own_code.entry import Entry

__all__ = ["Execution", "GroupOrder", "Order"]

_MOST = 256_000
"""How many bytes of output go with a measurement."""

Step = TypeVar("Step")
Step_co = TypeVar("Step_co", covariant=True)


class Order(NamedTuple):
    """What an executor is to run: a trial, how, and from where it goes on."""

    entry: Entry
    trial: Trial
    every: float
    saved: Saved | None
    limits: Limits

    def stream(self, workdir: Path, load: Load) -> Generator[Report, Stop, None]:
        """The trial's measurements."""
        return attempt(
            self.entry, self.trial, workdir, every=self.every, given=self.saved, load=load
        )


class GroupOrder(NamedTuple):
    """What an executor is to run: a group of trials, how, and from where each goes on."""

    entry: Entry
    trials: Sequence[Trial]
    every: float
    saved: Sequence[Saved | None]
    limits: Limits

    def stream(self, workdir: Path, load: Load) -> Generator[MemberTold, Stop, None]:
        """What the members tell; it is sent those that are to stop."""
        return group_attempt(
            self.entry, self.trials, workdir, every=self.every, given=self.saved, load=load
        )


class _Ordered(Protocol[Step_co]):
    """An order whose stream tells such steps."""

    @property
    def limits(self) -> Limits: ...

    def stream(self, workdir: Path, load: Load) -> Generator[Step_co, Stop, None]: ...


class Execution(Generic[Step]):
    """An attempt at what was ordered: its measurements one by one, its end, and the tidying up.

    Whatever the workload does, `next` and `close` raise nothing but `Stopped`.

    Args:
        fatal: whether a workload that cannot be interrupted ends the process.
        root: where its temporary folder is made; None for the machine's own place.
    """

    def __init__(
        self,
        isolation: Isolation,
        order: _Ordered[Step],
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
        self._output = Output(Room(self.workdir).output)
        self._stream = order.stream(self.workdir, isolation.load)

    def next(self, stop: Stop = None) -> Step | Ending:
        """The next measurement, or how the attempt ended; members of a group are to `stop`."""
        watch = self._watch = self._watch or Watch(self._limits, fatal=self._fatal)
        told: Step | Ending
        try:
            with self._isolation.turn(), watch.step():
                told = self._advanced(stop)
        except Stopped:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it raises is the trial's failure
            told = raised(error)
        heed()  # a workload may have caught what the signal raised
        if watch.broken:
            trace = last_lines(self._output.folder)
            trace = trace or (told.traceback if isinstance(told, Ending) else "")
            told = Ending("raised", watch.broken, "timeout", trace)
        if isinstance(told, Ending):
            return replace(told, printed=self.printed())
        if isinstance(told, Report):
            text = self._output.taken(_MOST)
            return replace(told, printed=text) if text else told
        return told

    def _advanced(self, stop: Stop) -> Step | Ending:
        try:
            return self._stream.send(stop)
        except StopIteration:
            return Ending("finished")

    def printed(self) -> bytes:
        """What the trial's program has printed since the last step, at its end; nothing of a
        workload that is a function.
        """
        return self._output.taken(HEAD + TAIL)

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
