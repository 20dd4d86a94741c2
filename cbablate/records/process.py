"""`Process`: which process of which machine something belongs to, and whether it still runs."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Self

__all__ = ["Process", "booted", "started"]


@dataclass(frozen=True)
class Process:
    """A process, so that neither another one with its number nor another machine's is taken for it.

    `boot` names the start of the machine's kernel, `namespace` the set of processes (a container's)
    in which `pid` is counted, `started` when the process began; each is empty where the system does
    not say.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: str

    @classmethod
    def this(cls) -> Self:
        """The process that asks."""
        pid = os.getpid()
        return cls(socket.gethostname(), _boot(), _namespace(), pid, started(pid))

    @classmethod
    def read(cls, written: Any) -> Self:
        """The process that a decoded JSON object describes, by the names of the fields.

        Raises:
            ValueError: it does not describe one.
        """
        try:
            found = cls(**{field.name: written[field.name] for field in fields(cls)})
        except (KeyError, TypeError) as error:
            raise ValueError("it does not describe a process") from error
        words = (found.host, found.boot, found.namespace, found.started)
        if not all(isinstance(word, str) for word in words):
            raise ValueError("it does not describe a process")
        if type(found.pid) is not int or not 0 < found.pid < 2**63:
            raise ValueError("its process number is not one")
        return found

    @property
    def runs(self) -> bool:
        """Whether it may be running; asked for one of this machine's in this namespace.

        One that has ended and that its parent has not yet waited for (a zombie) does not run.
        """
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except OSError:  # somebody else's
            pass
        if _state(self.pid) in ("Z", "X"):
            return False
        now = started(self.pid)
        return not now or not self.started or now == self.started


def started(pid: int) -> str:
    """When a process began, in the system's own words; empty if it does not say."""
    words = _stat(pid)
    if words:
        return words[19]  # field 22: clock ticks since the machine's start
    if Path("/proc/self/stat").exists():
        return ""
    try:
        asked = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def booted() -> float:
    """When this machine's kernel started, in seconds since 1970; 0 if the system does not say."""
    found = re.search(r"^btime (\d+)$", _text("/proc/stat"), re.MULTILINE)
    return float(found[1]) if found else 0.0


def _state(pid: int) -> str:
    return next(iter(_stat(pid)), "")


def _stat(pid: int) -> list[str]:
    """What Linux says of a process, from its state on; empty if it does not."""
    words = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return words if len(words) > 19 else []


@cache
def _boot() -> str:
    return _text("/proc/sys/kernel/random/boot_id").strip()


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
