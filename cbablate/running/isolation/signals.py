"""Signals: what stops a study from outside, turned into one exception and an exit code."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from cbablate.errors import Interrupted
from cbablate.running.isolation.children import end_all
from cbablate.running.isolation.scratch import remove_own

__all__ = ["Stopped", "announced", "heed", "interruptible", "signals_kept", "stoppable"]

_EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 75, signal.SIGHUP: 75}

_announcers: list[Callable[[str], None]] = []
_asked: list[int] = []
"""The signals that have come within `stoppable`."""
_handlers: dict[signal.Signals, Any] = {}
"""The handlers that `stoppable` has taken the place of."""


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
    """Within it, SIGINT, SIGTERM and SIGHUP end the study in order; a second one ends it at once.

    A signal that was ignored before (`nohup` has SIGHUP ignored) stays ignored. What the first one
    brings about is announced at once, also while the main thread is held up by code in C.

    Raises:
        Interrupted: a signal came; exit code 130 for SIGINT, 75 ("run again") for the others.
    """
    ours = [name for name in _EXIT_CODES if signal.getsignal(name) is not signal.SIG_IGN]

    try:
        before = {name: signal.signal(name, _stop) for name in ours}
    except ValueError:  # not the main thread (a notebook's worker): signals are somebody else's
        yield
        return
    _asked.clear()
    _handlers.update(before)
    try:
        with _announcing(ours):
            yield
    except KeyboardInterrupt:  # a library may have raised another one in the place of ours
        number = _asked[0] if _asked else signal.SIGINT
        interrupted = Interrupted(
            f"stopped by {signal.Signals(number).name}; what had finished is kept, and running "
            "the same command again goes on from there"
        )
        interrupted.exit_code = _EXIT_CODES[signal.Signals(number)]
        raise interrupted from None
    finally:
        _asked.clear()
        _handlers.clear()
        for name, handler in before.items():
            signal.signal(name, handler)


def _stop(number: int, _frame: FrameType | None) -> None:
    _asked.append(number)
    if len(_asked) > 1:
        _end_at_once(number)
    raise Stopped(number)


_masks = threading.local()


def _before_fork() -> None:
    """Hold signals back, so that none meets a new process that still has the handlers of this."""
    _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, _handlers)


def _after_fork() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.before)


def _forked() -> None:
    """Make a forked process what it would be without `stoppable`.

    A signal to it does not mean the study: a pool of processes ends its own with SIGTERM. The pipe
    of the wakeup descriptor is shared with the process that forked, which would hear of it.
    """
    with contextlib.suppress(ValueError):  # not the main thread, which alone has signals
        if _handlers:
            signal.set_wakeup_fd(-1)
        for name, handler in _handlers.items():
            if signal.getsignal(name) is _stop:
                signal.signal(name, handler)
    _after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_forked)


def heed() -> None:
    """Raise what a signal raised, if somebody caught it and went on.

    Raises:
        Stopped: a signal has come.
    """
    if _asked:
        raise Stopped(_asked[0])


@contextmanager
def announced(say: Callable[[str], None]) -> Iterator[None]:
    """Within it, that a signal has come is told by `say`, from another thread than the main one."""
    _announcers.append(say)
    try:
        yield
    finally:
        _announcers.remove(say)


@contextmanager
def interruptible() -> Iterator[None]:
    """Within it, Python's own handling of SIGINT raises `Stopped`.

    A `KeyboardInterrupt` alone would not tell whether a person or a workload raised it.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def signals_kept() -> Iterator[None]:
    """Around a library that takes signals for itself when it starts (Ray does, in C++)."""
    handlers = {name: signal.getsignal(name) for name in _EXIT_CODES}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for name, handler in handlers.items():
                if handler is not None:
                    signal.signal(name, handler)


@contextmanager
def _announcing(names: list[signal.Signals]) -> Iterator[None]:
    """Within it a thread hears of signals as they come, and not when Python finds the time."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    listener = threading.Thread(
        target=_listen, args=(read, names), name="cbablate-signals", daemon=True
    )
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        with contextlib.suppress(OSError):  # a workload has closed it
            os.close(write)
        listener.join(1.0)


def _listen(read: int, names: list[signal.Signals]) -> None:
    """Announce the first signal, and end the process on the second."""
    # Where a workload closes the pipe, signals stop the study without being announced.
    with contextlib.suppress(OSError), open(read, "rb", buffering=0) as numbers:
        first = True
        while number := numbers.read(1):
            if number[0] not in names:
                continue
            if not first:
                _end_at_once(number[0])
            first = False
            sentence = (
                f"stopping ({signal.Signals(number[0]).name}): what has finished is kept. "
                "Ctrl-C again stops now"
            )
            (_announcers[-1] if _announcers else _write)(sentence)


def _write(sentence: str) -> None:
    with contextlib.suppress(OSError, AttributeError):  # nobody is there to read it
        os.write(sys.stderr.fileno(), f"{sentence}\n".encode())


def _end_at_once(number: int) -> Any:
    """End this process and all below it, without tidying up but for temporary folders."""
    end_all()
    remove_own()
    _write("stopped at once; what had finished is kept, and running again goes on from there")
    os._exit(_EXIT_CODES[signal.Signals(number)])
