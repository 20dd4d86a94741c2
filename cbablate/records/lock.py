"""The lock on a results folder: held by one driver, gone when its process is gone."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cbablate.errors import EnvironmentFault, OwnedElsewhere

__all__ = ["exclusive", "held"]


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file at `path` for the length of a `with` block.

    The kernel's `flock` on an open file is the lock; the text inside only says whose it is. It
    cannot be left behind: it ends with the process, whatever kills it.

    Raises:
        OwnedElsewhere: another process holds it; the message names process, host and start.
        EnvironmentFault: the file cannot be opened, or the file system cannot lock.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EnvironmentFault(
            f"{path} cannot be opened ({error.strerror}); mend that, or choose another folder "
            "with --results."
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OwnedElsewhere(
                f"another cbablate is writing to {path.parent}: {_owner(descriptor)}. "
                "Wait for it, stop it, or use another folder with --results."
            ) from None
        except OSError as error:
            raise EnvironmentFault(
                f"{path.parent} lies on a file system that cannot lock files ({error.strerror}); "
                "choose a local folder with --results."
            ) from error
        owner = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def held(path: Path) -> bool:
    """Whether a process holds the lock file at `path`; False where that cannot be asked.

    The answer may be out of date when it is given. A shared lock is tried, and given back at once.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        os.close(descriptor)


def _owner(descriptor: int) -> str:
    try:
        owner = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {owner['process']} on {owner['host']}, since {owner['since']}"
    except (ValueError, KeyError, TypeError):
        return "a process that has just started"
