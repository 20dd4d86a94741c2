"""`Picture`: the state of this process that code of a trial can alter, taken and put back."""

from __future__ import annotations

import contextlib
import decimal
import gc
import locale
import logging
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from cbablate.running.isolation.facet import Facet, keep, variable
from cbablate.running.isolation.library_state import LIBRARIES, settings_of
from cbablate.running.isolation.limits import INTERRUPTION

__all__ = ["STREAMS", "Picture"]

STREAMS = "the standard streams"

_STANDARD = ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__")
_HOOKS = ("excepthook", "displayhook", "unraisablehook", "breakpointhook")
_ITIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
_SIGNALS = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, INTERRUPTION})
_PASSES = 3
"""How often everything is looked at: putting back one setting of a library may move another."""


class Picture:
    """The state of this process at one moment; a facet that cannot be read is left out.

    Args:
        without: names of facets that are left out.
        libraries: whether the settings of NumPy, PyTorch and timm are part of it, where these have
            been imported.
    """

    def __init__(self, *, without: Iterable[str] = (), libraries: bool = True) -> None:
        self._values: list[tuple[Facet, Any]] = []
        left_out = set(without)
        self._take(facet for facet in _FACETS if facet.name not in left_out)
        for library in LIBRARIES if libraries else ():
            self.add(library)

    def add(self, library: str) -> None:
        """Take the settings of a library that has just been imported."""
        self._take(settings_of(library))

    def put_back(self) -> tuple[str, ...]:
        """Make the state what it was; the names of the facets that could not be put back."""
        wrong = self._wrong()
        for _ in range(_PASSES):
            if not wrong:
                break
            for facet, value in wrong:
                with contextlib.suppress(Exception):
                    facet.put(value)
            wrong = self._wrong()
        return tuple(facet.name for facet, _ in wrong)

    def libraries_differ(self) -> bool:
        """Whether a setting of a library is not what it was."""
        return any(facet not in _FACETS for facet, _ in self._wrong())

    def _take(self, facets: Iterable[Facet]) -> None:
        for facet in facets:
            with contextlib.suppress(Exception):
                self._values.append((facet, facet.take()))

    def _wrong(self) -> list[tuple[Facet, Any]]:
        return [(facet, value) for facet, value in self._values if not _is(facet, value)]


def _is(facet: Facet, value: Any) -> bool:
    try:
        return bool(facet.take() == value)
    except Exception:  # noqa: BLE001 - it could be read once, and cannot be read now
        return False


class _Same(tuple[Any, ...]):
    """Objects that are compared by identity, since a stream or a hook may define equality anew."""

    __slots__ = ()
    __hash__ = tuple.__hash__

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, tuple)
            and len(self) == len(other)
            and all(mine is its for mine, its in zip(self, other, strict=True))
        )

    def __ne__(self, other: object) -> bool:
        return not self == other


class _Running(tuple[tuple[float, float], ...]):
    """Timers, compared by whether they run: one that does counts down while it is looked at."""

    __slots__ = ()
    __hash__ = tuple.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple) and [bool(delay) for delay, _ in self] == [
            bool(delay) for delay, _ in other
        ]

    def __ne__(self, other: object) -> bool:
        return not self == other


def _attributes(name: str, module: Any, attributes: tuple[str, ...]) -> Facet:
    def put(values: Any) -> None:
        for attribute, value in zip(attributes, values, strict=True):
            setattr(module, attribute, value)

    return Facet(name, lambda: _Same(getattr(module, each) for each in attributes), put)


def _interpreter() -> tuple[Any, ...]:
    digits = sys.get_int_max_str_digits()
    collector = (gc.isenabled(), gc.get_threshold())
    return (sys.getrecursionlimit(), sys.getswitchinterval(), digits, *collector)


def _put_interpreter(wanted: tuple[Any, ...]) -> None:
    recursion, interval, digits, collects, thresholds = wanted
    sys.setrecursionlimit(recursion)
    sys.setswitchinterval(interval)
    sys.set_int_max_str_digits(digits)
    (gc.enable if collects else gc.disable)()
    gc.set_threshold(*thresholds)


def _put_tracing(both: Any) -> None:
    sys.settrace(both[0])
    sys.setprofile(both[1])


def _umask() -> int:
    before = os.umask(0o077)  # nobody else may read what another thread makes at this moment
    os.umask(before)
    return before


def _put_environment(wanted: dict[str, str]) -> None:
    moved = os.environ.get("TZ") != wanted.get("TZ")
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    if moved:
        time.tzset()


def _put_path(wanted: list[str]) -> None:
    sys.path[:] = wanted


def _put_handlers(wanted: Any) -> None:
    for number, handler in zip(_SIGNALS, wanted, strict=True):
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def _put_timers(wanted: Any) -> None:
    for which, (delay, interval) in zip(_ITIMERS, wanted, strict=True):
        signal.setitimer(which, delay, interval)


def _put_limits(wanted: list[tuple[int, int]]) -> None:
    for which, pair in zip(_LIMITS, wanted, strict=True):
        if resource.getrlimit(which) != pair:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(which, pair)


def _warnings() -> tuple[Any, ...]:
    return (list(warnings.filters), _Same((warnings.showwarning, warnings.formatwarning)))


def _put_warnings(wanted: tuple[Any, ...]) -> None:
    filters, (warnings.showwarning, warnings.formatwarning) = wanted
    warnings.resetwarnings()  # also forgets what was decided under other filters
    warnings.filters[:] = filters  # type: ignore[index]  # a list, whatever its type says


def _logging() -> tuple[Any, ...]:
    root = logging.getLogger()
    return (root.level, root.disabled, root.manager.disable, _Same(root.handlers))


def _put_logging(wanted: tuple[Any, ...]) -> None:
    root = logging.getLogger()
    level, root.disabled, disable, handlers = wanted
    root.setLevel(level)
    logging.disable(disable)
    root.handlers[:] = list(handlers)


def _context() -> tuple[Any, ...]:
    now = decimal.getcontext()
    traps = tuple(condition for condition, trapped in now.traps.items() if trapped)
    return (now.prec, now.rounding, now.Emin, now.Emax, now.capitals, now.clamp, traps)


def _put_context(wanted: tuple[Any, ...]) -> None:
    precision, rounding, least, most, capitals, clamp, traps = wanted
    decimal.setcontext(
        decimal.Context(precision, rounding, least, most, capitals, clamp, [], list(traps))
    )


def _start_method() -> Any:
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing and multiprocessing.get_start_method(allow_none=True)


def _put_start_method(wanted: Any) -> None:
    sys.modules["multiprocessing"].set_start_method(wanted, force=True)


def _put(function: Callable[..., Any], *before: Any) -> Callable[[Any], object]:
    return lambda value: function(*before, value)


_FACETS = (
    # What the putting back of the others needs comes first.
    Facet("the limits of the interpreter", _interpreter, _put_interpreter),
    Facet("tracing", lambda: _Same((sys.gettrace(), sys.getprofile())), _put_tracing),
    _attributes(STREAMS, sys, _STANDARD),
    _attributes("the hooks of sys", sys, _HOOKS),
    _attributes("the hook of threads", threading, ("excepthook",)),
    Facet("the working directory", os.getcwd, os.chdir),
    Facet("the umask", _umask, os.umask),
    Facet("the environment", lambda: dict(os.environ), _put_environment),
    variable("sys.argv", sys, "argv"),
    Facet("the search path of imports", lambda: list(sys.path), _put_path),
    Facet(
        "the mask of signals",
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        _put(signal.pthread_sigmask, signal.SIG_SETMASK),
    ),
    Facet("the timers", lambda: _Running(map(signal.getitimer, _ITIMERS)), _put_timers),
    Facet("the handlers of signals", lambda: _Same(map(signal.getsignal, _SIGNALS)), _put_handlers),
    Facet("the resource limits", lambda: list(map(resource.getrlimit, _LIMITS)), _put_limits),
    Facet("the process group", os.getpgrp, _put(os.setpgid, 0)),
    Facet("the session of processes", lambda: os.getsid(0), keep),
    Facet(
        "the priority",
        lambda: os.getpriority(os.PRIO_PROCESS, 0),
        _put(os.setpriority, os.PRIO_PROCESS, 0),
    ),
    Facet("the filters of warnings", _warnings, _put_warnings),
    Facet("the root of logging", _logging, _put_logging),
    Facet(
        "the locale",
        lambda: locale.setlocale(locale.LC_ALL),
        _put(locale.setlocale, locale.LC_ALL),
    ),
    Facet("decimal's context", _context, _put_context),
    variable("the temporary folder", tempfile, "tempdir"),
    Facet("the timeout of sockets", socket.getdefaulttimeout, socket.setdefaulttimeout),
    Facet("the start method of processes", _start_method, _put_start_method),
    *(
        [
            Facet(
                "the processor's cores",
                lambda: os.sched_getaffinity(0),
                _put(os.sched_setaffinity, 0),
            )
        ]
        if hasattr(os, "sched_getaffinity")
        else []
    ),
)
