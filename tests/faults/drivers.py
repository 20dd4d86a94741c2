"""Campaign `drivers`: two drivers of one study at once, in every way they could both come in.

The first trains; the second comes while it does. One works, the other ends with exit code 6 (or 5,
where its ledger was taken away from under it), and no trial is trained twice.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults.bench import Bench, Driver, bench
from tests.faults.disk import mounts
from tests.faults.judge import Round, facts_in

__all__ = ["WAYS", "rounds", "together"]

STUDY = "slow"
_HOST = ["unshare", "-u", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"]
_PIDS = ["unshare", "-p", "-f", "--mount-proc"]

Second = Callable[[Bench], tuple[list[str], Path]]
"""Prepares the second driver's coming: the words before it, and its results folder."""


def rounds(seed: int, *, blind: str = "") -> Iterator[Round]:
    """Rounds for ever: each way in turn."""
    ways = [way for way in WAYS if mounts() or not WAYS[way][1]]
    while True:
        yield together(ways[seed % len(ways)], seed, blind=blind)
        seed += 1


def together(way: str, seed: int, *, blind: str = "") -> Round:
    """One round: a second driver comes in this way, at a moment that the seed draws."""
    done = Round(f"two drivers, {way}", seed, blows=1)
    with bench(STUDY, seed, blind=blind) as at:
        first = at.start(at.words("local"))
        if way != "at once":
            _await(first, at.draw.randint(1, 3))
        before, where = WAYS[way][0](at)
        if way == "stopped":
            first.process.send_signal(signal.SIGSTOP)
        second = at.start(at.words("local", results=where), before=before)
        if way == "stopped":
            codes = [second.wait(60)]
            first.process.send_signal(signal.SIGCONT)
            codes.insert(0, first.wait(120))
        else:
            codes = [first.wait(120), second.wait(120)]
        done.windows[f"exit {codes[0]} and {codes[1]}"] += 1
        apart = way == "copied"  # a copy is another folder: both may work, each in its own
        _judge(done, at, (first, second), codes, where, apart=apart)
        for folder in {where if where.exists() else at.results, *([at.results] if apart else [])}:
            _go_on(done, at, folder)
        done.judge_leftovers(at)
    return done


def _judge(
    done: Round, at: Bench, both: tuple[Driver, Driver], codes: list[int | None], where: Path,
    *, apart: bool,
) -> None:  # fmt: skip
    """One of them works, and the other says why it does not."""
    for code, driver in zip(codes, both, strict=True):
        done.ended(code, driver.words, allowed=(0, 5, 6))
    if codes.count(0) > 1 and not apart:
        done.fault("code", "both drivers end with 0")
    for code, driver in zip(codes, both, strict=True):
        folder = at.results if driver is both[0] and at.results.exists() else where
        if code == 0 and not (folder / "ledger.sqlite").exists():
            done.fault("lost", f"exit code 0, and there is no ledger in {folder.name}")


def _go_on(done: Round, at: Bench, folder: Path) -> None:
    """Run once more in a folder: what is there is whole, and nothing was trained twice."""
    code, driver = at.run(at.words("local", results=folder))
    done.ended(code, driver.words, allowed=(0,))
    facts = facts_in(folder)
    done.judge_facts(facts)
    done.judge_tables(at, folder)
    sessions = {f.body["session"] for f in facts if f.kind == "started"}
    sequences = {s: [f.sequence for f in facts if f.kind == "started" and f.body["session"] == s]
                 for s in sessions}  # fmt: skip
    spans = sorted((min(of), max(of)) for of in sequences.values())
    if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans)):
        done.fault("repeated", "two sessions began trials in turns")


def _await(driver: Driver, trials: int) -> None:
    while f"{trials}/6" not in driver.words and driver.process.poll() is None:
        time.sleep(0.01)


def _same(at: Bench) -> tuple[list[str], Path]:
    return [], at.results


def _without_lock(at: Bench) -> tuple[list[str], Path]:
    (at.results / "lock").unlink()
    return [], at.results


def _other_lock(at: Bench) -> tuple[list[str], Path]:
    fresh = at.results / "lock.other"
    fresh.write_bytes(b"")
    fresh.replace(at.results / "lock")
    return [], at.results


def _copied(at: Bench) -> tuple[list[str], Path]:
    other = at.folder / "copy"
    shutil.copytree(at.results, other)
    return [], other


def _moved(at: Bench) -> tuple[list[str], Path]:
    other = at.folder / "moved"
    at.results.rename(other)
    return [], other


def _linked(at: Bench) -> tuple[list[str], Path]:
    other = at.folder / "link"
    other.symlink_to(at.results)
    return [], other


def _hard_linked(at: Bench) -> tuple[list[str], Path]:
    """Another folder with the same ledger in it."""
    other = at.folder / "hard"
    other.mkdir(mode=0o700)
    for path in at.results.iterdir():
        if path.is_file() and path.name != "lock":
            os.link(path, other / path.name)
    return [], other


def _bound(at: Bench) -> tuple[list[str], Path]:
    other = at.folder / "bound"
    other.mkdir()
    script = f'mount --bind {at.results} {other} && exec "$@"'
    return ["unshare", "-m", "sh", "-c", script, "sh"], other


def _other_host(at: Bench) -> tuple[list[str], Path]:
    return _HOST, at.results


def _other_host_without_lock(at: Bench) -> tuple[list[str], Path]:
    (at.results / "lock").unlink()
    return _HOST, at.results


def _other_pids(at: Bench) -> tuple[list[str], Path]:
    return _PIDS, at.results


def _other_pids_without_lock(at: Bench) -> tuple[list[str], Path]:
    (at.results / "lock").unlink()
    return _PIDS, at.results


WAYS: dict[str, tuple[Second, bool]] = {
    "same folder": (_same, False),
    "at once": (_same, False),
    "stopped": (_same, False),
    "lock removed": (_without_lock, False),
    "lock replaced": (_other_lock, False),
    "copied": (_copied, False),
    "moved": (_moved, False),
    "symbolic link": (_linked, False),
    "hard links": (_hard_linked, False),
    "bind mount": (_bound, True),
    "other host name": (_other_host, True),
    "other host name, lock removed": (_other_host_without_lock, True),
    "other process ids": (_other_pids, True),
    "other process ids, lock removed": (_other_pids_without_lock, True),
}
"""How the second comes, and whether that takes the rights of root."""
