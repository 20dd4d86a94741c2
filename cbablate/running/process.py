"""`Process`: which process of which machine something belongs to, and whether it is gone."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

__all__ = ["Process"]


@dataclass(frozen=True)
class Process:
    """A process, so that neither another one with its number nor another machine's is taken for it.

    `boot` names the start of the machine's kernel, `namespace` the set of processes (a container's)
    in which `pid` is counted, `started` when the process began; empty where the system does not
    say. `at` is when this was written, in seconds since 1970.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: str
    at: float

    @classmethod
    def this(cls) -> Self:
        """The process that asks."""
        pid = os.getpid()
        return cls(socket.gethostname(), _boot(), _namespace(), pid, started(pid), time.time())

    @classmethod
    def read(cls, text: bytes) -> Self:
        """The process that was written down as `facts`.

        Raises:
            ValueError: it is not the text of one.
        """
        try:
            found = cls(**json.loads(text))
            if not isinstance(found.pid, int) or not isinstance(found.at, int | float):
                raise TypeError("numbers were expected")
        except (TypeError, RecursionError) as error:
            raise ValueError(f"not a process: {error}") from error
        return found

    @property
    def facts(self) -> dict[str, Any]:
        """It as plain values."""
        return asdict(self)

    def is_gone(self, *, unseen: bool) -> bool:
        """Whether it has surely ended.

        `unseen` is the answer for a process of this machine in another container, which cannot be
        asked for.
        """
        if self.host != socket.gethostname():
            return False
        if self.boot != _boot():  # before this machine's last start, or a machine of the same name
            return self.at < _booted()
        if self.namespace != _namespace():
            return unseen
        return self.started != started(self.pid) if _exists(self.pid) else True


def started(pid: int) -> str:
    """When a process began, in the system's own words; empty if it does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[19]  # field 22: clock ticks since the machine's start
    except (OSError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return ""
    try:
        asked = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    return True


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _booted() -> float:
    """When this machine's kernel started, in seconds since 1970."""
    try:
        found = re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return float(found[1]) if found else 0.0


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
