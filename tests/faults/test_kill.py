"""SIGKILL of the driver at random moments: nothing finished is lost or trained twice.

The kills of a campaign can be raised without touching the file:
    CBABLATE_KILLS=200 CBABLATE_KILL_SEED=7 pytest tests/faults/test_kill.py
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

from cbablate.records.ledger import Ledger
from cbablate.records.record import Record
from tests.toys import toy_file

SEED = int(os.environ.get("CBABLATE_KILL_SEED", "20260101"))
KILLS = os.environ.get("CBABLATE_KILLS")


def command(study: Path, results: Path, on: str) -> list[str]:
    """A run without mirrors, whose own tests kill them at every write."""
    words = ["run", str(study), "--results", str(results), "--on", on, "--no-mirrors"]
    return [sys.executable, "-m", "cbablate.cli.main", *words]


def finish(study: Path, results: Path, on: str) -> str:
    done = subprocess.run(command(study, results, on), capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout


def facts(results: Path) -> list[Record]:
    with Ledger.reading(results) as ledger:
        return ledger.records(["started", "ended"])


def killed_after(study: Path, results: Path, on: str, delay: float) -> bool:
    """Start a driver, kill it once it has trained for `delay` seconds; False if it ended first.

    The wait begins at its first new fact, so that kills fall among trials and not into start-up.
    """
    before = len(facts(results))
    driver = subprocess.Popen(
        command(study, results, on),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while driver.poll() is None and len(facts(results)) == before:
        time.sleep(0.02)
    try:
        driver.wait(delay)
    except subprocess.TimeoutExpired:
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        return True
    return False


def campaign(tmp_path: Path, on: str, kills: int, *, seconds: float) -> None:
    study = toy_file(tmp_path, seconds=seconds, epochs=4, replicates=8)
    undisturbed = finish(study, tmp_path / "undisturbed", "local")
    draw = random.Random(SEED)
    results = tmp_path / "killed"
    results.mkdir()
    slots = 1 if on == "local" else os.cpu_count() or 1
    struck, in_flight = 0, 0
    # Every kill leaves work: a delay under a tenth of what is left of the study.
    while struck < kills:
        if not killed_after(study, results, on, draw.uniform(0.0, 6.0 * seconds)):
            break
        struck += 1
        last: dict[str, str] = {fact.subject: fact.kind for fact in facts(results)}
        in_flight = max(in_flight, sum(kind == "started" for kind in last.values()))
    assert struck == kills, f"seed {SEED}: the study was over after {struck} kills"
    assert finish(study, results, on) == undisturbed
    told = facts(results)
    ends = Counter(fact.subject for fact in told if fact.kind == "ended")
    assert set(ends.values()) == {1}, "a finished trial was trained twice"
    starts = Counter(fact.subject for fact in told if fact.kind == "started")
    assert starts.keys() == ends.keys()
    wasted = starts.total() - ends.total()
    assert wasted <= kills * slots, "more trials were begun again than were under way"
    ended: set[str] = set()
    for fact in told:
        assert fact.kind != "started" or fact.subject not in ended
        if fact.kind == "ended":
            ended.add(fact.subject)
    print(f"{on}: seed {SEED}, {struck} kills, {wasted} attempts lost, of {ends.total()} trials")


@pytest.mark.kill
def test_ten_kills_in_one_process_cost_no_finished_trial(tmp_path: Path) -> None:
    campaign(tmp_path, "local", int(KILLS or 10), seconds=0.05)


@pytest.mark.kill
@pytest.mark.ray
def test_kills_under_ray_cost_no_finished_trial(tmp_path: Path) -> None:
    campaign(tmp_path, "ray", int(KILLS or 2), seconds=0.05)


@pytest.mark.kill
@pytest.mark.ray
def test_sigterm_under_ray_is_a_preemption_told_in_one_sentence(tmp_path: Path) -> None:
    study = toy_file(tmp_path, seconds=0.1, epochs=4, replicates=8)
    driver = subprocess.Popen(
        command(study, tmp_path / "r", "ray"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert driver.stderr is not None
    while "1/32" not in driver.stderr.readline():
        assert driver.poll() is None
    driver.send_signal(signal.SIGTERM)
    printed, told = driver.communicate(timeout=60)
    assert driver.returncode == 75, told
    assert printed == ""
    assert "stopped by SIGTERM; what had finished is kept" in told
    assert "logging.cc" not in told
    assert "Traceback" not in told
    assert any(fact.kind == "ended" for fact in facts(tmp_path / "r"))
