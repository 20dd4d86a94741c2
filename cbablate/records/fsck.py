"""What can still be read of a ledger, and a new ledger made of it.

Nothing here alters the files that are examined: a repair copies them into a folder of their own
before it puts a new ledger in their place.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cbablate.errors import CbablateError, DamagedState, EnvironmentFault, OwnedElsewhere
from cbablate.fingerprint import canonical
from cbablate.records.disk import synchronise
from cbablate.records.facts import TrialFact
from cbablate.records.history import History, falsely_complete, fold
from cbablate.records.record import Record
from cbablate.records.sqlite.layout import APPLICATION, LEDGER_FILE, create, strange
from cbablate.records.sqlite.lease import Told, holder_now, lives, may_be_taken, read_lease
from cbablate.records.sqlite.ledger_file import LedgerFile, connected
from cbablate.records.sqlite.lock import exclusive
from cbablate.records.sqlite.seal import SEAL_FILE, SealFile, read_seal, seal_of
from cbablate.records.sqlite.sqlite_fault import SQLITE_ERRORS, fault

__all__ = ["Examination", "examine", "release", "repair"]

_PARTS = (LEDGER_FILE, f"{LEDGER_FILE}-wal", f"{LEDGER_FILE}-shm", SEAL_FILE)
_MOST = 10_000_000
"""No ledger has more facts: a number beyond is damage, and is not counted up to."""


@dataclass(frozen=True)
class Examination:
    """What is whole of a ledger, and what is not.

    `facts` are those that are whole; `lost` the numbers of those that are not or that are gone, as
    first and last of each range; `trials` those known to be concerned. `damage` are sentences; a
    ledger without any is whole. `lease` is who may append, as the file has it.
    """

    folder: Path
    facts: Sequence[Record] = ()
    lost: Sequence[tuple[int, int]] = ()
    trials: Sequence[str] = ()
    damage: Sequence[str] = ()
    lease: Told | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damage


@dataclass
class _Read:
    """Facts read one by one, and the numbers of damaged ones with the subjects they still name."""

    facts: list[Record] = field(default_factory=list)
    bad: dict[int, str] = field(default_factory=dict)
    most: int = 0
    lease: Told | None = None


def examine(folder: Path) -> Examination:
    """Look at a ledger as it lies there.

    Raises:
        EnvironmentFault: the machine cannot read it.
    """
    path = folder / LEDGER_FILE
    try:
        with LedgerFile.reading(folder) as ledger:
            facts = ledger.records()
    except DamagedState as error:
        return _damaged(path, _reason(error))
    found = Examination(folder, facts, lease=_lease(path) if path.exists() else None)
    false = _false_ends(facts)
    if not false:
        return found
    trials = sorted({fact.subject for fact in false})
    what = f"{len(trials)} trials are said to be complete and did not spend their budget"
    return replace(
        found,
        facts=[fact for fact in facts if fact not in false],
        lost=_ranges(fact.sequence for fact in false),
        trials=trials,
        damage=[f"{what}: two processes wrote at once, or the ledger was altered"],
    )


def repair(folder: Path) -> tuple[Examination, Path | None]:
    """Put a ledger of all whole facts in the place of a damaged one.

    The damaged files are copied into a new folder beside them first, which is given back with what
    was found; None where nothing was wrong.

    Raises:
        OwnedElsewhere: a process that may be alive appends to it.
        DamagedState: no fact can be read, so that there is nothing to make a ledger of.
        EnvironmentFault: the disk does not take it.
    """
    with exclusive(folder / "lock") as lock:
        found = examine(folder)
        if found.whole:
            return found, None
        path = folder / LEDGER_FILE
        if found.lease is not None and path.exists():
            may_be_taken(found.lease, holder_now(path, lock.file))
        if not found.facts:
            raise DamagedState(
                f"no fact of {path} can be read, so that it cannot be repaired. It was left as it "
                "is: put a good copy in its place, or move the folder away to start anew."
            )
        try:
            kept = _kept(folder)
            _replace(folder, found.facts)
        except OSError as error:
            raise EnvironmentFault(
                f"the ledger in {folder} cannot be repaired: {error.strerror or error}."
            ) from error
        return found, kept


def release(folder: Path) -> Told | None:
    """Take the lease of a process that a person knows to be gone from it; who held it.

    Raises:
        OwnedElsewhere: the process is alive on this machine.
        DamagedState, EnvironmentFault: the ledger cannot be opened.
    """
    path = folder / LEDGER_FILE
    if not path.exists():
        raise EnvironmentFault(f"there is no ledger in {folder}.")
    with exclusive(folder / "lock") as lock:
        with LedgerFile.reading(folder):
            pass
        ours = holder_now(path, lock.file)
        with closing(connected(path, "rw")) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                held = _lease_of(connection)
                if held is not None and held.holder is not None and lives(held.holder, ours):
                    raise OwnedElsewhere(f"{held.holder.name} is alive: stop it.")
                if held is not None:
                    connection.execute("DELETE FROM lease")
                connection.execute("COMMIT")
            except SQLITE_ERRORS as error:
                raise fault(path, error, "written") from error
    return held


def _damaged(path: Path, reason: str) -> Examination:
    """What can be read of a ledger that is refused for this reason."""
    ways = [read for way in ("", "&immutable=1") if (read := _read(path, way)) is not None]
    best = max(ways, key=lambda read: len(read.facts), default=_Read())
    sealed = None
    with suppress(ValueError):
        sealed = read_seal(path.parent)
    false = _false_ends(best.facts)
    facts = [fact for fact in best.facts if fact not in false]
    there = {fact.sequence for fact in facts}
    most = max(best.most, sealed.facts if sealed else 0)
    trials = {subject for subject in best.bad.values() if subject}
    return Examination(
        path.parent,
        facts,
        _ranges(number for number in range(1, most + 1) if number not in there),
        sorted(trials | {fact.subject for fact in false}),
        [reason],
        best.lease,
    )


def _read(path: Path, way: str) -> _Read | None:
    """All that can be read of a ledger, with its -wal or without; None if it is none."""
    try:
        connection = connected(path, "ro", way)
    except CbablateError:
        return None
    with closing(connection):
        try:
            if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION,):
                return None
            schema = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        except SQLITE_ERRORS:
            return None
        own = [row for row in schema if row[1] in ("records", "sqlite_sequence")]
        if strange(1, own):
            return None
        found = _Read()
        with suppress(*SQLITE_ERRORS):
            found.lease = _lease_of(connection)
        for row in _rows(connection, found):
            fact = LedgerFile.whole(row)
            if isinstance(fact, Record):
                found.facts.append(fact)
            else:
                found.bad[row[0]] = str(row[2])[:80] if isinstance(row[2], str) else ""
        return found


def _rows(connection: sqlite3.Connection, found: _Read) -> Iterator[tuple[Any, ...]]:
    """Every row that SQLite can read: in order and, past damage, by number."""
    columns = "SELECT sequence, kind, subject, at, body, digest FROM records"
    last = 0
    with suppress(*SQLITE_ERRORS):
        for row in connection.execute(f"{columns} ORDER BY sequence"):
            last = row[0]
            yield row
    ends = ("SELECT max(sequence) FROM records", "SELECT seq FROM sqlite_sequence")
    for question in ends:
        with suppress(*SQLITE_ERRORS):
            (most,) = connection.execute(question).fetchone() or (0,)
            if type(most) is int and most <= _MOST:
                found.most = max(found.most, most)
    found.most = max(found.most, last)
    for number in range(last + 1, found.most + 1):
        with suppress(*SQLITE_ERRORS):
            yield from connection.execute(f"{columns} WHERE sequence = ?", (number,)).fetchall()


def _false_ends(facts: Sequence[Record]) -> list[Record]:
    """The ends of trials that are said to be complete and did not spend their budget."""
    told, budgets, ends = dict[str, History](), dict[str, int](), dict[str, Record]()
    for fact in facts:
        if fact.kind == "trial":
            budgets[fact.subject] = TrialFact.of(fact).amount
        if fold(told, fact) and fact.kind == "ended":
            ends[fact.subject] = fact
    return [
        fact
        for trial, fact in ends.items()
        if trial in budgets and falsely_complete(told[trial], budgets[trial])
    ]


def _kept(folder: Path) -> Path:
    """A new folder with copies of the damaged files, on disk."""
    number = 1
    while (folder / f"damaged-{number}").exists():
        number += 1
    kept = folder / f"damaged-{number}"
    kept.mkdir(mode=0o700)
    for name in _PARTS:
        if (folder / name).is_file():
            shutil.copy2(folder / name, kept / name)
            synchronise(kept / name)
    synchronise(kept)
    return kept


def _replace(folder: Path, facts: Iterable[Record]) -> None:
    """Put a new ledger of these facts, numbered anew, in the place of what is there."""
    fresh = folder / "repaired"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    path = fresh / LEDGER_FILE
    create(path)
    rows = [(f.kind, f.subject, f.at, canonical(f.body), f.digest()) for f in facts]
    seal = seal_of(row[-1] for row in rows)
    with closing(connected(path, "rw")) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO records (kind, subject, at, body, digest) VALUES (?, ?, ?, ?, ?)", rows
            )
            connection.execute("UPDATE seal SET facts = ?, digest = ?", (seal.facts, seal.digest))
            connection.execute("COMMIT")
        except SQLITE_ERRORS as error:
            raise fault(path, error, "written") from error
    for name in reversed(_PARTS[1:]):
        (folder / name).unlink(missing_ok=True)
    path.replace(folder / LEDGER_FILE)
    with closing(SealFile(folder)) as beside:
        beside.write(seal, lasting=True)
    synchronise(folder)
    shutil.rmtree(fresh, ignore_errors=True)


def _lease(path: Path) -> Told | None:
    try:
        with closing(connected(path, "ro")) as connection:
            return _lease_of(connection)
    except (CbablateError, *SQLITE_ERRORS):
        return None


def _lease_of(connection: sqlite3.Connection) -> Told | None:
    """The lease; None for a ledger of format 1, which has none."""
    if connection.execute("PRAGMA user_version").fetchone() == (1,):
        return None
    return read_lease(connection)


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found


def _reason(error: DamagedState) -> str:
    """The part of a refusal that says what is wrong."""
    text = str(error).partition(" cannot be trusted: ")[2] or str(error)
    return text.partition(". It was left as it is")[0]
