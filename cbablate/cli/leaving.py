"""`leave`: the end of a command, also where a trial has left what goes on."""

from __future__ import annotations

import os
import threading

from cbablate.cli.words import tell

__all__ = ["leave"]

_PATIENCE = 5.0
"""Seconds that threads have to end, which Python would wait for as long as they like."""


def leave(code: int | str | None) -> None:
    """See that this process ends with this exit code, though a trial has left threads in it."""
    main = threading.main_thread()
    left = [each for each in threading.enumerate() if each is not main and not each.daemon]
    if left:
        limit = threading.Timer(_PATIENCE, _end, (code, [thread.name for thread in left]))
        limit.daemon = True
        limit.start()


def _end(code: int | str | None, names: list[str]) -> None:
    from cbablate.running.isolation.scratch import remove_own

    threads = ", ".join(f"'{name}'" for name in names)
    tell(f"cbablate: ended without waiting longer for threads that a trial has left: {threads}")
    remove_own()
    os._exit(code if isinstance(code, int) else int(code is not None))
