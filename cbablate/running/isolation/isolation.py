"""`Isolation`: what a trial does to its process, kept from the driver and from other trials."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cbablate.running.isolation.children import Children
from cbablate.running.isolation.descriptors import most_files, open_files
from cbablate.running.isolation.library_state import at_import
from cbablate.running.isolation.process_state import STREAMS, Picture
from cbablate.running.isolation.stdout import leading_to
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.importing import unload

__all__ = ["Isolation", "Remains"]

_HIGH = 200
"""Copies of descriptors are made from here on, out of the way of a workload that closes a few."""
_PATIENCE = 0.5
"""How many seconds a trial's threads are given to end after it."""
_LASTING = ("TMonitor",)
"""Classes of threads that a library starts once and keeps (tqdm's)."""
_OURS = ("cbablate", "mlflow", "rich", "ray")
"""Packages whose threads run beside trials, and are not theirs."""


class Remains(NamedTuple):
    """What a trial left behind: what stays as it is, and how many processes were ended."""

    stays: tuple[str, ...]
    ended: int


class Isolation:
    """A process in which trials run, one after another.

    A trial and its driver take turns. Within `turn` the process is as the trial left it at the end
    of its last turn; outside, it is the driver's. A trial begins with what importing its workload
    made of the process, as the first trial of that workload did. Its prints go to stderr.
    """

    def __init__(self) -> None:
        self._fresh: dict[Entry, Picture] = {}

    def begin(self) -> None:
        """A trial begins; what the process is now is the driver's."""
        self._outer = Picture(libraries=False)
        self._outer_files = _Descriptors()
        self._inner: Picture | None = None
        self._inner_files: _Descriptors | None = None
        self._children = Children()
        self._threads = set(threading.enumerate())
        self._files = open_files()
        self._modules = set(sys.modules)
        self._entry: Entry | None = None
        self._noting: Callable[[], None] = lambda: None

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Within it code of the trial runs."""
        if self._inner is None or self._inner_files is None:
            self._open_streams()
        else:
            self._inner.put_back()
            self._inner_files.put_back()
            self._inner_files.close()
        try:
            yield
        finally:
            try:
                self._inner = Picture(libraries=False)
                self._inner_files = _Descriptors()
            finally:
                self._outer.put_back()
                self._outer_files.put_back()

    def load(self, entry: Entry) -> Callable[..., Any]:
        """The workload's function; called in a turn.

        Raises:
            EnvironmentFault: it cannot be imported.
        """
        self._entry = entry
        if entry not in self._fresh:
            unload()  # whoever has imported it here before has put the process back since
        function = entry.load()
        if entry not in self._fresh:
            self._fresh[entry] = Picture(without=[STREAMS])
        fresh = self._fresh[entry]
        fresh.put_back()
        self._modules = set(sys.modules)
        self._noting = at_import(fresh.add)
        return function

    def end(self) -> Remains:
        """The trial is over: end its processes, and make its process as if it had not been."""
        self._noting()
        stays = set[str]()
        fresh = self._fresh.get(self._entry) if self._entry is not None else None
        if fresh is not None and self._own_modules() and fresh.libraries_differ():
            stays.add("settings that a module of your own may have made when it was imported")
        stays |= set(fresh.put_back()) if fresh is not None else set()
        stays |= {*self._outer.put_back(), *self._outer_files.put_back()}
        for files in (self._outer_files, self._inner_files):
            if files is not None:
                files.close()
        if self._children.new() or self._running():
            gc.collect()  # what ends with its object, such as the workers of a data loader
        ended = self._children.end()
        stays |= {f"the thread '{thread.name}'" for thread in self._running(_PATIENCE)}
        stays |= self._too_many_files()
        self._inner = None
        return Remains(tuple(sorted(stays)), ended)

    def _open_streams(self) -> None:
        """Give the trial streams of its own, which lead to stderr: stdout is the product."""
        sys.stdout = sys.__stdout__ = leading_to(sys.stderr)  # type: ignore[misc, assignment]
        sys.stderr = sys.__stderr__ = leading_to(sys.stderr)  # type: ignore[misc, assignment]
        with contextlib.suppress(OSError):  # there is no stderr
            os.dup2(2, 1)

    def _own_modules(self) -> bool:
        """Whether modules of the user's own were imported after the workload itself."""
        shipped = tuple(sysconfig.get_paths().values())
        new = sys.modules.keys() - self._modules
        files = [
            getattr(sys.modules.get(name), "__file__", None)
            for name in new
            if name.partition(".")[0] not in _OURS
        ]
        return any(file is not None and not str(file).startswith(shipped) for file in files)

    def _too_many_files(self) -> set[str]:
        """That the trial left so many files open that those after it may lack some."""
        most = most_files()
        if not self._files < open_files() > most / 2:
            return set()
        gc.collect()  # files that are open only as long as what holds them
        number = open_files()
        return {f"{number:,.0f} open files of {most:,.0f}"} if number > most / 2 else set()

    def _running(self, patience: float = 0.0) -> list[threading.Thread]:
        """The trial's threads that still run."""
        until = time.monotonic() + patience
        left = []
        for thread in threading.enumerate():
            target = getattr(thread, "_target", None)
            package = str(getattr(target, "__module__", None) or type(thread).__module__)
            if (
                thread in self._threads
                or type(thread).__name__ in _LASTING
                or package.partition(".")[0] in _OURS
            ):
                continue
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                left.append(thread)
        return left


class _Descriptors:
    """Copies of the descriptors of the standard streams, which outlive what is done to these."""

    def __init__(self) -> None:
        self._copies = [_copy(number) for number in range(3)]

    def put_back(self) -> tuple[str, ...]:
        """Make the three what they were; what could not be put back."""
        try:
            for number, copy in enumerate(self._copies):
                if copy is not None:
                    os.dup2(copy, number)
                else:
                    with contextlib.suppress(OSError):
                        os.close(number)
        except OSError:
            return ("the files of the standard streams",)
        return ()

    def close(self) -> None:
        """Give up the copies."""
        for copy in self._copies:
            if copy is not None:
                with contextlib.suppress(OSError):  # a workload has closed it
                    os.close(copy)
        self._copies = []


def _copy(number: int) -> int | None:
    """A copy of a descriptor; None of one that is closed.

    Raises:
        OSError: no more files can be opened.
    """
    for least in (_HIGH, 3):  # a process may be allowed few files
        try:
            return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, least)
        except OSError as error:
            if error.errno == errno.EBADF:
                return None
            if least == 3:
                raise
    return None
