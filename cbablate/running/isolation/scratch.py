"""Temporary folders of a driver and its trials, and removing those that a kill left behind."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from cbablate.errors import EnvironmentFault
from cbablate.records.process import Process, booted

__all__ = [
    "RAYS_PART",
    "clear_abandoned",
    "end_servers_of",
    "remove_own",
    "remove_scratch",
    "scratch_folder",
    "temporary_root",
]

_PREFIX = "cbablate-"
_OWNER = ".owner"
"""The file in each folder that names the process it belongs to. That process holds a lock on it as
long as it lives, which is seen from other containers too: these may share a temporary folder and
not their processes."""

RAYS_PART = "r"
"""What Ray's own folder is called in a folder of ours: paths of sockets are short."""
_PATIENCE = 5.0
"""How many seconds the servers of an abandoned folder are waited for."""

_locks: dict[Path, tuple[int, os.stat_result]] = {}
"""The open `.owner` files of this process's folders."""


def temporary_root() -> Path:
    """The folder that temporary files go to: TMPDIR, or what the system has in its place.

    Raises:
        EnvironmentFault: none can be written to.
    """
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise EnvironmentFault(
            f"there is no temporary folder that can be written to ({error}): set TMPDIR to one"
        ) from error


def scratch_folder(word: str = "", root: Path | None = None) -> Path:
    """A fresh folder of mode 0700 in `root` (the temporary folder) that names its owner.

    Raises:
        EnvironmentFault: it cannot be made.
    """
    root = root or temporary_root()
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{word}-" if word else _PREFIX, dir=root))
        handle = os.open(folder / _OWNER, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with contextlib.suppress(OSError):  # no locks on this file system: the process is asked for
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(handle, json.dumps({**asdict(Process.this()), "at": time.time()}).encode())
    except OSError as error:
        if folder is not None:  # without its owner nobody would ever remove it
            shutil.rmtree(folder, ignore_errors=True)
        raise EnvironmentFault(f"no temporary folder can be made in {root}: {error}") from error
    _locks[folder] = handle, os.fstat(handle)
    return folder


def _close_in_child() -> None:
    """Let a forked process not hold the folders of the process that made them."""
    for folder in list(_locks):
        _close(folder)


os.register_at_fork(after_in_child=_close_in_child)


def remove_scratch(folder: Path) -> None:
    """Remove a folder and what is in it, as far as that is possible."""
    _remove(folder)
    _close(folder)


def _close(folder: Path) -> None:
    handle, opened = _locks.pop(folder, (-1, None))
    with contextlib.suppress(OSError):  # a workload may have closed it, and opened another file
        if opened is not None and os.path.samestat(os.fstat(handle), opened):
            os.close(handle)


def remove_own() -> None:
    """Remove the folders that this process has made."""
    for folder in list(_locks):
        remove_scratch(folder)


def clear_abandoned(*roots: Path) -> None:
    """Remove this user's folders whose owners are gone, in the temporary folder and other roots.

    A folder is kept if its lock is held, if its owner lives, and if its owner is of another
    machine, where it cannot be asked for.
    """
    for root in {path.resolve() for path in (temporary_root(), *roots)}:
        try:
            found = [path for path in root.iterdir() if path.name.startswith(_PREFIX)]
        except OSError:
            continue
        for folder in found:
            try:
                about = folder.lstat()
                ours = stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid()
                if ours and _is_abandoned(folder):
                    end_servers_of(folder)
                    _remove(folder)
            except (OSError, ValueError):  # gone meanwhile, or a folder that is not of this kind
                continue


def end_servers_of(folder: Path) -> None:
    """End the servers of a Ray that lives in a folder of ours, and whose driver or raylet is dead.

    They end by themselves, but on a busy machine later than the next run begins, and they make
    their folder anew when it is removed.
    """
    until = time.monotonic() + _PATIENCE
    while (servers := list(_servers_of(folder))) and time.monotonic() < until:
        for pid in servers:
            with contextlib.suppress(OSError):  # ended meanwhile, or another user's
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _servers_of(folder: Path) -> Iterator[int]:
    """Processes with an option, `--session-dir=...` for example, that lies in the part of a folder
    which is Ray's; and those to which Ray has given a name, `ray::DashboardAgent`, and that have a
    file open there.

    Not a person's `less` of a file in it. There are none to see where there is no `/proc`.
    """
    rays = f"{folder}/{RAYS_PART}/"
    option = re.compile(rb"(?:^|\0)--[\w-]+=" + re.escape(os.fsencode(rays)))
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes()
            named = words.startswith(b"ray::") and _has_open(path.with_name("fd"), rays)
            if named or option.search(words):
                yield int(path.parent.name)


def _has_open(descriptors: Path, below: str) -> bool:
    return any(str(each.readlink()).startswith(below) for each in descriptors.iterdir())


def _is_abandoned(folder: Path) -> bool:
    handle = os.open(folder / _OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        try:
            written = json.loads(os.read(handle, 4096))
        except RecursionError as error:
            raise ValueError("it is nested too deep") from error
        owner, at = Process.read(written), written.get("at")
        if not isinstance(at, int | float):
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # no locks on this file system
            return _is_gone(owner, at, unseen=False)
        return _is_gone(owner, at, unseen=True)
    finally:
        os.close(handle)


def _is_gone(owner: Process, at: float, *, unseen: bool) -> bool:
    """Whether an owner, which wrote its name at a time (seconds since 1970), has surely ended.

    `unseen` is the answer for a process of this machine in another container, which cannot be
    asked for.
    """
    here = Process.this()
    if owner.host != here.host:
        return False
    if owner.boot != here.boot:  # before this machine's last start, or a machine of the same name
        return at < booted()
    if owner.namespace != here.namespace:
        return unseen
    return not owner.runs


def _remove(folder: Path) -> None:
    """Remove a folder, also what a workload has put out of its own reach.

    If something stays, since it is written to meanwhile, so does the owner: the next driver tries.
    """
    for path, folders, _ in os.walk(folder):
        for name in folders:
            below = Path(path, name)
            with contextlib.suppress(OSError):
                if not below.is_symlink():
                    below.chmod(0o700)
    with contextlib.suppress(OSError):
        for one in folder.iterdir():
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one, ignore_errors=True)
            elif one.name != _OWNER:
                one.unlink(missing_ok=True)
        if [one.name for one in folder.iterdir()] == [_OWNER]:
            (folder / _OWNER).unlink()
        folder.rmdir()
