"""Nothing but the command's product on stdout, whoever else prints."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

__all__ = ["leading_to", "stdout_kept", "stdout_set_aside"]


@contextlib.contextmanager
def stdout_kept() -> Iterator[None]:
    """Within it, what is written to stdout goes to stderr, whoever writes it.

    Ray prints what its processes say, a workload prints what it likes, and their C++ and child
    processes write to file descriptor 1 itself.
    """
    with contextlib.ExitStack() as exits:
        if sys.__stdout__ is not None:  # else this process has none, and 1 may be any file
            exits.enter_context(_descriptor_kept())
        exits.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield


@contextlib.contextmanager
def _descriptor_kept() -> Iterator[None]:
    _flush()
    try:
        kept = os.dup(1)
    except OSError:  # it is closed
        yield
        return
    try:
        with contextlib.suppress(OSError):  # stderr is closed
            os.dup2(2, 1)
        yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)


def _flush() -> None:
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or there is none
            stream.flush()  # type: ignore[union-attr]


def stdout_set_aside() -> None:
    """From now on `print` writes to stderr, and `sys.stdout.product` is what stdout was.

    It stays so to the end of the process: threads that a trial leaves print when the product is
    written, and what it registered with `atexit` prints after that.
    """
    if sys.stdout is None or sys.stderr is None or hasattr(sys.stdout, "product"):
        return
    product = sys.stdout
    sys.stdout = leading_to(sys.stderr)
    sys.stdout.product = product  # type: ignore[attr-defined]


class _Onward(io.RawIOBase):
    """A file that passes on to a text stream what is written to it, and whose end is only its own.

    Whoever closes the stream that it is the bottom of closes nothing else.
    """

    def __init__(self, target: TextIO) -> None:
        super().__init__()
        self._target = target
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._target.write(self._decoder.decode(bytes(data)))
        return len(data)

    def flush(self) -> None:
        if not self.closed:
            self._target.flush()

    def fileno(self) -> int:
        return self._target.fileno()

    def isatty(self) -> bool:
        return self._target.isatty()


def leading_to(target: TextIO) -> TextIO:
    """A text stream of its own whose words arrive at another one."""
    bottom: Any = io.BufferedWriter(_Onward(target), buffer_size=1)
    return io.TextIOWrapper(
        bottom, encoding="utf-8", errors="replace", line_buffering=True, write_through=True
    )
