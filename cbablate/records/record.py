"""`Record`: one fact, as it is kept for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any, Literal, get_args

from cbablate.fingerprint import canonical

__all__ = ["KINDS", "Kind", "Record", "digest_of"]

Kind = Literal[
    "session",
    "worker",
    "study",
    "arm",
    "trial",
    "proposed",
    "started",
    "measured",
    "ended",
    "timed",
]
"""What a fact is about: `records.facts` has a class for each."""

KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Record:
    """One fact: what kind, about which subject, when (UTC seconds), and what it says.

    `sequence` orders facts; the ledger gives it, and 0 stands for "not recorded yet". Order is
    never read off a clock.
    """

    kind: Kind
    subject: str
    body: Mapping[str, Any]
    at: float
    sequence: int = 0

    def digest(self) -> str:
        """A checksum over all that the fact says, kept beside it to tell damage from data."""
        return digest_of(self.kind, self.subject, canonical(self.body), self.at)


def digest_of(kind: str, subject: str, body: str, at: float) -> str:
    """The checksum of a fact whose body is already canonical text, as a ledger keeps it."""
    # The canonical text of all four; spelled out, for a large ledger has 100,000 facts to check.
    said = f'["{kind}",{encode_basestring_ascii(subject)},{body},"{at!r}"]'
    return hashlib.sha256(said.encode("ascii")).hexdigest()[:16]
