"""Benchmarks that anyone can run: they are found by name, and a broken bound is an exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import names
from benchmarks.statistics_checks.check import Check, Size, apart, compared, share

ROOT = Path(__file__).parent.parent


def test_every_benchmark_is_run_by_its_name() -> None:
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py")}
    assert {*names()} == {*scripts, "statistics"}


def test_numbers_that_are_further_apart_than_allowed_break_a_check() -> None:
    assert apart([1.0, None, 1e9], [1.0, None, 1e9 + 1]) == pytest.approx(1e-9)
    assert compared("", "", 1, apart([1.0], [None]), 1e-9).holds is False
    assert compared("", "", 1, apart([1e-6], [1.1e-6], 1e-6), 1e-3).holds is False


def test_a_share_beyond_four_of_its_errors_breaks_a_check() -> None:
    assert share("", "", 60, 1_000, (0.0, 0.05)).holds is True
    assert share("", "", 80, 1_000, (0.0, 0.05)).verdict == "BROKEN"
    assert share("", "", 900, 1_000, (0.93, 1.0)).holds is True
    assert share("", "", 890, 1_000, (0.93, 1.0)).holds is False
    assert share("", "", 0, 0, (0.0, 0.05)).holds is False, "nothing simulated shows nothing"


def test_what_lacks_a_library_is_neither_held_nor_broken() -> None:
    assert Check("", "", "", "", "", None).verdict == "not run"
    assert Size(quick=True).of(3_000) == 300


@pytest.mark.slow
def test_designs_hold_against_code_that_is_not_ours() -> None:
    command = [sys.executable, "-m", "benchmarks", "statistics", "--quick", "--only", "designs"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| holds |" in done.stdout
    assert " 0 broken" in done.stdout


def test_an_unknown_benchmark_is_told_which_there_are() -> None:
    command = [sys.executable, "-m", "benchmarks", "nothing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "statistics" in done.stderr
