"""Campaigns `driver` and `ray`: SIGKILL of the driver, at random moments and at named points."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from cbablate.records.crash_point import POINTS, VARIABLE
from tests.faults.bench import STUDIES, Driver, bench
from tests.faults.judge import Round

__all__ = ["at_point", "killed", "point_rounds", "rounds"]

VARIANTS = {"local": ("plain", "sequential", "tuned", "resumed"), "ray": ("plain", "resumed")}
_FEW = 4
"""Kills of one round: enough that resuming is itself killed, too few to reach the study's end."""


def rounds(on: str, seed: int, *, blind: str = "") -> Iterator[Round]:
    """Rounds for ever, each of another study, from seeds that count up."""
    while True:
        variants = VARIANTS[on]
        yield killed(on, variants[seed % len(variants)], seed, blind=blind)
        seed += 1


def killed(on: str, study: str, seed: int, *, kills: int = _FEW, blind: str = "") -> Round:
    """One round: a driver killed and started again a few times, then run to its end."""
    done = Round(f"driver, {'Ray' if on == 'ray' else 'in process'}", seed)
    with bench(study, seed, blind=blind) as at:
        for _ in range(kills):
            driver = at.start(at.words(on))
            window = _strike(driver, STUDIES[study].seconds, at.draw)
            done.heard(at, driver.words)
            if window == "over":
                done.ended(driver.wait(60), driver.words)
                break
            done.blows += 1
            done.windows[window] += 1
        code, driver = at.run(at.words(on))
        done.finished(at, driver, code)
        done.judge_leftovers(at)
    return done


def _strike(driver: Driver, seconds: float, draw: random.Random) -> str:
    """Kill it in a window that is drawn first, so that every window is hit; and say which it was.

    A quarter of the kills fall into the start, before a trial is over; a tenth into the end, when
    tables are written; the others among the trials, which are few seconds of a driver's life.
    """
    where = draw.choices(("start", "training", "end"), (25, 65, 10))[0]
    if where == "start":
        delay = draw.uniform(0.0, 3.0)
    elif where == "training":
        _await(driver, "verifying")
        delay = draw.uniform(0.0, 0.5 * seconds)
    else:
        _await(driver, "writing tables")
        delay = draw.uniform(0.0, 1.5)
    until = time.monotonic() + delay
    while time.monotonic() < until and driver.process.poll() is None:
        time.sleep(0.005)
    if driver.process.poll() is not None:
        return "over"
    driver.kill()
    return _window(driver.words)


def _await(driver: Driver, word: str, timeout: float = 120.0) -> None:
    until = time.monotonic() + timeout
    while word not in driver.words and driver.process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)


def _window(words: str) -> str:
    if "writing tables" in words:
        return "publishing"
    if "/" in words:
        return "among trials"
    return "first trial" if "verifying" in words else "starting"


def point_rounds(seed: int) -> Iterator[Round]:
    """One round for each named point, and each of a few visits to it."""
    for point in POINTS:
        for visit in (1, 2, 7):
            for study in ("small", "tuned"):
                yield at_point(study, point, visit, seed)


def at_point(study: str, point: str, visit: int, seed: int) -> Round:
    """One round: a driver that dies at the n-th visit to a point, twice, then a whole run.

    Where a study does not come by that often, nothing is struck.
    """
    done = Round("driver, named points", seed)
    with bench(study, seed) as at:
        for _ in range(2):
            driver = at.start(at.words("local"), environment={VARIABLE: f"{point}:{visit}"})
            code = driver.wait(120)
            done.heard(at, driver.words)
            if code != -9:
                done.ended(code, driver.words)
                break
            done.blows += 1
            done.windows[point] += 1
        code, driver = at.run(at.words("local"))
        done.finished(at, driver, code)
        done.judge_leftovers(at)
    return done
