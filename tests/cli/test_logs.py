from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workloads.commands.test_study import STUDY, TRAIN, study
from tests.workloads.own_code import command, ran

SLOW = "import time\nprint('waiting', flush=True)\ntime.sleep(60)\n"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose study has run."""
    folder = tmp_path_factory.mktemp("logs")
    ran(study(folder), folder / "results")
    return folder


def logs(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return command("logs", "study.yaml", *words, folder=folder)


def test_the_output_of_a_trial_is_shown(done: Path) -> None:
    shown = logs(done, "0.3/1")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == "epoch 0\nepoch 1\nepoch 2\n"
    assert logs(done, "0.3", "--replicate", "1").stdout == shown.stdout
    assert logs(done, "0.3 #1").stdout == shown.stdout
    told = json.loads(logs(done, "0.3/1", "--json").stdout)
    assert (told["shape"], told["study"], told["attempt"], told["text"]) == (
        "logs",
        "study",
        1,
        shown.stdout,
    )
    assert logs(done, told["trial"][:6]).stdout == shown.stdout


def test_trials_with_output_are_listed_and_a_miss_says_what_there_is(done: Path) -> None:
    listed = logs(done).stdout.splitlines()
    assert [line.split("  ", 1)[1] for line in listed] == [
        "0.1/0  complete",
        "0.3/0  complete",
        "0.1/1  complete",
        "0.3/1  complete",
    ]
    missed = logs(done, "0.5")
    assert missed.returncode == 2
    assert "there is no trial '0.5'" in missed.stderr
    assert all(line in missed.stderr for line in listed)
    assert "'0.3' has no replicate 9" in logs(done, "0.3/9").stderr
    assert "there are attempts 1" in logs(done, "0.3", "--attempt", "2").stderr


def test_a_study_that_never_ran_has_printed_nothing(tmp_path: Path) -> None:
    study(tmp_path)
    shown = logs(tmp_path, "0.1")
    assert shown.returncode == 0
    assert shown.stdout == ""
    assert "No output of" in shown.stderr


def test_damage_is_told_by_fsck_and_stops_nothing(done: Path) -> None:
    (done / "results" / "logs" / "strange").mkdir()
    broken = done / "results" / "logs" / "strange" / "1.log.gz"
    broken.write_bytes(b"no gzip")
    try:
        told = command("fsck", "results", folder=done)
        assert told.returncode == 0
        assert "what a trial printed, is damaged: no table rests on it" in told.stdout
    finally:
        broken.unlink()
        broken.parent.rmdir()


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A study that waits for ever in its first trial."""
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "train.py").write_text(SLOW + TRAIN)
    words = [sys.executable, "-m", "cbablate.cli.main", "run", "study.yaml", "--on", "local"]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.terminate()


def test_output_is_followed_while_a_trial_runs(
    tmp_path: Path, driver: subprocess.Popen[str]
) -> None:
    words = [sys.executable, "-m", "cbablate.cli.main", "logs", "study.yaml", "0.1", "--follow"]
    assert driver.stderr is not None
    for line in driver.stderr:  # until the first trial is under way
        if "verifying" in line:
            break
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "waiting\n"
        driver.terminate()
        assert follower.stdout.read() == ""
    assert follower.returncode == 0
