"""A writer killed at each named place: what was acknowledged is there, and the next one goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import cbablate
from cbablate.records.crash_point import POINTS, VARIABLE
from cbablate.records.sqlite.ledger import SqliteLedger

PACKAGE = Path(cbablate.__file__).parent
WRITE = """
import sys
from pathlib import Path
from cbablate.records.sqlite.ledger import SqliteLedger
from tests.records.writers import trial
with SqliteLedger.writing(Path(sys.argv[1])) as ledger:
    for number in range(4):
        ledger.append(*trial(number))
        print(number, flush=True)
"""
OURS = [
    (name, passing)
    for name in POINTS
    if name.startswith(("ledger", "lease", "seal"))
    for passing in (1, 3)
    if passing == 1 or name.startswith(("ledger.append", "ledger.checkpoint", "seal"))
]


def write(folder: Path, point: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-c", WRITE, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment | {VARIABLE: point},
    )


@pytest.mark.parametrize(("point", "passing"), OURS)
def test_a_kill_at_a_named_place_loses_nothing_acknowledged(
    tmp_path: Path, point: str, passing: int
) -> None:
    done = write(tmp_path / "r", f"{point}:{passing}")
    assert done.returncode == -signal.SIGKILL, done.stderr
    acknowledged = len(done.stdout.split())
    with SqliteLedger.reading(tmp_path / "r") as reader:
        ends = len(reader.records(["ended"]))
    assert acknowledged <= ends <= acknowledged + 1
    with SqliteLedger.writing(tmp_path / "r") as ledger:
        ledger.tell("session", "next", {})
        assert len(ledger.records(["ended"])) == ends
    left = {path.name for path in (tmp_path / "r").iterdir()}
    assert left <= {"ledger.sqlite", "ledger.seal", "lock"}


def test_every_place_is_listed_once_and_is_somewhere() -> None:
    passed = re.findall(
        r'crash_point\(\s*"([^"]+)"\s*\)',
        "".join(path.read_text() for path in PACKAGE.rglob("*.py")),
    )
    assert sorted(passed) == sorted(POINTS)


def test_a_misspelt_place_is_refused(tmp_path: Path) -> None:
    done = write(tmp_path / "r", "ledger.apend.before")
    assert done.returncode == 1
    assert "there are ledger.create.before" in done.stderr
