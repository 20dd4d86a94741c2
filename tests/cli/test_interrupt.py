"""Ctrl-C in a terminal: what is said at once, and what `status` says afterwards."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.cli.typed import typed
from tests.toys import toy_file

pytestmark = pytest.mark.slow


LINGERING = """
import time
from cbablate import Measurement

def train(config, *, seed, budget, workdir):
    try:
        time.sleep(60)
        yield Measurement(spent=budget.amount, metrics={"val/loss": 1.0})
    finally:
        time.sleep(2)
"""
"""A trial that takes a moment to end."""


def lingering(folder: Path) -> Path:
    """A study of trials that take a moment to end."""
    (folder / "lingering.py").write_text(LINGERING)
    study = toy_file(folder)
    text = study.read_text().replace("workload: toy", "workload: lingering:train")
    assert "lingering:train" in text
    study.write_text(text)
    return study


def running(study: Path, *, columns: int = 100) -> Terminal:
    words = [sys.executable, "-m", "cbablate.cli.main", "run", study.name, "--on", "local"]
    return Terminal([*words, "--no-mirrors"], cwd=study.parent, size=(30, columns))


def test_ctrl_c_says_at_once_what_it_waits_for_and_status_says_interrupted(tmp_path: Path) -> None:
    study = lingering(tmp_path)
    with running(study) as terminal:
        terminal.until("1 running")
        terminal.type("\x03")
        said = terminal.until("from what", within=5.0)
        assert "stopping (SIGINT): what has finished is kept. Ctrl-C again stops now" in said
        assert "waiting a few seconds for 1 trial to end" in said
        assert terminal.ended() == 130
        assert "running the same command again goes on" in terminal.shown
    stands = typed("status", study.name, cwd=tmp_path).out
    assert "1 interrupted (run again to go on)" in stands
    assert "running" not in stands
    shown = typed("table", study.name, cwd=tmp_path)
    assert "what the table calls running was interrupted" in shown.err


def test_a_line_of_the_panel_leaves_room_for_the_sign_that_a_terminal_echoes(
    tmp_path: Path,
) -> None:
    study = toy_file(tmp_path, seconds=30.0)
    long = "the very first of all the levels here are"
    study.write_text(study.read_text().replace("{name: one}", f"{{name: {long}}}"))
    with running(study, columns=60) as terminal:
        panel = terminal.until("starting")
        panel += terminal.until("starting")
        terminal.type("\x03")
        terminal.ended()
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]+", panel)]
    drawn = [line for line in lines if "levels" in line or "waiting" in line]
    assert drawn
    assert max(len(line.rstrip()) for line in drawn) <= 57
    assert all(line.startswith("  ") for line in lines if "levels" in line), "below its indent"
