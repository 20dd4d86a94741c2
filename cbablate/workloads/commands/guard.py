"""The guard: a small process between a trial and its program, which leaves none of it behind.

Run as a script by itself, with nothing of cbablate imported. Its stdin is a pipe from the trial:
a line of JSON says what to start; a byte after it asks to stop the program, and the pipe's end,
that the trial is dead. Its stdout is a pipe to the trial: a line of JSON with the program's id,
and at last one with how it ended, when everything it printed is in the output folder and every
process below it is gone.

The output is kept in numbered files of a fixed size. The first stays, and of the others the last
few, so that a program may print without end. Where lines are searched for numbers, each stream is
kept by itself, too, as it was printed: in the common files a half line of one may stand in the
middle of a line of the other.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["GRACE", "HEAD", "SEGMENT", "Segments", "main"]

GRACE = 5.0
"""How many seconds a program has to end after SIGTERM."""
HEAD = 1_000_000
"""Bytes of the first file of output."""
SEGMENT = 2_000_000
"""Bytes of each further one."""

_SUBREAPER, _DEATH_SIGNAL = 36, 1  # PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG of Linux
_LINE = 8_192
"""A line is written in pieces from this length on; shorter ones of two streams do not mix."""
_IDLE = 0.3
"""After how many seconds without more a line that has no end is written all the same; and how
often the guard looks whether its trial still lives."""
_PATIENCE = 5.0
_ASKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Segments:
    """Output on disk: `000000`, `000001`, ... in a folder, of which the middle is left out."""

    def __init__(self, folder: str, *, kept: int) -> None:
        self._folder, self._kept = Path(folder), kept
        self._number, self._room = 0, HEAD
        self._file = self._opened()
        self.fault = ""

    def write(self, text: bytes) -> None:
        """Append; what the disk has no room for is lost, and `fault` says so."""
        while text:
            if not self._room:
                self._next()
            part, text = text[: self._room], text[self._room :]
            self._room -= len(part)
            try:
                view = memoryview(part)
                while view:
                    view = view[os.write(self._file, view) :]
            except OSError as error:
                self.fault = self.fault or str(error)

    def _next(self) -> None:
        os.close(self._file)
        self._number, self._room = self._number + 1, SEGMENT
        self._file = self._opened()
        oldest = self._number - self._kept
        if oldest > 0:
            with contextlib.suppress(OSError):
                self._path(oldest).unlink()

    def _opened(self) -> int:
        return os.open(self._path(self._number), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}"


class _Stream:
    """One stream of the program, whose lines are kept whole."""

    def __init__(self, descriptor: int, segments: Segments, own: Segments | None) -> None:
        self.descriptor, self._segments, self._own = descriptor, segments, own
        os.set_blocking(descriptor, False)
        self._rest = b""
        self._since = 0.0

    def read(self) -> bool:
        """Take what is there; whether more may come."""
        try:
            text = os.read(self.descriptor, 1 << 16)
        except BlockingIOError:
            return True
        if not text:
            self.flush()
            return False
        if self._own is not None:
            self._own.write(text)
        text, self._since = self._rest + text, time.monotonic()
        end = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        if len(text) - end > _LINE:
            end = len(text)
        self._segments.write(text[:end])
        self._rest = text[end:]
        return True

    def flush(self, *, idle: float = 0.0) -> None:
        """Write a line without an end, if nothing came for so long."""
        if self._rest and time.monotonic() - self._since >= idle:
            self._segments.write(self._rest)
            self._rest = b""


class _Guard:
    """A program that runs, and how it comes to its end."""

    def __init__(self, program: subprocess.Popen[bytes], kept: list[Segments], wake: int) -> None:
        self._program, self._kept, self._wake = program, kept, wake
        pipes = [each.fileno() for each in (program.stdout, program.stderr) if each is not None]
        common, *apart = kept
        own: list[Segments | None] = [*apart] if apart else [None] * len(pipes)
        self._streams = {
            each: _Stream(each, common, one) for each, one in zip(pipes, own, strict=True)
        }
        self._parent = os.getppid()
        self._code: int | None = None
        self._told = False
        self._until = math.inf

    def run(self) -> dict[str, Any]:
        """How the program ended, when all that it started is gone, too."""
        poll = select.poll()
        for each in (0, self._wake, *self._streams):
            poll.register(each, select.POLLIN)
        while not self._over():
            waiting = 0.02 if self._told else _IDLE
            for descriptor, _ in poll.poll(waiting * 1000):
                self._heard(descriptor, poll)
            for stream in self._streams.values():
                stream.flush(idle=_IDLE)
            self._reap()
            if os.getppid() != self._parent:
                self.stop(grace=0.0)
        left = list(_below(os.getpid()))
        self._end_all()
        for stream in self._streams.values():
            self._drained(stream)
        fault = next((each.fault for each in self._kept if each.fault), "")
        return {"code": self._code, "left": len(left), "fault": fault}

    def _heard(self, descriptor: int, poll: select.poll) -> None:
        if descriptor in self._streams:
            if not self._streams[descriptor].read():
                poll.unregister(descriptor)
        elif descriptor == self._wake:
            if set(os.read(self._wake, 4096)) & {int(each) for each in _ASKED}:
                self.stop()
        elif os.read(0, 1):
            self.stop()
        else:
            poll.unregister(0)
            self.stop(grace=0.0)

    def stop(self, *, grace: float = GRACE) -> None:
        """Ask the program's group to end, once; it has so long for that."""
        self._until = min(self._until, time.monotonic() + grace)
        if not self._told:
            self._told = True
            _signalled(self._program.pid, signal.SIGTERM)

    def _over(self) -> bool:
        """Whether the program has ended, or had its time for it.

        One that was asked to end may have left others of its group, which have that time, too.
        """
        if time.monotonic() >= self._until:
            return True
        return self._code is not None and not (self._told and _lives(self._program.pid))

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid == self._program.pid:
                    self._code = self._program.returncode = os.waitstatus_to_exitcode(status)

    def _end_all(self) -> None:
        """End what runs: again and again, since whoever is ended leaves its children to this."""
        until = time.monotonic() + _PATIENCE
        if self._code is None or self._told:
            _signalled(self._program.pid, signal.SIGKILL)
        while time.monotonic() < until:
            for pid in _below(os.getpid()):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self._reap()
            if self._code is not None and not any(_below(os.getpid())):
                return
            time.sleep(0.002)

    def _drained(self, stream: _Stream) -> None:
        """Take what is left in a pipe; a writer that was beyond reach is not waited for."""
        until = time.monotonic() + _PATIENCE
        with contextlib.suppress(OSError):
            while time.monotonic() < until and select.select([stream.descriptor], [], [], 0)[0]:
                if not stream.read():
                    break
        stream.flush()


def main() -> None:
    """Start what the first line of stdin says, and see it to its end."""
    order, asked = _ordered()
    prctl = _prctl()
    if prctl is not None:
        prctl(_SUBREAPER, 1, 0, 0, 0)
    wake, waken = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else os.pipe()
    os.set_blocking(waken, False)
    for number in (*_ASKED, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.set_wakeup_fd(waken, warn_on_full_buffer=False)

    def prepare() -> None:
        for number in (*_ASKED, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        if prctl is not None:
            prctl(_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)

    try:
        kept = [Segments(folder, kept=files) for folder, files in order["output"]]
        program = subprocess.Popen(  # noqa: S603 - words of the user's own study, no shell
            order["words"],
            cwd=order["folder"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=prepare,
        )
    except (OSError, ValueError) as error:
        _tell({"refused": str(error), "errno": getattr(error, "errno", None)})
        return
    _tell({"pid": program.pid})
    guard = _Guard(program, kept, wake)
    if asked:
        guard.stop()
    _tell(guard.run())


def _ordered() -> tuple[dict[str, Any], bool]:
    """What stdin says in its first line, and whether it already asks to stop."""
    text = b""
    while b"\n" not in text:
        part = os.read(0, 1 << 16)
        if not part:
            os._exit(0)  # the trial died before it had said anything
        text += part
    line, _, rest = text.partition(b"\n")
    return json.loads(line), bool(rest)


def _tell(said: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # nobody is left to hear it
        os.write(1, json.dumps(said).encode() + b"\n")


def _signalled(group: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(group, number)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def _below(pid: int) -> Iterator[int]:
    """The living processes below one, parents first; none where there is no `/proc`."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return
    for thread in threads:
        try:
            children = (thread / "children").read_bytes().split()
        except OSError:
            continue
        for child in map(int, children):
            if not _is_zombie(child):
                yield child
            yield from _below(child)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return True


def _prctl() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None


if __name__ == "__main__":
    main()
