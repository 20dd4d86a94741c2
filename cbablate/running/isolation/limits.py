"""`Limits` on the time of a trial, and the `Watch` that keeps them."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

from cbablate.phrases import duration

__all__ = ["CLOSING", "INTERRUPTION", "Limits", "OverLimit", "Watch"]

CLOSING = 15.0
"""How many seconds a workload has to end after its stream was closed."""
_AGAIN = 5.0
"""After how many seconds a workload that caught `OverLimit`, and went on, gets it once more."""
_GRACE = 5.0
"""How many seconds after its limit a worker is ended that code in C holds up."""
INTERRUPTION = int(signal.SIGRTMAX) - 3 if hasattr(signal, "SIGRTMAX") else int(signal.SIGALRM)
"""What interrupts the main thread: one that no library is known to use, where there is one."""


class OverLimit(BaseException):
    """Raised within a workload that takes longer than it may.

    Not an `Exception`, so that a training which goes on after any error of its own ends, too.
    """


@dataclass(frozen=True)
class Limits:
    """How long, in seconds, an attempt at a trial may take, and may go without a measurement.

    None means without limit. What earlier attempts took does not count.
    """

    time: float | None = None
    silence: float | None = None

    def broken(self, *, began: float, heard: float, now: float) -> str:
        """The sentence about the limit that is broken; empty if none is. Times are of one clock."""
        if self.time is not None and now - began >= self.time:
            return f"the trial took more than the time limit of {duration(self.time)}"
        if self.silence is not None and now - heard >= self.silence:
            return f"the trial gave no measurement for {duration(self.silence)}, the silence limit"
        return ""

    def left(self, *, began: float, heard: float, now: float) -> float | None:
        """The seconds until one is broken; None if there is none."""
        ends = [began + self.time] if self.time is not None else []
        ends += [heard + self.silence] if self.silence is not None else []
        return max(0.0, min(ends) - now) if ends else None


class Watch:
    """Keeps one attempt's limits, by raising `OverLimit` in the thread that runs the workload.

    That thread takes note between two steps of Python, or when a call to the system comes back.
    Code in C may hold it up as long as it likes; `fatal` ends the whole process then.
    """

    def __init__(self, limits: Limits, *, fatal: bool = False) -> None:
        self._limits = limits
        self._fatal = fatal
        self._began = time.monotonic()
        self.broken = ""
        """The sentence about the limit that the attempt has broken."""

    def step(self) -> contextlib.AbstractContextManager[None]:
        """Within it the workload works on its next measurement."""
        now = time.monotonic()
        left = self._limits.left(began=self._began, heard=now, now=now)
        if left is None:
            return contextlib.nullcontext()

        def broken() -> None:
            self.broken = self._limits.broken(
                began=self._began, heard=now, now=max(time.monotonic(), now + left)
            )

        return _raising(left, broken, fatal=self._fatal)

    def closing(self) -> contextlib.AbstractContextManager[None]:
        """Within it the workload tidies up."""
        return _raising(CLOSING, lambda: None, fatal=self._fatal)


@contextlib.contextmanager
def _raising(seconds: float, note: Callable[[], None], *, fatal: bool) -> Iterator[None]:
    """Raises `OverLimit` in this thread if the block takes longer, again and again."""
    thread, armed, over = threading.get_ident(), [True], threading.Event()
    main = threading.current_thread() is threading.main_thread()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if armed[0]:
            raise OverLimit

    def watch() -> None:
        delay = seconds
        while not over.wait(delay):
            note()
            if main and signal.getsignal(INTERRUPTION) is interrupt:
                signal.pthread_kill(thread, INTERRUPTION)
            else:
                _raise_in(thread)
            delay = _AGAIN

    watcher = threading.Thread(target=watch, name="limits", daemon=True)
    before = signal.signal(INTERRUPTION, interrupt) if main else None
    if fatal:
        faulthandler.dump_traceback_later(seconds + _GRACE, exit=True, file=2)
    try:
        watcher.start()
        yield
    finally:
        armed[0] = False
        over.set()
        if fatal:
            faulthandler.cancel_dump_traceback_later()
        if main:
            signal.signal(INTERRUPTION, before)


def _raise_in(thread: int) -> None:
    """Raise it in a thread at its next step of Python; a call to the system is not interrupted."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(OverLimit))
