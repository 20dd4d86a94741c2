"""Campaign `disk`: no room, no descriptors, no right to write; then all of it again.

However a run ends while the disk is against it, it ends with a sentence; and once there is room,
the same command goes on and ends with the undisturbed run's tables.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

from tests.faults.bench import Bench, bench
from tests.faults.judge import Round
from tests.faults.warm import Order, Warm, shim

__all__ = ["WAYS", "filled", "rounds"]

STUDY = "small"
_CHANGES = 200
"""About how many changes a whole run makes to its results folder."""
_BYTES = 70_000
"""About how large its largest file becomes."""


def rounds(warm: Warm, seed: int, *, blind: str = "") -> Iterator[Round]:
    """Rounds for ever: each way in turn."""
    ways = [way for way in WAYS if _possible(way)]
    while True:
        yield filled(warm, ways[seed % len(ways)], seed, blind=blind)
        seed += 1


def filled(warm: Warm, way: str, seed: int, *, blind: str = "") -> Round:
    """One round: a run against a disk that is full in this way, then one with room."""
    done = Round(f"disk, {way}", seed, blows=1)
    with bench(STUDY, seed, blind=blind) as at:
        code, words = WAYS[way](warm, at)
        done.windows[f"exit {code}"] += 1
        done.ended(code, words, allowed=(0, 4))
        if not words.strip():
            done.fault("code", f"exit code {code} without a sentence")
        if "cannot be trusted" in words:
            done.fault("code", f"called damage: {words.strip().splitlines()[-1][:200]}")
        facts = done.heard(at, words)
        if code == 0:
            done.judge_facts(facts)
            done.judge_tables(at)
        code, words = warm.run(at, at.words("local"))
        done.ended(code, words, allowed=(0,))
        done.judge_facts(done.heard(at, words))
        done.judge_tables(at)
        done.judge_leftovers(at)
    return done


def _full_from(warm: Warm, at: Bench) -> tuple[int | None, str]:
    """The disk is full from some change on, which is itself half done."""
    at.results.mkdir(mode=0o700)
    order = Order(watched=str(at.results), full=at.draw.randint(1, _CHANGES), blind=at.blind)
    return warm.run(at, at.words("local"), order)


def _full_scratch(warm: Warm, at: Bench) -> tuple[int | None, str]:
    """The disk of the temporary folder is full."""
    order = Order(watched=str(at.temporary), full=at.draw.randint(1, 20), blind=at.blind)
    return warm.run(at, at.words("local"), order)


def _short_files(warm: Warm, at: Bench) -> tuple[int | None, str]:
    """No file may be longer than so many bytes, which needs no shim."""
    order = Order(largest=at.draw.randrange(1, _BYTES), blind=at.blind)
    return warm.run(at, at.words("local"), order)


def _few_descriptors(warm: Warm, at: Bench) -> tuple[int | None, str]:
    """Only a few more files can be open at a time."""
    return warm.run(
        at, at.words("local"), Order(descriptors=at.draw.randint(1, 12), blind=at.blind)
    )


def _small_mount(warm: Warm, at: Bench) -> tuple[int | None, str]:
    """A mount of some kB, from the start or half-way; what it holds is then moved to more room."""
    size = at.draw.choice((4, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128, 160))
    return _mounted(at, f"mount -t tmpfs -o size={size}k,mode=700 none {at.results}")


def _read_only(warm: Warm, at: Bench) -> tuple[int | None, str]:
    """A mount that cannot be written, over results that are half there."""
    driver = at.start(at.words("local"))
    while "3/6" not in driver.words and driver.process.poll() is None:
        time.sleep(0.005)
    driver.kill()
    return _mounted(
        at, f"mount --bind {at.results} {at.results} && mount -o remount,ro,bind {at.results}"
    )


def _mounted(at: Bench, mount: str) -> tuple[int | None, str]:
    """Run with a mount that only this run sees; what was written to it is kept."""
    at.results.mkdir(exist_ok=True, mode=0o700)
    kept = at.folder / "kept"
    script = f'{mount} && {{ "$@"; code=$?; cp -a {at.results} {kept}; exit $code; }}'
    driver = at.start(at.words("local"), before=["unshare", "-m", "sh", "-c", script, "sh"])
    code = driver.wait(120)
    if kept.exists():
        shutil.rmtree(at.results)
        kept.rename(at.results)
    return code, driver.words


WAYS: dict[str, Callable[[Warm, Bench], tuple[int | None, str]]] = {
    "full from the n-th change": _full_from,
    "full temporary folder": _full_scratch,
    "short files": _short_files,
    "few descriptors": _few_descriptors,
    "small mount": _small_mount,
    "read-only mount": _read_only,
}


def _possible(way: str) -> bool:
    if way.startswith("full"):
        return shim() is not None
    return "mount" not in way or mounts()


def mounts() -> bool:
    """Whether this user may mount something of their own."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    )
    return tried.returncode == 0
