"""Campaign `power`: states that a power cut can leave, made from one driver's log of its writes.

The shim writes down every change of the results folder, every fsync, and what the driver says on
stderr in between. A state is made by stopping at some entry: what was synced by then is there; of
what was not, all, nothing or a part that the seed draws; of a write under way, perhaps a part.
What the driver had said by then must be in the ledger.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.bench import Bench, bench
from tests.faults.judge import Round
from tests.faults.warm import Order, Warm, shim

__all__ = ["Recording", "cut", "recording", "rounds"]

_HEAD = struct.Struct("<cqqq")
_FOLDER = "folder"


@dataclass(frozen=True)
class Entry:
    """One entry of the shim's log; `path` is relative to the results folder."""

    what: str
    path: str
    at: int
    data: bytes


@dataclass
class Recording:
    """A driver's log from nothing to the end of its study, and the bench that it ran on."""

    bench: Bench
    words: list[str]
    entries: list[Entry]


@dataclass
class _File:
    """A file: its bytes on the platter, and what was done to it since."""

    safe: bytearray = field(default_factory=bytearray)
    since: list[Entry] = field(default_factory=list)

    def settled(self, kept: list[Entry]) -> bytes:
        content = bytearray(self.safe)
        for entry in kept:
            _apply(content, entry)
        return bytes(content)


@contextmanager
def recording(warm: Warm, study: str = "small", *, deaf: bool = False) -> Iterator[Recording]:
    """A recording of one whole run; `deaf` is with an fsync that does nothing."""
    if shim() is None:
        raise RuntimeError("the campaign `power` needs a C compiler")
    with bench(study, 0) as at:
        words, log = at.words("local"), at.folder / "log"
        at.results.mkdir(mode=0o700)
        order = Order(watched=str(at.results), log=str(log), deaf=deaf)
        code, said = warm.run(at, words, order)
        if code != 0:
            raise RuntimeError(f"the run to record ended with {code}: {said}")
        yield Recording(at, words, _read(log.read_bytes(), at.results))


def rounds(warm: Warm, recorded: Recording, seed: int) -> Iterator[Round]:
    """Rounds for ever: the power fails at a moment that each seed draws.

    Every tenth is run on to the end of the study; the others are only read.
    """
    while True:
        yield cut(warm, recorded, seed, going_on=seed % 10 == 0)
        seed += 1


def cut(warm: Warm, recorded: Recording, seed: int, *, going_on: bool = True) -> Round:
    """One round: the results folder as a power cut leaves it, read, and run on."""
    draw = random.Random(seed)
    at, done = recorded.bench, Round("power cut", seed, blows=1)
    entries = recorded.entries[: draw.randrange(1, len(recorded.entries) + 1)]
    kept = draw.choice(("nothing", "all", "some", "some"))
    done.windows[f"{kept} unsynced kept"] += 1
    at.remove_results()
    _lay(at.results, entries, kept, draw)
    said = b"".join(entry.data for entry in entries if entry.what == "E").decode(errors="replace")
    said = said.rpartition("\n")[0]  # a line that is half there acknowledges nothing
    done.heard(at, said)
    if going_on and not done.faults:
        code, words = warm.run(at, recorded.words)
        done.ended(code, words, allowed=(0,))
        done.judge_facts(done.heard(at, words))
        done.judge_tables(at)
    return done


def _read(log: bytes, root: Path) -> list[Entry]:
    entries, place, prefix = [], 0, str(root)
    while place < len(log):
        what, path, at, data = _HEAD.unpack_from(log, place)
        place += _HEAD.size
        name = log[place : place + path].decode().removeprefix(prefix).lstrip("/")
        place += path
        content = log[place : place + data]
        place += data
        if what in b"RL":
            content = content.decode().removeprefix(prefix).lstrip("/").encode()
        if not name.endswith("-shm"):  # SQLite makes it anew after a crash
            entries.append(Entry(what.decode(), name, at, content))
    return entries


def _lay(root: Path, entries: list[Entry], kept: str, draw: random.Random) -> None:
    """Make the folder that is there when the power is back."""
    safe: dict[str, _File | str] = {}
    names: dict[str, _File | str] = {}
    pending: list[Entry] = []
    made: dict[int, _File | str] = {}
    for entry in entries:
        if entry.what == "O":
            found = names.get(entry.path)
            if isinstance(found, _File):
                found.since.append(Entry("T", entry.path, 0, b""))
            else:
                names[entry.path] = made[id(entry)] = _File()
                pending.append(entry)
        elif entry.what == "M":
            names[entry.path] = made[id(entry)] = _FOLDER
            pending.append(entry)
        elif entry.what in "RLU":
            _rename(names, entry, made)
            pending.append(entry)
        elif entry.what in "WT":
            found = names.get(entry.path)
            if isinstance(found, _File):
                found.since.append(entry)
        elif entry.what == "S":
            found = names.get(entry.path)
            if isinstance(found, _File):
                found.safe = bytearray(found.settled(found.since))
                found.since.clear()
            else:
                pending = _settle(safe, pending, entry.path, made)
    for entry in pending[: _share(len(pending), kept, draw)]:
        _rename(safe, entry, made)
    root.mkdir(mode=0o700)
    for name, node in sorted(safe.items()):
        path = root / name
        if isinstance(node, _File):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(node.settled(_survivors(node.since, kept, draw)))
        else:
            path.mkdir(parents=True, exist_ok=True)


def _settle(
    safe: dict[str, _File | str], pending: list[Entry], folder: str, made: dict[int, _File | str]
) -> list[Entry]:
    """What is still pending once a folder is synced: the names in it are safe, in their order."""
    left = []
    for entry in pending:
        if str(Path(entry.path).parent) in (folder, folder or "."):
            _rename(safe, entry, made)
        else:
            left.append(entry)
    return left


def _rename(names: dict[str, _File | str], entry: Entry, made: dict[int, _File | str]) -> None:
    """Do to a table of names what an entry did."""
    if entry.what in "OM":
        names[entry.path] = made[id(entry)]
    elif entry.what == "U":
        names.pop(entry.path, None)
    elif entry.path in names and entry.what == "L":
        names[entry.data.decode()] = names[entry.path]
    elif entry.path in names:
        names[entry.data.decode()] = names.pop(entry.path)


def _apply(content: bytearray, entry: Entry) -> None:
    if entry.what == "T":
        del content[entry.at :]
        content.extend(bytes(entry.at - len(content)))
        return
    content.extend(bytes(max(0, entry.at + len(entry.data) - len(content))))
    content[entry.at : entry.at + len(entry.data)] = entry.data


def _share(count: int, kept: str, draw: random.Random) -> int:
    return {"nothing": 0, "all": count}.get(kept, draw.randint(0, count))


def _survivors(since: list[Entry], kept: str, draw: random.Random) -> list[Entry]:
    """The unsynced writes that reached the platter all the same, in any choice; one may be torn."""
    if kept != "some":
        return since if kept == "all" else []
    chosen = [entry for entry in since if draw.random() < 0.5]
    if chosen and draw.random() < 0.3:
        torn = draw.randrange(len(chosen))
        entry = chosen[torn]
        part = entry.data[: draw.randint(0, len(entry.data)) // 512 * 512]
        chosen[torn] = Entry(entry.what, entry.path, entry.at, part)
    return chosen
