"""The most memory that this process had, in bytes, since a moment of one's choosing."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

__all__ = ["peak", "start_peak"]

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def start_peak() -> None:
    """Count from now on, where the system can (Linux); elsewhere it counts from the start."""
    try:
        _RESET.write_text("5", encoding="ascii")
    except OSError:
        return  # `peak` is then that of the whole process: more, never less


def peak() -> int:
    """The most resident memory since `start_peak`, in bytes."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        told = next(line for line in lines if line.startswith("VmHWM:"))
        return int(told.split()[1]) * 1024
    except (OSError, StopIteration):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
