"""`ProgramRun`: a program under way, as its trial sees it: started, waited for, stopped."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from cbablate.errors import EnvironmentFault, TrialFailure, machine_fault
from cbablate.workloads.commands import guard
from cbablate.workloads.commands.room import Room
from cbablate.workloads.commands.start import Start

__all__ = ["Exit", "ProgramRun", "running"]

_LATE = 5.0
"""How many seconds longer than its program a guard is waited for."""
KEPT, KEPT_FOR_READING = 3, 64
"""How many files of output stay beside the first; more of what is searched for numbers."""


@dataclass(frozen=True)
class Exit:
    """How a program ended: its code, negative for a signal; how many processes it left running,
    which were ended; and what was wrong with keeping its output.
    """

    code: int
    left: int = 0
    fault: str = ""

    @property
    def words(self) -> str:
        """As a sentence goes on after the program's name."""
        if self.code >= 0:
            return f"ended with code {self.code}"
        try:
            return f"was killed by {signal.Signals(-self.code).name}"
        except ValueError:
            return f"was killed by signal {-self.code}"


class ProgramRun:
    """A program that was started, behind its guard."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self._name, self._process = name, process
        if process.stdin is None or process.stdout is None:
            raise ValueError("a guard is talked to through pipes")
        self._orders, self._said = process.stdin, process.stdout
        self._text, self._program = b"", name
        self._heard: list[dict[str, Any]] = []

    def order(self, order: Mapping[str, Any]) -> None:
        """Tell the guard what to start."""
        self._program = order["words"][0]
        view = memoryview(json.dumps(order).encode() + b"\n")
        with suppress(BrokenPipeError):  # it is gone, which `ended` tells
            while view:
                view = view[os.write(self._orders.fileno(), view) :]

    def ended(self, within: float) -> Exit | None:
        """How the program ended, as soon as it did; None if it has not within so many seconds.

        Raises:
            TrialFailure: it could not be started, or its guard is gone.
        """
        until = time.monotonic() + within
        while True:
            for said in self._heard:
                if "refused" in said:
                    raise self._refusal(said)
                if "code" in said:
                    return self._exit(said)
            left = until - time.monotonic()
            if not select.select([self._said], [], [], max(0.0, left))[0]:
                return None
            part = os.read(self._said.fileno(), 1 << 16)
            if not part:
                raise TrialFailure(
                    f"{self._name}: the process that watches over it was ended from outside, and "
                    "the program with it"
                )
            *lines, self._text = (self._text + part).split(b"\n")
            self._heard += [json.loads(line) for line in lines]

    def stop(self) -> None:
        """End the program and all below it: it is asked first, and has a few seconds for that."""
        with suppress(OSError):  # the guard has ended
            os.write(self._orders.fileno(), b"T")
        with suppress(TrialFailure):  # it is gone, which is what is wanted
            self.ended(guard.GRACE + _LATE)

    def close(self) -> None:
        """Give up the pipes, upon which a guard that still is there ends, and wait for it."""
        with suppress(OSError):
            self._orders.close()
        try:
            self._process.wait(_LATE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def _exit(self, said: Mapping[str, Any]) -> Exit:
        if said["code"] is None:
            raise TrialFailure(f"{self._name} was told to end and could not be ended")
        return Exit(said["code"], said["left"], said["fault"])

    def _refusal(self, said: Mapping[str, Any]) -> Exception:
        """Why the program could not be started."""
        number, here = said["errno"] or 0, socket.gethostname()
        if number == errno.ENOENT:
            return TrialFailure(
                f"there is no program '{self._program}' on {here}, neither on PATH nor beside "
                f"{sys.executable}; a script needs the program that its first line names"
            )
        fault = machine_fault(OSError(number, said["refused"]))
        return fault or TrialFailure(
            f"'{self._program}' cannot be started on {here}: {said['refused']}"
        )


@contextmanager
def running(name: str, start: Start, room: Room, *, searched: bool = False) -> Iterator[ProgramRun]:
    """A program that runs; at the end of the block it is stopped, if it still does.

    Its output goes to the room; each stream by itself, too, where it is `searched` for numbers.

    Raises:
        TrialFailure: the folder is not there.
        EnvironmentFault: this machine can start no process.
    """
    if not start.folder.is_dir():
        here = socket.gethostname()
        raise TrialFailure(f"{name} cannot be started: {here} has no folder {start.folder}")
    streams = room.streams() if searched else ()
    order = {
        "words": start.words,
        "folder": str(start.folder),
        "output": [(str(room.output), KEPT), *((str(each), KEPT_FOR_READING) for each in streams)],
    }
    try:
        process = subprocess.Popen(  # noqa: S603 - a script of ours
            [sys.executable, "-I", "-S", guard.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=start.environment,
            start_new_session=True,
            bufsize=0,
        )
    except OSError as error:
        raise EnvironmentFault(f"no process can be started for {name}: {error}") from error
    run = ProgramRun(name, process)
    try:
        run.order(order)
        yield run
    finally:
        try:
            run.stop()
        finally:
            run.close()
