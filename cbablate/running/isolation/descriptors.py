"""Open files of this process: how many there are, and whether there is room for a trial's."""

from __future__ import annotations

import errno
import math
import resource
from pathlib import Path

from cbablate.errors import EnvironmentFault

__all__ = ["most_files", "open_files", "require_descriptors"]

_SPARE = 32
"""Open files that a run needs beside those it has: the streams, pipes, folders and checkpoints of
a trial. With about a dozen, trials fail instead of the run."""


def open_files() -> float:
    """How many files this process has open; 0 where the system does not say."""
    try:
        return sum(1 for _ in Path("/dev/fd").iterdir())
    except OSError as error:
        return math.inf if error.errno == errno.EMFILE else 0


def most_files() -> float:
    """How many files this process may have open."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if most == resource.RLIM_INFINITY else most


def require_descriptors() -> None:
    """Check that this process may open as many more files as a trial needs.

    Raises:
        EnvironmentFault: it may not.
    """
    spare = most_files() - open_files()
    if spare < _SPARE:
        raise EnvironmentFault(
            f"too few open files: this process may open {max(spare, 0):.0f} more; a run needs "
            f"{_SPARE}. Raise the limit, with `ulimit -n {max(1024, 2 * most_files()):.0f}` in the "
            "shell for example, and run the same command again."
        )
