"""Signals: what stops a study from outside, turned into one exception and an exit code."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cbablate.errors import Interrupted

__all__ = ["Stopped", "signals_kept", "stoppable"]

_EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 75, signal.SIGHUP: 75}


class Stopped(KeyboardInterrupt):
    """Raised in the main thread by a signal.

    Not an `Exception`, so that no library between the signal and us can take it for a failure of
    its own and go on.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def stoppable() -> Iterator[None]:
    """Within it, SIGINT, SIGTERM and SIGHUP end the study in order.

    Raises:
        Interrupted: a signal came; exit code 130 for SIGINT, 75 ("run again") for the others.
            A second one during the tidying up ends the process at once.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        for name in _EXIT_CODES:
            signal.signal(name, signal.SIG_DFL)
        raise Stopped(number)

    try:
        before = {name: signal.signal(name, stop) for name in _EXIT_CODES}
    except ValueError:  # not the main thread (a notebook's worker): signals are somebody else's
        yield
        return
    try:
        yield
    except KeyboardInterrupt as stopped:
        number = stopped.number if isinstance(stopped, Stopped) else signal.SIGINT
        interrupted = Interrupted(
            f"stopped by {signal.Signals(number).name}; what had finished is kept, and running "
            "the same command again goes on from there"
        )
        interrupted.exit_code = _EXIT_CODES[signal.Signals(number)]
        raise interrupted from None
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


@contextmanager
def signals_kept() -> Iterator[None]:
    """Around a library that takes signals for itself when it starts (Ray does, in C++)."""
    handlers = {name: signal.getsignal(name) for name in _EXIT_CODES}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for name, handler in handlers.items():
                signal.signal(name, handler)
