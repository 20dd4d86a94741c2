"""SIGKILL of a driver that tunes, at random moments: the search goes on as if nothing had been.

CBABLATE_KILLS=50 CBABLATE_KILL_SEED=7 pytest tests/faults/test_kill_tuned.py
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from cbablate.analysis.standing import Standing
from cbablate.records.book import Book
from cbablate.records.place import Place
from cbablate.records.record import Record
from tests.faults.tuned_driver import study

SEED = int(os.environ.get("CBABLATE_KILL_SEED", "20260102"))
KILLS = int(os.environ.get("CBABLATE_KILLS", "3"))
SECONDS = 0.03


def facts(results: Path) -> list[Record]:
    with Place(results).reading() as ledger:
        return ledger.records()


def driver(results: Path, on: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.faults.tuned_driver", str(results), on, str(SECONDS)]
    return subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def killed_after(results: Path, on: str, delay: float) -> bool:
    """Start a driver and kill it so long after its first new trial; False if it ended first."""
    before = sum(fact.kind == "started" for fact in facts(results))
    running = driver(results, on)
    while running.poll() is None and sum(f.kind == "started" for f in facts(results)) == before:
        time.sleep(0.02)
    try:
        running.wait(delay)
    except subprocess.TimeoutExpired:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        return True
    return False


def outcome(told: list[Record]) -> dict[str, tuple[str, str, list[dict[str, float]]]]:
    return {
        trial: (h.state.value, h.reason, [dict(m.metrics) for m in h.measurements])
        for trial, h in Book.of(told).histories.items()
    }


def proposed(told: list[Record]) -> list[tuple[str, int, str]]:
    return [
        (f.body["search"], f.body["number"], repr(f.body["proposal"]))
        for f in told
        if f.kind == "proposed"
    ]


def campaign(results: Path, on: str, kills: int) -> list[Record]:
    draw = random.Random(SEED)
    struck = 0
    for _ in range(kills):
        struck += killed_after(results, on, draw.uniform(0.0, 10 * SECONDS))
    assert struck, f"seed {SEED}: every driver ended before it was killed"
    assert driver(results, on).wait(300) == 0
    told = facts(results)
    ends = Counter(fact.subject for fact in told if fact.kind == "ended")
    assert set(ends.values()) == {1}, "a finished trial was trained twice"
    assert len(set(proposed(told))) == len(proposed(told)) == 16
    ended: set[str] = set()
    for fact in told:
        assert fact.kind != "started" or fact.subject not in ended
        if fact.kind == "ended":
            ended.add(fact.subject)
    lost = sum(fact.kind == "started" for fact in told) - ends.total()
    print(f"{on}: seed {SEED}, {struck} kills, {lost} attempts lost, of {ends.total()} trials")
    return told


@pytest.mark.kill
def test_a_search_killed_at_random_moments_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    assert driver(tmp_path / "undisturbed", "local").wait(300) == 0
    undisturbed = facts(tmp_path / "undisturbed")
    told = campaign(tmp_path / "killed", "local", KILLS)
    assert proposed(told) == proposed(undisturbed)
    assert outcome(told) == outcome(undisturbed)
    plan = study(SECONDS)
    assert Standing(plan, told).proposals == Standing(plan, undisturbed).proposals


@pytest.mark.kill
@pytest.mark.ray
@pytest.mark.skipif("CBABLATE_KILLS" not in os.environ, reason="a campaign by CBABLATE_KILLS")
def test_a_search_killed_under_ray_trains_and_proposes_nothing_twice(tmp_path: Path) -> None:
    campaign(tmp_path / "killed", "ray", KILLS)
