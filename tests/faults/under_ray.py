"""Campaigns `worker`, `raylet` and `gcs`: SIGKILL of what Ray runs beside the driver.

A worker that dies costs its trial's attempt, and no other trial: the run goes on, and ends with
exit code 0, or 3 with that trial `lost`. A dead raylet or GCS ends the run with exit code 75,
within seconds, and the next one goes on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.bench import STUDIES, Bench, Driver, bench
from tests.faults.judge import Round

__all__ = ["WITHIN", "rounds", "struck"]

STUDY = "plain"
WITHIN = 10.0
"""Seconds in which a run notices that its raylet or GCS is dead; the exit takes some more."""
_GRACE = 30.0
_NAMES = {"worker": "ray::", "raylet": "raylet", "gcs": "gcs_server"}
_CODES = {"worker": (0, 3), "raylet": (75,), "gcs": (75,)}


def rounds(victim: str, seed: int, *, blind: str = "") -> Iterator[Round]:
    """Rounds for ever, from seeds that count up."""
    while True:
        yield struck(victim, seed, blind=blind)
        seed += 1


def struck(victim: str, seed: int, *, kills: int = 4, blind: str = "") -> Round:
    """One round: a run under Ray whose workers (some) or raylet or GCS (once) are killed."""
    done = Round(f"{victim} of Ray", seed)
    with bench(STUDY, seed, blind=blind) as at:
        driver = at.start(at.words("ray"))
        for _ in range(kills if victim == "worker" else 1):
            _await_trials(driver)
            time.sleep(at.draw.uniform(0.0, 0.2 * STUDIES[STUDY].seconds))
            if _strike(at, victim):
                done.blows += 1
        began = time.monotonic()
        if victim == "worker":
            code = driver.wait(180)
            done.windows[f"exit {code}"] += 1
        else:
            code = driver.wait(WITHIN + _GRACE)
            done.windows[f"over after {time.monotonic() - began:.0f} s"] += 1
        if done.blows:
            done.ended(code, driver.words, allowed=_CODES[victim])
        done.heard(at, driver.words)
        code, driver = at.run(at.words("ray"))
        done.finished(at, driver, code)
        done.judge_leftovers(at)
    return done


def _await_trials(driver: Driver, timeout: float = 120.0) -> None:
    """Until one more trial is over than there were."""
    before, until = driver.words.count("complete"), time.monotonic() + timeout
    while driver.words.count("complete") == before and driver.process.poll() is None:
        if time.monotonic() > until:
            return
        time.sleep(0.02)


def _strike(at: Bench, victim: str) -> bool:
    """Kill one process of that kind that is this bench's own; False if there is none."""
    found = [pid for pid in at.processes() if _is(pid, victim)]
    if not found:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(at.draw.choice(sorted(found)), signal.SIGKILL)
        return True
    return False


def _is(pid: int, victim: str) -> bool:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        name = words[0].decode(errors="replace")
        if victim == "worker":
            # Ray's own agents have such names too; raylets die with theirs.
            return name.startswith(_NAMES[victim]) and not ("IDLE" in name or "Agent" in name)
        return Path(name).name == _NAMES[victim]
    return False
