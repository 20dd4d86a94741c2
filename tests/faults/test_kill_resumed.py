"""SIGKILL of the driver while a trial trains: the trial goes on from its checkpoint."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cbablate.records.book import Book
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.running.checkpoints import checkpoint_bytes
from tests.faults.test_kill import KILLS, SEED
from tests.toys import toy_file

DRIVER = """
import sys
from cbablate import Resources, load_study, plan, run, table
from cbablate.reporting.forms.form import render
study, results = sys.argv[1:]
asked = plan(load_study(study))
run(asked, results=results, resources=Resources("local", checkpoint_every=0), mirrored=False)
print(render(table(asked, results=results), "latex"))
"""
EPOCHS, TRIALS = 12, 4


def driver(study: Path, results: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(study), str(results)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def facts(results: Path) -> list[Record]:
    with Place(results).reading() as ledger:
        return ledger.records(["started", "measured", "ended"])


def kill_in_a_trial(study: Path, results: Path, *, delay: float) -> None:
    """Kill a driver a moment after it has measured something new."""
    before = sum(fact.kind == "measured" for fact in facts(results))
    victim = driver(study, results)
    while sum(fact.kind == "measured" for fact in facts(results)) == before:
        assert victim.poll() is None
        time.sleep(0.01)
    time.sleep(delay)
    assert victim.poll() is None, "the study was over before the kill"
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate()


@pytest.mark.kill
def test_a_killed_driver_goes_on_within_its_trial_and_ends_with_the_same_table(
    tmp_path: Path,
) -> None:
    study = toy_file(tmp_path, seconds=0.05, epochs=EPOCHS, replicates=1)
    undisturbed, _ = driver(study, tmp_path / "undisturbed").communicate()
    draw, results, kills = random.Random(SEED), tmp_path / "killed", int(KILLS or 2)
    kills = min(kills, 4)  # each lasts at most a fifth of the study
    for _ in range(kills):
        kill_in_a_trial(study, results, delay=draw.uniform(0.0, 0.3))
    assert checkpoint_bytes(Place(results).checkpoints)[0] >= 1
    table, _ = driver(study, results).communicate()
    assert table == undisturbed
    assert "\\toprule" in table
    told = facts(results)
    assert any(fact.body.get("from", 0) > 0 for fact in told if fact.kind == "started")
    measured = sum(fact.kind == "measured" for fact in told)
    assert measured <= TRIALS * EPOCHS + kills, "more was trained again than one epoch a kill"
    for history in Book.of(told).histories.values():
        assert [m.spent for m in history.measurements] == list(range(1, EPOCHS + 1))
    assert checkpoint_bytes(Place(results).checkpoints) == (0, 0)
