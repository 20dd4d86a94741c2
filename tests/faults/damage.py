"""Campaign `damage`: every file of a results folder flipped, cut, zeroed, swapped, lost, outdated.

Each round copies a results folder, damages one file, and runs the study again. Either it ends with
what was known before and the undisturbed run's tables, or with a sentence, and the file as it is.
"""

from __future__ import annotations

import random
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.bench import Bench, bench
from tests.faults.judge import Round, acknowledged, facts_in
from tests.faults.warm import Order, Warm

__all__ = ["DAMAGES", "Specimen", "damaged", "rounds", "specimen"]

STUDY = "small"
PAGE = 4096
REFUSED = (4, 5)
_PICTURES = (".png", ".pdf")
_DERIVED = ("checkpoints/", "mlflow", "optuna.sqlite", f"{STUDY}/", "ledger.sqlite-shm", "lock")
"""What can be made again from the facts: damage to it is mended, not refused."""


@dataclass
class Specimen:
    """A results folder to damage copies of, its files, and an older state of it.

    `words` run its study, and `said` is what the drivers that made it said.
    """

    bench: Bench
    folder: Path
    older: Path
    words: list[str]
    said: str

    def files(self) -> list[str]:
        """Every file but pictures, which nobody reads back."""
        return sorted(
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.is_file() and not (path.suffix in _PICTURES or "artifacts" in str(path))
        )


@contextmanager
def specimen(warm: Warm, *, ended: bool, mirrors: bool = False) -> Iterator[Specimen]:
    """A specimen: its study is complete, or its driver was killed half-way."""
    with ExitStack() as stack:
        at = stack.enter_context(bench(STUDY, 0))
        words = at.words("local")
        if mirrors:
            words.remove("--no-mirrors")
        whole, older = at.folder / "whole", at.folder / "older"
        said = _killed(at, words, trials=2)
        shutil.copytree(at.results, older)
        said += _killed(at, words, trials=2)
        if ended:
            code, more = warm.run(at, words)
            if code != 0:
                raise RuntimeError(f"the specimen could not be made: {more}")
            said += more
        at.results.rename(whole)
        for left in at.temporary.iterdir():  # by the drivers that were killed
            shutil.rmtree(left)
        yield Specimen(at, whole, older, words, said)


def _killed(at: Bench, words: list[str], *, trials: int) -> str:
    """Kill a driver once it has said so many trials, and one is under way with a checkpoint."""
    driver, kept = at.start(words), at.results / "checkpoints"
    while driver.process.poll() is None:
        over = len(acknowledged(driver.words)) >= trials
        if over and kept.is_dir() and any(not path.suffix for path in kept.iterdir()):
            break
        time.sleep(0.001)
    driver.kill()
    return driver.words


def _flip(content: bytearray, draw: random.Random) -> None:
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)


def _cut(content: bytearray, draw: random.Random) -> None:
    del content[draw.randrange(len(content)) :]


def _zero(content: bytearray, draw: random.Random) -> None:
    page = draw.randrange(-(-len(content) // PAGE)) * PAGE
    content[page : page + PAGE] = bytes(len(content[page : page + PAGE]))


def _swap(content: bytearray, draw: random.Random) -> None:
    pages = [content[i : i + PAGE] for i in range(0, len(content), PAGE)]
    if len(pages) > 1:
        a, b = draw.sample(range(len(pages)), 2)
        pages[a], pages[b] = pages[b], pages[a]
    content[:] = b"".join(pages)


def _append(content: bytearray, draw: random.Random) -> None:
    content += draw.randbytes(draw.randrange(1, 2 * PAGE))


def _empty(content: bytearray, draw: random.Random) -> None:
    content.clear()


DAMAGES: dict[str, Callable[[bytearray, random.Random], None] | None] = {
    "flip": _flip,
    "cut": _cut,
    "zero": _zero,
    "swap": _swap,
    "append": _append,
    "empty": _empty,
    "delete": None,
    "older": None,
}


def rounds(warm: Warm, specimens: Sequence[Specimen], seed: int) -> Iterator[Round]:
    """Rounds for ever: every file of each in turn, a kind of damage drawn for each."""
    files = [(one, name) for one in specimens for name in one.files()]
    while True:
        one, name = files[seed % len(files)]
        yield damaged(warm, one, name, seed)
        seed += 1


def damaged(
    warm: Warm, one: Specimen, name: str, seed: int, *, kind: str = "", blind: str = ""
) -> Round:
    """One round: one file of a copy damaged, the study looked at and run."""
    draw = random.Random(seed)
    kind = kind or draw.choice(sorted(DAMAGES))
    done = Round(f"damage, {_family(name)}", seed, blows=1)
    done.windows[kind] += 1
    at = one.bench
    at.remove_results()
    shutil.copytree(one.folder, at.results)
    before = facts_in(one.folder)
    if not _damage(at.results / name, one.older / name, kind, draw):
        done.blows = 0
        return done
    struck = _contents(at.results)
    status = ["status", str(at.file), "--results", str(at.results)]
    looked, words = warm.run(at, status, Order(blind=blind))
    done.ended(looked, words, allowed=(0, *REFUSED))
    if looked != 0:
        _unchanged(done, struck, at.results, "status")
    code, words = warm.run(at, one.words, Order(blind=blind))
    done.ended(code, words, allowed=(0,) if name.startswith(_DERIVED) else (0, *REFUSED))
    if code == 0:
        done.heard(at, one.said)
        after = facts_in(at.results)
        if [f.digest() for f in after[: len(before)]] != [f.digest() for f in before]:
            done.fault("lost", "facts are gone, and the code is 0")
        done.judge_facts(after)
        done.judge_tables(at)
    elif code is not None:
        _unchanged(done, struck, at.results, "run")
    done.judge_leftovers(at)
    done.faults = [(what, f"{kind} of {name}: {said}") for what, said in done.faults]
    return done


def _damage(path: Path, older: Path, kind: str, draw: random.Random) -> bool:
    """Damage a file; False if it is what it was, so that there is nothing to see."""
    before = path.read_bytes()
    if kind == "delete":
        path.unlink()
        return True
    if kind == "older":
        if not older.exists():
            return False
        shutil.copyfile(older, path)
    else:
        content = bytearray(before)
        change = DAMAGES[kind]
        if change is None or (not content and kind != "append"):
            return False
        change(content, draw)
        path.write_bytes(content)
    return path.read_bytes() != before


def _contents(results: Path) -> dict[str, bytes]:
    """The files that hold facts."""
    return {
        path.name: path.read_bytes()
        for path in results.glob("ledger*")
        if path.is_file() and not path.name.endswith("-shm")
    }


def _unchanged(done: Round, before: dict[str, bytes], results: Path, command: str) -> None:
    """What is refused is left as it is."""
    after = _contents(results)
    changed = {name for name in before if after.get(name) != before[name]}
    if changed:
        done.fault("lost", f"refused by {command}, and changed all the same: {sorted(changed)}")


def _family(name: str) -> str:
    """The file's place in the table of results."""
    if name.startswith("checkpoints/"):
        return "checkpoints"
    if name.startswith(f"{STUDY}/"):
        return "published tables"
    return re.sub(r"\.new$", "", name)
