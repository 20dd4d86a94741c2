"""`Lease`: which process may append, kept in the ledger itself.

The lock file (`records.lock`) keeps a second driver out wherever `flock` works and nobody removes
the file. The lease keeps it out everywhere else: a row of the ledger names the holder, each append
confirms it in its own transaction, and it is taken from a holder only when that process is
provably gone:

- it ran on this machine since the machine's last start, in our namespace of processes, and no
  process of that number and start time is there;
- or it ran in another namespace of processes (a container) of this machine, and held `flock` on
  the very lock file (device and inode) that we hold now;
- or the ledger lies on a file system that one machine alone can mount, and the holder ran before
  this machine's last start;
- or it ran on this machine and holds another file: this ledger is a copy, as its inode says.

Whoever cannot be proved gone is taken for living. A person who knows better says so:
`cbablate fsck RESULTS --release`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import sqlite3
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cbablate.errors import OwnedElsewhere
from cbablate.records.crash_point import crash_point
from cbablate.records.process import Process

__all__ = ["Holder", "Lease", "Told", "holder_now", "lives", "may_be_taken", "read_lease", "take"]

_LOCAL = {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "ramfs", "tmpfs", "xfs", "zfs"}
"""File systems that one kernel has mounted at a time, and whose inode numbers tell files apart."""
_ONE_KERNEL = _LOCAL | {"overlay"}
_OCTAL = re.compile(r"\\([0-7]{3})")
_held: set[str] = set()
"""Tokens of the leases that this process holds."""


@dataclass(frozen=True)
class Holder:
    """The process that may append, and the files by which it reaches the ledger.

    `ledger` and `lock` are the device and inode of these files.
    """

    process: Process
    since: str
    folder: str
    ledger: tuple[int, int]
    lock: tuple[int, int]

    @property
    def name(self) -> str:
        """Who it is, for a sentence."""
        process = self.process
        return f"process {process.pid} on {process.host}, since {self.since}, in {self.folder}"

    @property
    def facts(self) -> dict[str, object]:
        """It as plain values."""
        return {
            **asdict(self.process),
            "since": self.since,
            "folder": self.folder,
            "ledger": self.ledger,
            "lock": self.lock,
        }


def holder_now(ledger: Path, lock: tuple[int, int]) -> Holder:
    """This process, as the holder of a ledger's lease."""
    about = ledger.stat()
    return Holder(
        process=Process.this(),
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        folder=str(ledger.parent.absolute()),
        ledger=(about.st_dev, about.st_ino),
        lock=lock,
    )


@dataclass(frozen=True)
class Lease:
    """The right to append under a token that no other process knows."""

    token: str

    def confirm(self, connection: sqlite3.Connection) -> None:
        """Note a sign of life; inside the transaction that appends.

        Raises:
            OwnedElsewhere: another process has taken the lease.
        """
        found = connection.execute(
            "UPDATE lease SET seen = ? WHERE token = ?", (round(time.time(), 3), self.token)
        )
        if found.rowcount != 1:
            now = read_lease(connection) or "one that has ended since"
            raise OwnedElsewhere(
                f"another process took this ledger over: {now}. This one stops; nothing that it "
                "recorded before is lost."
            )

    def release(self, connection: sqlite3.Connection) -> None:
        """Give the lease back, inside a transaction."""
        crash_point("lease.release")
        connection.execute("DELETE FROM lease WHERE token = ?", (self.token,))
        self.forget()

    def forget(self) -> None:
        """Hold it no more, whatever the ledger says."""
        _held.discard(self.token)


def take(connection: sqlite3.Connection, ours: Holder) -> Lease:
    """Take the lease for a holder, inside a transaction that no other can enter.

    Raises:
        OwnedElsewhere: a process holds it that lives, or is not known to be gone.
    """
    found = read_lease(connection)
    if found is not None:
        may_be_taken(found, ours)
    lease = Lease(secrets.token_hex(8))
    crash_point("lease.before")
    connection.execute("DELETE FROM lease")
    _held.add(lease.token)
    connection.execute(
        "INSERT INTO lease VALUES (?, ?, ?)",
        (lease.token, json.dumps(ours.facts), round(time.time(), 3)),
    )
    return lease


def may_be_taken(found: Told, ours: Holder) -> None:
    """Refuse to take a lease from a holder that is not provably gone.

    Raises:
        OwnedElsewhere: it lives, or may live.
    """
    if not _gone(found.holder, ours, found.token):
        raise OwnedElsewhere(
            f"another cbablate is writing to this ledger: {found}. Wait for it, stop "
            f"it, or use another folder with --results. If that process or its machine is dead: "
            f"cbablate fsck {shlex.quote(ours.folder)} --release"
        )


def lives(holder: Holder, ours: Holder) -> bool:
    """Whether a holder is a process of this machine, seen from here, that is there."""
    its, this = holder.process, ours.process
    near = (its.host, its.boot, its.namespace) == (this.host, this.boot, this.namespace)
    return near and its.runs


@dataclass(frozen=True)
class Told:
    """A lease as a ledger has it: the holder (None if it cannot be read), and its last sign of
    life in UTC seconds.
    """

    holder: Holder | None
    seen: float
    token: str

    def __str__(self) -> str:
        try:
            sign = datetime.fromtimestamp(self.seen, UTC).isoformat(timespec="seconds")
        except (ValueError, OverflowError, OSError):
            sign = "not known"
        name = self.holder.name if self.holder else "a process that cannot be read"
        return f"{name}; last sign of life {sign}"


def read_lease(connection: sqlite3.Connection) -> Told | None:
    """Who holds the lease; None where nobody does."""
    row = connection.execute("SELECT holder, seen, token FROM lease").fetchone()
    if row is None:
        return None
    seen = float(row[1]) if isinstance(row[1], int | float) else 0.0
    return Told(_holder(row[0]), seen, str(row[2]))


def _holder(text: object) -> Holder | None:
    try:
        written = json.loads(text)  # type: ignore[arg-type]  # what a damaged file holds
        process = Process.read(written)
        since, folder = written["since"], written["folder"]
        (disk, ledger), (other, lock) = written["ledger"], written["lock"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    numbers = (disk, ledger, other, lock)
    if not all(type(number) is int and 0 <= number < 2**63 for number in numbers):
        return None
    if not isinstance(since, str) or not isinstance(folder, str):
        return None
    return Holder(process, since, folder, (disk, ledger), (other, lock))


def _gone(holder: Holder | None, ours: Holder, token: str) -> bool:
    """Whether the holder is provably gone, or provably holds another file than ours."""
    if holder is None:
        return False
    its, this = holder.process, ours.process
    system = _file_system(ours.folder)
    if its.boot != this.boot:
        return system in _ONE_KERNEL and bool(its.boot) and bool(this.boot)
    if not this.boot and its.host != this.host:  # this system does not name its starts
        return False
    if system in _LOCAL and holder.ledger[1] != ours.ledger[1]:
        return True
    if its.namespace == this.namespace:
        if (its.pid, its.started) == (this.pid, this.started):
            return token not in _held
        return not its.runs
    return system in _LOCAL and holder.lock == ours.lock


def _file_system(folder: str) -> str:
    """The kind of file system that a folder lies on; "" where the system does not tell."""
    where, longest, kind = os.path.realpath(folder), -1, ""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    for line in mounts.splitlines():
        words = line.split()
        if "-" not in words[6:]:
            continue
        point = _OCTAL.sub(lambda found: chr(int(found[1], 8)), words[4])
        if len(point) >= longest and (f"{where}/").startswith(f"{point.rstrip('/')}/"):
            longest, kind = len(point), words[words.index("-", 6) + 1]
    return kind
