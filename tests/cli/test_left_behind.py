"""What trials leave in the process of `run --on local`, and what becomes of the command's end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

WORKLOAD = """
import atexit, os, threading, time
from cbablate.records.measurement import Measurement

def noise():
    while True:
        print("NOISE", flush=True)
        time.sleep(0.001)

def train(config, *, seed, budget, workdir):
    if config["how"] == "goes on":
        threading.Thread(target=noise, daemon=True).start()
        threading.Thread(target=time.sleep, args=(600,), name="sleeper").start()
        atexit.register(print, "NOISE at the end")
    if config["how"] == "closes":
        os.closerange(3, 1024)
    yield Measurement(spent=1, metrics={"score": seed % 7})
"""

STUDY = """
question: What is left?
workload: leaves:train
baseline: {{how: plain}}
factors: [{{name: how, levels: [{{name: plain}}, {{name: other, changes: {{how: {how}}}}}]}}]
budget: {{epochs: 1}}
replicates: 2
objective: {{metric: score, direction: minimize}}
report: [score]
"""


def run(folder: Path, how: str) -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own."""
    (folder / "leaves.py").write_text(WORKLOAD)
    (folder / "s.yaml").write_text(STUDY.format(how=how))
    words = ["run", "s.yaml", "--on", "local", "--no-mirrors", "--results", "r"]
    return subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_threads_that_trials_leave_neither_print_into_the_table_nor_keep_the_command(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, "goes on")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Study s: What is left?\n")
    assert "NOISE" not in done.stdout
    assert "NOISE" in done.stderr
    assert "threads that a trial has left: 'sleeper'" in done.stderr


def test_a_trial_that_closes_the_files_of_the_command_ends_it_with_a_sentence(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, "closes")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert "ledger.sqlite cannot be written" in done.stderr
    assert "1/4 plain #0: complete" in done.stderr
    again = run(tmp_path, "gentle")
    assert again.returncode == 0, again.stderr
