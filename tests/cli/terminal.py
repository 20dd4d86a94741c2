"""A command in a terminal of its own, typed to and read from as a person would."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["Terminal"]


class Terminal:
    """A process whose terminal is ours; a context manager, which ends it."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (30, 100),
    ) -> None:
        self.shown = ""
        self._pid, self._there = pty.fork()
        if self._pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            os.chdir(cwd)
            said = {**os.environ, **(env or {})}
            for size_elsewhere in ("COLUMNS", "LINES"):  # they would go before the size of this one
                said.pop(size_elsewhere, None)
            os.execvpe(words[0], list(words), said)  # noqa: S606

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._there)

    def type(self, words: str) -> None:
        os.write(self._there, words.encode())

    def until(self, sign: str, *, within: float = 60.0) -> str:
        """What was shown since the last sign, up to this one."""
        end = time.monotonic() + within
        while sign not in self.shown and time.monotonic() < end:
            if not self._read(end):
                break
        before, found, after = self.shown.partition(sign)
        assert found, f"{sign!r} was not shown: {self.shown!r}"
        self.shown = after
        return before + found

    def ended(self, *, within: float = 60.0) -> int:
        """The exit code, once all is shown."""
        end = time.monotonic() + within
        while self._read(end):
            pass
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return os.waitstatus_to_exitcode(status)

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._there], [], [], max(0.0, end - time.monotonic()))
        try:
            piece = os.read(self._there, 65536) if ready else b""
        except OSError:  # the other side is closed
            piece = b""
        self.shown += piece.decode(errors="replace")
        return bool(piece)
