"""`Seal`: how many facts a ledger has and a digest of them, kept in it and in a file beside it.

The one inside is altered in the transaction of each append. The file beside, `ledger.seal`, is
written when that transaction is on disk: it never says more than was acknowledged. So a ledger
that has fewer facts than its seal beside, or others, has lost some: a -wal file was damaged or
removed, or an older copy was put in place. A ledger that has more was cut off between the two.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cbablate.errors import EnvironmentFault
from cbablate.records.crash_point import crash_point

__all__ = ["EMPTY", "SEAL_FILE", "Seal", "SealFile", "read_seal", "seal_of"]

SEAL_FILE = "ledger.seal"
_FORM = re.compile(rb"cbablate seal 1 (\d{1,18}) ([0-9a-f]{64}) ([0-9a-f]{16}) *\n")
_BYTES = 128  # one sector, so that a write of it is not torn


@dataclass(frozen=True)
class Seal:
    """The number of facts, and the SHA-256 of their checksums in order."""

    facts: int
    digest: str


def seal_of(digests: Iterable[str], facts: int | None = None) -> Seal:
    """The seal of the first `facts` of these checksums, of all by default."""
    listed = list(digests) if facts is None else list(digests)[:facts]
    return Seal(len(listed), hashlib.sha256("".join(listed).encode()).hexdigest())


EMPTY = seal_of(())


def read_seal(folder: Path) -> Seal | None:
    """The seal beside a ledger; None where there is none.

    Raises:
        ValueError: the file is damaged.
        EnvironmentFault: it cannot be read.
    """
    path = folder / SEAL_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be read: {error.strerror}.") from error
    found = _FORM.fullmatch(content)
    if found is None or _check(found[1], found[2]) != found[3]:
        raise ValueError(f"{SEAL_FILE} beside it is damaged")
    return Seal(int(found[1]), found[2].decode())


class SealFile:
    """The seal beside the ledger that this process writes."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / SEAL_FILE
        self._descriptor = -1

    def write(self, seal: Seal, *, lasting: bool) -> None:
        """Replace what the seal says; on disk when this returns where it is to be `lasting`.

        Raises:
            OSError: the disk does not take it.
        """
        crash_point("seal.before")
        facts, digest = str(seal.facts).encode(), seal.digest.encode()
        text = b"cbablate seal 1 %s %s %s" % (facts, digest, _check(facts, digest))
        content = text.ljust(_BYTES - 1) + b"\n"
        if not self._in_place():
            self._make(content)
        else:
            os.pwrite(self._descriptor, content, 0)
            if lasting:
                os.fsync(self._descriptor)
        crash_point("seal.after")

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            with suppress(OSError):  # a workload has closed it
                os.close(self._descriptor)
            self._descriptor = -1

    def _in_place(self) -> bool:
        """Whether the open file is the one of that name."""
        if self._descriptor < 0:
            return False
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        here = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    def _make(self, content: bytes) -> None:
        self.close()
        fresh = self._path.with_name(f"ledger.{secrets.token_hex(4)}.seal.new")
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
            fresh.replace(self._path)
        except OSError:
            os.close(descriptor)
            fresh.unlink(missing_ok=True)
            raise
        self._descriptor = descriptor


def _check(facts: bytes, digest: bytes) -> bytes:
    return hashlib.sha256(facts + b" " + digest).hexdigest()[:16].encode()
