"""The lock on a results folder: held by one driver, gone when its process is gone.

It is the quick guard, with the ledger's lease (`records.lease`) behind it: somebody may remove the
file, and some file systems do not exclude.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from cbablate.errors import EnvironmentFault, OwnedElsewhere

__all__ = ["Lock", "exclusive", "held"]

_PAUSES = (0.02, 0.05, 0.1)
"""Seconds between the attempts to take a lock that somebody has."""
_open: dict[int, tuple[int, int]] = {}
"""The locks that this process holds: by descriptor, the file's device and inode."""


class Lock:
    """A lock file that this process holds.

    The kernel's `flock` on an open file is the lock; the text inside only says whose it is. It
    cannot be left behind: it ends with the process, whatever kills it.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            OwnedElsewhere: another process holds it; the message names process, host and start.
            EnvironmentFault: the file cannot be written, or the file system cannot lock.
        """
        self._path = path
        self._descriptor = _taken(path)

    @property
    def file(self) -> tuple[int, int]:
        """Device and inode of the file that is locked."""
        return _file(self._descriptor)

    def keep(self) -> bool:
        """Lock the file of that name again if it was removed or replaced; whether it was.

        Nothing is done where another process holds the new one for a moment, or its folder is
        gone: the lease decides then.
        """
        with suppress(OSError):
            about = self._path.stat()
            if (about.st_dev, about.st_ino) == self.file:
                return False
        try:
            fresh = _taken(self._path)
        except (OwnedElsewhere, EnvironmentFault):
            return False
        if fresh != self._descriptor:  # it is, where a workload has closed the one before
            self.close()
        self._descriptor = fresh
        return True

    def close(self) -> None:
        """Let go of the lock."""
        _close(self._descriptor)


def _close(descriptor: int) -> None:
    file = _open.pop(descriptor, None)
    with suppress(OSError):  # a workload may have closed it, and opened another file
        if _file(descriptor) == file:
            os.close(descriptor)


def _file(descriptor: int) -> tuple[int, int]:
    about = os.fstat(descriptor)
    return about.st_dev, about.st_ino


def _close_in_child() -> None:
    """Let a forked process not hold what ends with the process that took it."""
    for descriptor in list(_open):
        _close(descriptor)


os.register_at_fork(after_in_child=_close_in_child)


@contextmanager
def exclusive(path: Path) -> Iterator[Lock]:
    """Hold the lock file at `path` for the length of a `with` block.

    Raises:
        OwnedElsewhere, EnvironmentFault: as `Lock`.
    """
    lock = Lock(path)
    try:
        yield lock
    finally:
        lock.close()


def _taken(path: Path) -> int:
    """The descriptor of the lock file, locked and signed."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EnvironmentFault(
            f"{path} cannot be opened ({error.strerror}); mend that, or choose another folder "
            "with --results."
        ) from error
    try:
        _flock(path, descriptor)
        _sign(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    _open[descriptor] = _file(descriptor)
    return descriptor


def _flock(path: Path, descriptor: int) -> None:
    try:
        for pause in _PAUSES:  # whoever asks `held` has it for a moment
            with suppress(BlockingIOError):
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            time.sleep(pause)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OwnedElsewhere(
            f"another cbablate is writing to {path.parent}: {_owner(descriptor)}. "
            "Wait for it, stop it, or use another folder with --results."
        ) from None
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENOLCK):
            raise EnvironmentFault(f"{path} cannot be locked: {error.strerror}.") from error
        raise EnvironmentFault(
            f"{path.parent} lies on a file system that cannot lock files ({error.strerror}); "
            "choose a local folder with --results."
        ) from error


def _sign(path: Path, descriptor: int) -> None:
    owner = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)
    except OSError as error:
        raise EnvironmentFault(
            f"{path} cannot be written ({error.strerror}). Nothing recorded is lost; mend that, "
            "or choose another folder with --results."
        ) from error


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
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return "a process that has just started"
