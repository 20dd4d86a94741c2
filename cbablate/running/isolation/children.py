"""Processes that a trial has started: seen, also those that left their parents, and ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from cbablate.records.process import started

__all__ = ["Children", "adopting", "end_all", "in_this_process"]

_PROC = Path("/proc")
_SUBREAPER = (36, 37)  # PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER of Linux
_HELPERS = (b"multiprocessing.resource_tracker", b"multiprocessing.forkserver", b"compile_worker")
"""Words in the command lines of processes that Python's and PyTorch's own modules start once, and
rely upon as long as this process lives."""
_PATIENCE = 5.0
"""How many seconds ended processes are waited for."""

_Process = tuple[int, str]
"""A process by its id and its start, since ids are given again."""


class Children:
    """The processes below this one at a moment, to be told from those that a trial starts.

    Those that other threads of this process start meanwhile are not the trial's. Where there is no
    `/proc`, there is nothing to see, and nothing is ended.
    """

    def __init__(self) -> None:
        self._before = {process for process in _below(os.getpid()) if process[1]}
        main = str(os.getpid())
        self._others = {thread for thread in _threads(os.getpid()) if thread != main}

    def new(self) -> list[int]:
        """The ids of the trial's processes, parents first."""
        return [
            pid
            for pid, start in _below(os.getpid(), without=self._others)
            if (pid, start) not in self._before and not _is_helper(pid)
        ]

    def end(self) -> int:
        """End the trial's processes; how many there were.

        Again and again, for whoever is ended leaves its own children to this process, which they
        then are children of, if it is `adopting`.
        """
        ended: set[int] = set()
        until = time.monotonic() + _PATIENCE
        while (found := self.new()) and time.monotonic() < until:
            for pid in found:
                ended.add(pid)
                _end(pid)
            time.sleep(0.005)
        return len(ended)


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Within it, processes whose parents have ended become children of this one (on Linux)."""
    before = ctypes.c_int(0)
    call = _prctl()
    if call is None or call(_SUBREAPER[1], ctypes.byref(before), 0, 0, 0) != 0:
        yield
        return
    call(_SUBREAPER[0], 1, 0, 0, 0)
    try:
        yield
    finally:
        call(_SUBREAPER[0], before.value, 0, 0, 0)


@contextlib.contextmanager
def in_this_process() -> Iterator[None]:
    """Code of a trial runs within it; a process that it forks ends where that code does.

    It would else go on as a second driver, with the first one's ledger, folders and children.
    """
    ours = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != ours:
            _end_forked(sys.exc_info()[1])


def end_all() -> None:
    """End every process below this one, without waiting long."""
    for _ in range(3):
        found = [pid for pid, _ in _below(os.getpid())]
        for pid in found:
            _end(pid)
        if not found:
            return
        time.sleep(0.02)


def _prctl() -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None


def _end_forked(error: BaseException | None) -> NoReturn:
    """End this process, a trial's child, as Python would end one that raised that."""
    code = error.code if isinstance(error, SystemExit) else 1
    try:
        if error is None:
            print(
                f"process {os.getpid()}, which a trial forked, is ended where the trial's code is "
                "left: a trial is measured in the process that it began in",
                file=sys.stderr,
            )
        elif not isinstance(error, SystemExit):
            traceback.print_exception(error)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(0 if code is None else code if isinstance(code, int) else 1)


def _end(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(OSError):  # another's child, or one that somebody waits for
        os.waitpid(pid, os.WNOHANG)


def _below(pid: int, *, without: set[str] | None = None) -> Iterator[_Process]:
    """The processes below one, parents first; at the first level not those of some threads."""
    for thread in _threads(pid):
        if without is not None and thread in without:
            continue
        for child in _read(_PROC / str(pid) / "task" / thread / "children").split():
            number = int(child)
            yield number, started(number)
            yield from _below(number)


def _threads(pid: int) -> list[str]:
    try:
        return [path.name for path in (_PROC / str(pid) / "task").iterdir()]
    except OSError:
        return []


def _is_helper(pid: int) -> bool:
    command = _read(_PROC / str(pid) / "cmdline")
    return any(word in command for word in _HELPERS)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
