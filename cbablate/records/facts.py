"""What facts say: a class for each kind, with its one spelling to and from a record.

Whoever records a fact, reads one, or makes one up for a test does it with these. A ledger may come
from anybody, so every fact that is read is held against the rules of its class first: all code
behind the reader relies on them. Keys that a class does not have are passed by.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from cbablate.records.measurement import Measurement
from cbablate.records.record import Kind, Record
from cbablate.records.rule import (
    Anything,
    BudgetByUnit,
    Count,
    EndState,
    FailureClass,
    Free,
    Key,
    Notes,
    Positive,
    Rows,
    Share,
    Word,
    Words,
)
from cbablate.records.spelling import Spelling, spelling

__all__ = [
    "SPELLINGS",
    "ArmFact",
    "Ended",
    "Fact",
    "Measured",
    "Proposed",
    "SessionFact",
    "Started",
    "StudyFact",
    "Timed",
    "TrialFact",
    "WorkerFact",
    "attempt_of",
    "measurement_of",
    "misshapen",
]


@dataclass(frozen=True)
class Fact:
    """What a fact says of its subject."""

    kind: ClassVar[Kind]

    @classmethod
    def spelling(cls) -> Spelling:
        """How it is written."""
        return spelling(cls)

    def body(self) -> dict[str, Any]:
        """It as the body of a record."""
        return spelling(type(self)).body(self)

    @classmethod
    def of(cls, record: Record) -> Self:
        """What a record of this kind says."""
        return cls(**cls.spelling().arguments(record.body))

    def record(self, subject: str, at: float | None = None, sequence: int = 0) -> Record:
        """A record of it, as of now where no time is given."""
        at = round(time.time(), 3) if at is None else at
        return Record(self.kind, subject, self.body(), at, sequence)


@dataclass(frozen=True)
class SessionFact(Fact):
    """A driver began, on this machine, with these versions, at this commit."""

    kind = "session"
    host: Anything = None
    versions: Anything = None
    commit: Annotated[Anything, Key(always=True)] = ""
    dirty: Annotated[Anything, Key(always=True)] = False

    @property
    def edits(self) -> str:
        """What is to be said behind the commit; "" where it was checked out as it is."""
        return " with uncommitted changes" if self.dirty else ""


@dataclass(frozen=True)
class WorkerFact(Fact):
    """A process that runs trials; the subject is the fingerprint of the body.

    `host` is processor, cores and GPUs.
    """

    kind = "worker"
    node: Annotated[Word, Key(always=True)] = ""
    host: Anything = None
    versions: Anything = None


@dataclass(frozen=True)
class StudyFact(Fact):
    """A study was asked; the subject is its name.

    `folder` is where its file lay, `place` the same as seen from the results. `version` is the one
    that `code` goes by in this ledger, where that is not its own digest. `searches` are the ids of
    its planned arms, by search.
    """

    kind = "study"
    study: Annotated[Free, Key(always=True)] = field(default_factory=dict)
    folder: Annotated[Word, Key(always=True)] = ""
    place: Word = ""
    trials: Annotated[Words, Key(always=True)] = field(default_factory=list)
    code: Word = ""
    version: Word = ""
    searches: Notes = field(default_factory=dict)


@dataclass(frozen=True)
class ArmFact(Fact):
    """An arm was planned; the subject is its id."""

    kind = "arm"
    workload: Word
    name: Annotated[Word, Key(always=True)] = ""
    levels: Annotated[Free, Key(always=True)] = field(default_factory=dict)
    config: Annotated[Free, Key(always=True)] = field(default_factory=dict)
    version: Annotated[Word, Key(always=True)] = ""
    data: Annotated[Word, Key(always=True)] = ""


@dataclass(frozen=True)
class TrialFact(Fact):
    """A trial was planned; the subject is its id. `budget` is its amount, by unit."""

    kind = "trial"
    arm: Word
    budget: BudgetByUnit
    replicate: Annotated[Count, Key(always=True)] = 0
    seed: Annotated[Count, Key(always=True)] = 0
    search: Word = ""

    @property
    def amount(self) -> int:
        """The budget, in its unit."""
        return max(self.budget.values())


@dataclass(frozen=True)
class Proposed(Fact):
    """A search chose hyperparameters; the subject is the trial's id, or stands for it.

    `rejected` draws came before it that broke a constraint; `refused` says why there is no trial.
    """

    kind = "proposed"
    search: Word
    number: Count
    proposal: Annotated[Free, Key(always=True)] = field(default_factory=dict)
    rejected: Count = 0
    refused: Word = ""


@dataclass(frozen=True)
class Started(Fact):
    """An attempt at a trial began, of this number in its session.

    `worker` is absent where the process died before it could tell, and in ledgers of 0.1.0.
    `reached` is the budget spent at the checkpoint that it was given, if it was given one;
    `shorter` the shorter trial that left it, if that was not its own, whose measurements up to
    there are then told as this one's, and its `sessions` and `workers`. `code` is the digest of the
    code that ran, where the version of the arm does not tell.
    """

    kind = "started"
    attempt: Positive
    session: Word
    executor: Word = ""
    worker: Word = ""
    gpus: Share = 0.0
    reached: Annotated[Count, Key("from")] = 0
    shorter: Annotated[Word, Key("of")] = ""
    sessions: Words = field(default_factory=list)
    workers: Words = field(default_factory=list)
    code: Word = ""


@dataclass(frozen=True)
class Measured(Fact):
    """A trial reported, in the attempt and session of its start.

    Of the facts of 0.1.0, which name no attempt, `attempt` is 0.
    """

    kind = "measured"
    measurement: Measurement
    attempt: Positive = 0
    session: Word = ""

    @classmethod
    def spelling(cls) -> Spelling:
        """The measurement's keys, and those of the attempt."""
        return Spelling(spelling(Measurement).entries + spelling(cls).entries)

    def body(self) -> dict[str, Any]:
        """It as the body of a record."""
        return spelling(Measurement).body(self.measurement) | spelling(Measured).body(self)

    @classmethod
    def of(cls, record: Record) -> Self:
        """What a record of this kind says."""
        return cls(measurement_of(record), *(attempt_of(record) or ()))


@dataclass(frozen=True)
class Ended(Fact):
    """A trial ended, in the attempt and session of its start, if it ever started."""

    kind = "ended"
    state: EndState
    reason: Annotated[Word, Key(always=True)] = ""
    failure: Annotated[FailureClass, Key(always=True)] = ""
    traceback: Annotated[Word, Key(always=True)] = ""
    attempt: Positive = 0
    session: Word = ""


@dataclass(frozen=True)
class Timed(Fact):
    """An arm was timed alone; the subject is its id. `metrics` are values by round.

    Arms of one `batch` were timed in turns.
    """

    kind = "timed"
    batch: Word
    metrics: Rows
    device: Annotated[Word, Key(always=True)] = ""
    session: Word = ""
    worker: Word = ""


_FACTS: tuple[type[Fact], ...] = (
    *(SessionFact, WorkerFact, StudyFact, ArmFact, TrialFact),
    *(Proposed, Started, Measured, Ended, Timed),
)
SPELLINGS: Mapping[Kind, Spelling] = MappingProxyType(
    {fact.kind: fact.spelling() for fact in _FACTS}
)
"""How a fact of each kind is written."""
_NOTHING: Mapping[str, Any] = {}


def attempt_of(record: Record) -> tuple[int, str] | None:
    """The attempt that a `measured` or `ended` fact names, and its session; None of 0.1.0."""
    body = record.body
    return (body["attempt"], body.get("session", "")) if "attempt" in body else None


def measurement_of(record: Record) -> Measurement:
    """The measurement that a `measured` fact tells."""
    body = record.body
    return Measurement(
        body["spent"],
        body["metrics"],
        {name: tuple(values) for name, values in body.get("vectors", _NOTHING).items()},
        body["seconds"],
        body.get("notes", _NOTHING),
        body.get("sketches", _NOTHING),
    )


def misshapen(kind: str, body: Any) -> str:
    """What is wrong with a fact of this kind and body; "" if nothing is."""
    known = SPELLINGS.get(kind)  # type: ignore[call-overload]  # what a damaged file holds
    if known is None:
        return f"there is no kind of fact {str(kind)[:40]!r}"
    if type(body) is not dict:
        return "its body is not a mapping"
    try:
        return str(known.fault(body))
    except RecursionError:
        return "it is nested too deep"
