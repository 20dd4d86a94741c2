"""Starting a Ray of one's own on a machine that is busy."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cbablate.errors import EnvironmentFault
from cbablate.testing.feeds import TOY, Diary, trials_that
from tests.toys import toy_file

TIMED_OUT = "The current node timed out during startup."


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[Exception | None]:
    """What each start of Ray comes to, the next one first; None is a success."""
    from cbablate.running.executors import ray_session

    outcomes: list[Exception | None] = []

    def init(**_options: Any) -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    monkeypatch.setattr(ray_session.ray, "init", init)
    monkeypatch.setattr(ray_session.ray, "shutdown", lambda: None)
    return outcomes


def connect(address: str | None = None) -> None:
    from cbablate.running.executors.ray_session import RaySession

    RaySession(address)._connect({})


def test_one_that_misses_rays_time_limit_is_started_once_more(
    starts: list[Exception | None],
) -> None:
    starts += [Exception(TIMED_OUT), None]
    connect()
    assert not starts


def test_one_that_misses_it_twice_is_a_fault_of_the_environment(
    starts: list[Exception | None],
) -> None:
    starts += [Exception(TIMED_OUT), Exception(TIMED_OUT), None]
    with pytest.raises(EnvironmentFault, match=r"Ray cannot start.*less busy, or try --on local"):
        connect()
    assert len(starts) == 1


def test_only_a_busy_machine_is_called_busy(starts: list[Exception | None]) -> None:
    starts += [OSError("no such folder\nand a trace")]
    with pytest.raises(EnvironmentFault, match=r"this machine: no such folder\. Mend that") as said:
        connect()
    assert "busy" not in str(said.value)


@pytest.mark.parametrize("address", ["10.0.0.1:6379", None])
def test_what_no_second_attempt_mends_is_told_at_once(
    starts: list[Exception | None], address: str | None
) -> None:
    starts += [Exception(TIMED_OUT if address else "no such folder"), None]
    with pytest.raises(EnvironmentFault):
        connect(address)
    assert len(starts) == 1


@pytest.mark.parametrize("address", ["ray://head:10001", "http://head:8265"])
def test_rays_client_is_refused_before_it_is_asked(
    starts: list[Exception | None], address: str
) -> None:
    from cbablate.running.executors.ray_executor import RayExecutor

    starts.append(None)
    with pytest.raises(EnvironmentFault, match="give HOST:PORT"), RayExecutor(address=address):
        pass
    assert len(starts) == 1


@pytest.fixture
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which Ray cannot start."""
    from cbablate.running.executors import ray_session

    def init(**_options: Any) -> None:
        raise OSError("no raylet here")

    monkeypatch.setattr(ray_session.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray_session.ray, "init", init)
    monkeypatch.setattr(ray_session.ray, "shutdown", lambda: None)


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    from cbablate.cli.main import main

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["cbablate", *words])
        patch.setattr(sys, "stdout", sys.stdout)  # a command is a process, and keeps its own
        main()
    return int(ended.value.code or 0)


@pytest.mark.slow
@pytest.mark.usefixtures("no_ray")
def test_a_finished_study_prints_its_table_where_ray_cannot_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", str(toy_file(tmp_path)), "--results", str(tmp_path / "r"), "--no-mirrors"]
    assert command(monkeypatch, *run, "--on", "local") == 0
    table = capsys.readouterr().out
    assert table.startswith("Study toys")
    assert command(monkeypatch, *run) == 0
    assert capsys.readouterr().out == table


@pytest.mark.slow
@pytest.mark.usefixtures("no_ray")
def test_an_unfinished_one_ends_with_the_cause_and_what_is_recorded_stays_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study, results = toy_file(tmp_path), ["--results", str(tmp_path / "r")]
    run = ["run", str(study), *results, "--no-mirrors"]
    assert command(monkeypatch, *run, "--on", "local") == 0
    study.write_text(study.read_text().replace("replicates: 3", "replicates: 4"))
    assert command(monkeypatch, *run) == 4
    said = capsys.readouterr()
    assert "Ray cannot start on this machine: no raylet here" in said.err
    assert command(monkeypatch, "table", str(study), *results) == 0
    assert "12 of 16 trials complete" in " ".join(capsys.readouterr().out.split())


def test_the_cause_of_a_lost_trial_is_told_without_rays_colours(tmp_path: Path) -> None:
    from cbablate.running.executors.ray_relay import Relay
    from cbablate.running.executors.ray_tune import Verdicts

    told = tmp_path / "error.txt"
    told.write_text("Traceback\n\x1b[36mray::train()\x1b[39m (pid=7)\n")
    (trial,) = trials_that("is lost")
    diary = Diary((trial,))
    relay = Relay(diary, TOY, None)
    relay.propose("a")
    relay.started("a", {})
    Verdicts(relay).on_trial_error(None, SimpleNamespace(trial_id="a", error_file=told))
    (ending,) = diary.of("is lost", "ended")
    assert ending.sentence == "the process of the trial died: ray::train() (pid=7)"
    assert "\x1b" not in ending.traceback
