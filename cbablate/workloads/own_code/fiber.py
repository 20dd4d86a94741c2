"""`Fiber`: a user's function that is halted where it reports, and goes on when it is asked to.

It runs in the thread of whoever asks, on a stack of its own, so that a trial and its driver take
turns as they do with a generator.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from greenlet import getcurrent, greenlet

from cbablate.workloads.own_code.current_trial import CurrentTrial
from cbablate.workloads.own_code.tally import Reported

__all__ = [
    "Fiber",
    "Stream",
    "TrialStopped",
    "Underway",
    "open_trial",
    "reporting_fiber",
    "underway",
]

_PATIENCE = 3
"""How often a function that caught `TrialStopped`, and reports again, gets it once more."""


class TrialStopped(BaseException):
    """Raised by `report` when nothing more is wanted of the trial: it was pruned, say.

    Not an `Exception`, so that a training which goes on after any error of its own ends, too. Use
    `finally` to tidy up.
    """


class Stream(Protocol):
    """What a fiber's function reports to."""

    trial: CurrentTrial

    def take(self, reported: Reported) -> None:
        """Hand on what was reported."""


class Fiber:
    """A function on a stack of its own, which `halt` leaves and `resume` enters."""

    def __init__(self, function: Callable[[], Any], stream: Stream) -> None:
        self.stream = stream
        self._root = greenlet(function)
        self._root.cbablate_fiber = self
        self._root.gr_context = contextvars.copy_context()
        self._halted: greenlet = self._root
        self._process = os.getpid()
        self._stopped = 0
        """How often `TrialStopped` was raised."""

    @property
    def over(self) -> bool:
        """Whether the function has returned or raised."""
        return bool(self._root.dead)

    def resume(self) -> Any:
        """Go on; what `halt` was given next, or what the function returns.

        Raises:
            BaseException: whatever the function raises.
        """
        self._root.parent = getcurrent()
        with _gradients_kept():
            return self._halted.switch()

    def heed(self) -> None:
        """Called by the function: raise `TrialStopped` once more, if it has caught it.

        Raises:
            TrialStopped: the function is to end.
            RuntimeError: this is another process than the trial's.
        """
        if os.getpid() != self._process:
            raise RuntimeError(
                "cbablate.report() was called in another process than the trial's: report from "
                "the process that the trial began in"
            )
        if self._stopped > _PATIENCE:
            self.halt(None)  # for good
        elif self._stopped:
            self._stopped += 1
            raise TrialStopped

    def halt(self, value: Any) -> None:
        """Called by the function: give `value` to whoever resumed it, and wait.

        Raises:
            TrialStopped: the function is to end.
        """
        self._halted = getcurrent()
        with _gradients_kept():
            self._root.parent.switch(value)

    def stop(self) -> None:
        """End the function, by `TrialStopped` where it halts.

        Raises:
            RuntimeError: it goes on reporting all the same.
            BaseException: whatever else it raises.
        """
        if self.over or not self._root:
            return
        self._stopped = 1
        self._root.parent = getcurrent()
        with contextlib.suppress(TrialStopped):
            self._halted.throw(TrialStopped())
        if not self.over:
            _abandoned.append(self)
            raise RuntimeError("the function caught TrialStopped and goes on reporting")


@contextlib.contextmanager
def _gradients_kept() -> Iterator[None]:
    """Whether PyTorch records gradients, which is the thread's matter, is the same after it."""
    torch = sys.modules.get("torch")
    enabled = torch is None or torch.is_grad_enabled()
    try:
        yield
    finally:
        torch = sys.modules.get("torch")
        if torch is not None and torch.is_grad_enabled() != enabled:
            torch.set_grad_enabled(enabled)


_abandoned: list[Fiber] = []
"""Fibers that will not end: they are kept, since to forget one is to resume it."""


@dataclass
class Underway:
    """A trial that is open in this process; the complaint about a report that could not be taken.

    `trial` is None for a group of several. `thread` is the one in which its code runs.
    """

    trial: CurrentTrial | None
    thread: int = field(default_factory=threading.get_ident)
    complaint: str = ""


_open: list[Underway] = []


@contextlib.contextmanager
def underway(trial: CurrentTrial | None) -> Iterator[Underway]:
    """Within it a trial is open, or a group of several (None)."""
    opened = Underway(trial)
    _open.append(opened)
    try:
        yield opened
    finally:
        _open.remove(opened)


def open_trial() -> CurrentTrial | None:
    """The trial that calls this; None where none is open in this process.

    Raises:
        RuntimeError: several trials are open, as one group.
    """
    fiber = _fiber_around()
    if fiber is not None:
        return fiber.stream.trial
    if not _open:
        return None
    if _open[-1].trial is None:
        raise RuntimeError("a group of trials is running: each member has a config of its own")
    return _open[-1].trial


def reporting_fiber() -> Fiber | None:
    """The fiber that calls this; None where no trial is open in this process.

    Raises:
        RuntimeError: a trial is open, but this is not its function.
    """
    fiber = _fiber_around()
    if fiber is not None or not _open:
        return fiber
    if _open[-1].thread == threading.get_ident():
        complaint = (
            "cbablate.report() was called in a workload that yields: let it `yield` a Measurement "
            "instead, or make it a function that does not yield"
        )
    else:
        complaint = (
            "cbablate.report() was called in another thread than the trial's: report from the "
            "thread that the function was called in"
        )
    _open[-1].complaint = _open[-1].complaint or complaint
    raise RuntimeError(complaint)


def _fiber_around() -> Fiber | None:
    around = getcurrent()
    while around is not None:
        fiber: Fiber | None = getattr(around, "cbablate_fiber", None)
        if fiber is not None:
            return fiber
        around = around.parent
    return None
