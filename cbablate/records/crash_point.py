"""`crash_point`: named places at which a test can kill the driver.

A place does nothing unless the environment names it: `CBABLATE_CRASH_AT=ledger.append.before:7`
sends SIGKILL to this process when it passes that place for the seventh time (the first, without a
number). The variable is read once, when this module is imported.
"""

from __future__ import annotations

import os
import signal

__all__ = ["POINTS", "VARIABLE", "crash_point"]

VARIABLE = "CBABLATE_CRASH_AT"
POINTS = (
    "ledger.create.before",
    "ledger.create.after",
    "lease.before",
    "lease.after",
    "lease.release",
    "ledger.append.before",
    "ledger.append.before_commit",
    "ledger.append.after",
    "seal.before",
    "seal.after",
    "ledger.checkpoint.before",
    "ledger.checkpoint.after",
    "checkpoint.before",
    "checkpoint.before_replace",
    "checkpoint.after_replace",
    "publish.before",
    "publish.after",
)
"""Every place there is: a test kills at each."""


def _asked() -> tuple[str, int]:
    """The place and the passing that the environment names; no place where it names none."""
    name, _, passing = os.environ.get(VARIABLE, "").partition(":")
    if name and (name not in POINTS or not (passing or "1").isdecimal()):
        raise ValueError(f"{VARIABLE}={name}:{passing}: there are {', '.join(POINTS)}")
    return name, int(passing or 1)


_name, _left = _asked()


def crash_point(name: str) -> None:
    """Pass the place of this name; where the environment asks for it, do not return."""
    global _left
    if not _name or name != _name:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
