"""SIGTERM of a driver under Ray, and what tests of stopped drivers share.

Kills at random moments: `python -m tests.faults driver ray`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cbablate.records.place import Place
from cbablate.records.record import Record
from tests.toys import toy_file

SEED = int(os.environ.get("CBABLATE_KILL_SEED", "20260101"))
KILLS = os.environ.get("CBABLATE_KILLS")


def command(study: Path, results: Path, on: str) -> list[str]:
    """A run without mirrors, whose own tests kill them at every write."""
    words = ["run", str(study), "--results", str(results), "--on", on, "--no-mirrors"]
    return [sys.executable, "-m", "cbablate.cli.main", *words]


def facts(results: Path) -> list[Record]:
    with Place(results).reading() as ledger:
        return ledger.records(["started", "ended"])


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
