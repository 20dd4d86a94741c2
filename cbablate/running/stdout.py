"""`stdout_kept`: nothing but the command's product on stdout while somebody else's code runs."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

__all__ = ["stdout_kept"]


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
