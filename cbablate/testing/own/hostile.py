"""Workloads that do what none should, in a file of a user's own, for the contract of executors."""

from __future__ import annotations

import contextlib
import decimal
import json
import locale
import logging
import multiprocessing
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cbablate.errors import TrialFailure
from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget

if __name__ != "cbablate.testing.own.hostile":  # a test of its own wants a process without NumPy
    import numpy  # noqa: F401 - its import adds filters of warnings, once a process


class _Mute(Exception):
    """Cannot be put into words."""

    def __str__(self) -> str:
        raise ValueError("no words")

    __repr__ = __str__


class _Deaf(_Mute):
    """Likewise, and worse."""

    def __str__(self) -> str:
        raise SystemExit(9)


class _Text(str):
    """A text that other processes do not know."""


class _Foreign(Exception):
    def __str__(self) -> str:
        return _Text("said by a class of its own")


class _Own(BaseException):
    """What no `except Exception` meets."""


class _Strange(TrialFailure):
    failure = ("not", "a class")  # type: ignore[assignment]  # on purpose


def _deep(count: int) -> Exception:
    error = Exception("bottom")
    for _ in range(count):
        above = Exception("above")
        above.__cause__ = error
        error = above
    return error


def _recurses() -> None:
    _recurses()


def _raises(error: BaseException) -> Callable[[], None]:
    def raising() -> None:
        raise error

    return raising


RAISED: dict[str, tuple[Callable[[], Any], str]] = {
    "mute": (_raises(_Mute()), "_Mute: (it cannot be put into words: that raised ValueError)"),
    "deaf": (_raises(_Deaf()), "_Deaf: (it cannot be put into words: that raised SystemExit)"),
    "foreign": (_raises(_Foreign()), "_Foreign: said by a class of its own"),
    "own": (_raises(_Own("mine")), "_Own: mine"),
    "strange": (_raises(_Strange("a failure")), "a failure"),
    "generator exit": (_raises(GeneratorExit("mine")), "GeneratorExit: mine"),
    "interrupt": (_raises(KeyboardInterrupt("mine")), "KeyboardInterrupt: mine"),
    "exit": (_raises(SystemExit(_Mute())), "sys.exit((it cannot be put into words"),
    "stop": (_raises(StopIteration("mine")), "generator raised StopIteration"),
    "memory": (_raises(MemoryError()), "MemoryError"),
    "recursion": (_recurses, "RecursionError: maximum recursion depth"),
    "deep": (_raises(_deep(5_000)), "Exception: above"),
    "huge": (lambda: _raises(Exception("x" * 50_000_000))(), "characters left out"),
    "group": (_raises(BaseExceptionGroup("several", [_Own(), _Mute()])), "several"),
}


def raises(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Raises what its config names, after a measurement."""
    yield Measurement(spent=1, metrics={"val/score": 1.0})
    RAISED[config["how"]][0]()


def raises_when_closed(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Does what its config names when it is closed."""
    how = config["how"]
    try:
        for spent in range(1, budget.amount + 1):
            yield Measurement(spent=spent, metrics={"val/score": 1.0})
    finally:
        if how == "yields":
            yield Measurement(spent=budget.amount, metrics={})
        elif how == "hangs":
            time.sleep(600)
        elif how != "ends":
            RAISED[how][0]()


def _state() -> dict[str, Any]:
    """What a trial meets, of what another may have altered."""
    import numpy as np

    print("a print", flush=True)
    print("another", file=sys.stderr, flush=True)
    os.write(1, b"bytes\n")
    os.write(2, b"bytes\n")
    mask = os.umask(0o022)
    os.umask(mask)
    return {
        "process": os.getpid(),
        "folder": str(Path.cwd()),
        "umask": mask,
        "environment": {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "ALTERED")},
        "words": sys.argv,
        "path": sys.path,
        "recursion": sys.getrecursionlimit(),
        "streams": [
            stream is not None and stream.closed
            for stream in (sys.stdout, sys.stderr, sys.__stderr__)
        ],
        "handlers": [str(signal.getsignal(s)) for s in (signal.SIGUSR1, signal.SIGCHLD)],
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "timer": signal.getitimer(signal.ITIMER_REAL),
        "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
        "filters": len(warnings.filters),
        "root": [logging.getLogger().level, len(logging.getLogger().handlers)],
        "locale": locale.setlocale(locale.LC_ALL),
        "decimal": decimal.getcontext().prec,
        "temporary": tempfile.gettempdir(),
        "timeout": socket.getdefaulttimeout(),
        "numpy": np.geterr(),
        "group": os.getpgrp() == os.getpid(),
    }


def _alter(folder: Path) -> None:
    """Alter all that `_state` looks at, and more."""
    import numpy as np

    gone = folder / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    os.umask(0o777)
    os.environ.clear()
    os.environ["ALTERED"] = "yes"
    sys.argv = ["altered"]
    sys.path[:] = []
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    signal.alarm(1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    warnings.simplefilter("error")
    logging.basicConfig(level=logging.DEBUG)
    logging.disable(logging.CRITICAL)
    decimal.getcontext().prec = 2
    tempfile.tempdir = "/nowhere"
    socket.setdefaulttimeout(0.001)
    np.seterr(all="raise")
    for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__, sys.stdin):
        if stream is not None:
            stream.close()
    for descriptor in range(3):
        os.close(descriptor)
    sys.setrecursionlimit(150)


def alters(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Says what it meets, and alters it, before and after its driver's turn."""
    yield Measurement(spent=1, metrics={"val/score": 1.0}, notes={"state": json.dumps(_state())})
    _alter(workdir)
    yield Measurement(spent=2, metrics={"val/score": 1.0})
    assert os.environ == {"ALTERED": "yes"}, "a turn of the driver is none of the trial's"
    if config["how"] == "raises":
        raise RuntimeError("with all altered")


_DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        sys.stdout.write(str(os.getpid()))
        sys.stdout.flush()
        os.close(1)
        time.sleep(600)
    os._exit(0)
"""


def leaves_processes(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Starts a child, and a daemon that leaves its group and its parent; says their ids."""
    child = subprocess.Popen(["sleep", "600"])
    daemon = subprocess.run([sys.executable, "-c", _DAEMON], stdout=subprocess.PIPE)
    ids = {"child": float(child.pid), "daemon": float(daemon.stdout)}
    yield Measurement(spent=1, metrics=ids)
    if config["how"] == "is stopped":
        os.kill(os.getpid(), signal.SIGTERM)
    if config["how"] != "ends":
        time.sleep(600)


def forks(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Its forked child goes on in its code, as its config says; measures how the child ended."""
    how = config["how"]
    child = os.fork()
    if child == 0:
        if how == "raises":
            raise ValueError("in the child")
        if how == "returns":
            return
        if how.startswith("exits"):
            sys.exit(int(how.split()[-1]))
        if how == "closes":
            yield Measurement(spent=2, metrics={})
    _, status = os.waitpid(child, 0) if child else (0, 0)
    try:
        yield Measurement(spent=1, metrics={"status": float(os.waitstatus_to_exitcode(status))})
    finally:
        if how == "closes" and os.fork() == 0:
            raise ValueError("in the child of the end")


def has_children(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Forks three processes, and ends them with the signal that ends a process politely."""
    forked = multiprocessing.get_context("fork")
    children = [forked.Process(target=time.sleep, args=(600,)) for _ in range(3)]
    for child in children:
        child.start()
        child.terminate()
        child.join()
    codes = {f"child {n}": float(child.exitcode or 0) for n, child in enumerate(children)}
    yield Measurement(spent=1, metrics=codes)


def leaves_a_thread(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Starts a thread that goes on; says which process it is in."""
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    yield Measurement(spent=1, metrics={"process": float(os.getpid())})


def hangs(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Gives a measurement, and then none in the way that its config names."""
    how = config["how"]
    if how == "is silent":
        time.sleep(600)
    yield Measurement(spent=1, metrics={"val/score": 1.0})
    if how == "sleeps":
        time.sleep(600)
    elif how == "spins":
        while True:
            pass
    elif how == "turns it into an error":
        try:
            time.sleep(600)
        except BaseException:  # noqa: BLE001 - on purpose
            raise ValueError("something else") from None
    elif how == "gives one late":
        with contextlib.suppress(BaseException):
            time.sleep(600)
    elif how == "in C":  # holds Python's lock, so that no other thread of Python's runs
        re.match(r"(a+)+$", "a" * 64 + "b")
    elif how == "slowly":
        for spent in range(2, budget.amount):
            time.sleep(0.2)
            yield Measurement(spent=spent, metrics={"val/score": 1.0})
    yield Measurement(spent=budget.amount, metrics={"val/score": 1.0})


def sends_a_signal(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """Is interrupted by a person, and may catch what that raises."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    except BaseException:
        if config["how"] != "catches":
            raise
    yield Measurement(spent=1, metrics={"val/score": 1.0})
