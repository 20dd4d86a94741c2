"""`RayWatch`: a thread that notices when what Ray runs on has died, and ends the study in order.

Ray itself waits for ever for a raylet that is gone, and a minute for its GCS, after which it ends
the process from C++.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from subprocess import Popen
from types import FrameType, TracebackType
from typing import Any, Self

from cbablate.errors import Interrupted

__all__ = ["Check", "RayWatch", "ports_answer", "processes_live"]

Check = Callable[[], str]
"""Says what has died, as the subject of a sentence ("Ray's raylet (process 4711)"); empty if
nothing has."""

_SIGNAL = signal.SIGURG
"""Wakes the main thread. Nobody minds it otherwise: without a handler it does nothing."""

_EVERY = 0.5
"""Seconds between two checks."""

_PATIENCE = 7.0
"""Seconds that the watched thread has to come back from Ray once Ray is dead."""


class RayWatch:
    """Checks twice a second; used as a context manager.

    Args:
        check: what is asked.
        abandon: called from the watch's thread, before it ends the process, if the watched thread
            does not come back from Ray.
        patience: for how many seconds it is waited for.
    """

    def __init__(
        self, check: Check, *, abandon: Callable[[], None], patience: float = _PATIENCE
    ) -> None:
        self._check = check
        self._abandon = abandon
        self._patience = patience
        self._over = threading.Event()
        self._watched: int | None = None
        self._thread = threading.Thread(target=self._follow, name="ray-watch", daemon=True)
        self.dead = ""
        """What has died, if anything has."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()

    def sees_death(self) -> bool:
        """Whether Ray is dead; asked anew, twice, as it is where something was lost."""
        for _ in range(2):
            self.dead = self.dead or self._check()
        return bool(self.dead)

    def interruption(self) -> Interrupted:
        """What a study ends with when Ray is dead; exit code 75."""
        interrupted = Interrupted(self._sentence())
        interrupted.exit_code = 75
        return interrupted

    @contextlib.contextmanager
    def guarding(self) -> Iterator[None]:
        """Around what waits for Ray.

        Raises:
            Interrupted: Ray has died; exit code 75.
        """
        main = threading.current_thread() is threading.main_thread()
        before = signal.signal(_SIGNAL, self._woken) if main else None
        self._watched = threading.get_ident()
        try:
            if self.dead:
                raise self.interruption()
            yield
        except Interrupted:
            raise
        except BaseException as error:
            if self.dead or (isinstance(error, Exception) and self.sees_death()):
                raise self.interruption() from error
            raise
        finally:
            self._watched = None
            if main:
                signal.signal(_SIGNAL, before or signal.SIG_DFL)

    def _sentence(self) -> str:
        return (
            f"{self.dead} has died, and no trial can go on; what had finished is kept, and running "
            "the same command again goes on from there"
        )

    def _woken(self, _number: int, _frame: FrameType | None) -> None:
        if self.dead and self._watched is not None:
            raise KeyboardInterrupt  # not an Exception: Ray Tune must not take it for a trial's

    def _follow(self) -> None:
        while not self.dead:
            if self._over.wait(_EVERY):
                return
            self.dead = self._check()
        waited = 0.0
        while not self._over.wait(_EVERY):
            if self._watched is None:
                waited = 0.0
                continue
            if waited > self._patience:
                self.end_the_process()
            if waited % 5 < _EVERY:  # again, since a library may have swallowed the last one
                _wake(self._watched)
            waited += _EVERY

    def end_the_process(self) -> None:
        """For a thread that hangs in Ray's C++. What was recorded is on disk, fact by fact."""
        with contextlib.suppress(Exception):
            self._abandon()
        with contextlib.suppress(Exception):
            print(f"cbablate: {self._sentence()}", file=sys.stderr, flush=True)
        os._exit(75)


def processes_live(processes: Mapping[str, Sequence[Popen[Any]]]) -> Check:
    """A check of processes that this process has started, by what they are called."""

    def check() -> str:
        for name, started in processes.items():
            for process in started:
                if process.poll() is not None:
                    return f"Ray's {name} (process {process.pid})"
        return ""

    return check


def ports_answer(addresses: Mapping[str, tuple[str, int]], *, timeout: float = 2.0) -> Check:
    """A check of servers that this process has not started, by what they are called.

    One that refuses a connection is dead; so is one that does not answer three times in turn.
    """
    silent = dict.fromkeys(addresses, 0)

    def check() -> str:
        for name, address in addresses.items():
            try:
                socket.create_connection(address, timeout=timeout).close()
            except ConnectionRefusedError:
                silent[name] += 2
            except OSError:
                silent[name] += 1
            else:
                silent[name] = 0
            if silent[name] >= 3:
                return f"Ray's {name} at {address[0]}:{address[1]}"
        return ""

    return check


def _wake(thread: int) -> None:
    """Raise KeyboardInterrupt in a thread, out of a call of Ray's if it is the main thread."""
    if thread == threading.main_thread().ident:
        signal.pthread_kill(thread, _SIGNAL)
    else:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt)
        )
