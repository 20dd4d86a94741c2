"""What a signal from outside does to a command that trains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from cbablate import api
from cbablate.cli.main import main
from cbablate.errors import Interrupted
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.isolation.signals import announced, heed, stoppable
from cbablate.testing.feeds import Diary, hostile, is_alive, trials_that


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75), (signal.SIGHUP, 75)]
)
def test_a_signal_ends_it_with_its_exit_code_and_handlers_are_put_back(
    number: signal.Signals, code: int
) -> None:
    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    with pytest.raises(Interrupted, match=number.name) as stopped, stoppable():
        os.kill(os.getpid(), number)
        signal.pause()
    assert stopped.value.exit_code == code
    assert {name: signal.getsignal(name) for name in before} == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_was_ignored_stays_ignored(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), number)
            assert signal.getsignal(number) is signal.SIG_IGN
            heed()
        others = {signal.SIGINT, signal.SIGTERM} - {number}
        with pytest.raises(Interrupted), stoppable():
            os.kill(os.getpid(), others.pop())
            signal.pause()
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_no_library_can_take_a_signal_for_an_error_of_its_own() -> None:
    with pytest.raises(Interrupted), stoppable():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        except Exception:  # noqa: BLE001 - what a careless library does
            pytest.fail("the signal was caught as an Exception")


def test_a_library_that_raises_another_interrupt_does_not_hide_which_signal_came() -> None:
    with pytest.raises(Interrupted, match="SIGTERM") as stopped, stoppable():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None
    assert stopped.value.exit_code == 75


def test_a_workload_that_catches_the_signal_does_not_keep_the_study_going() -> None:
    diary = Diary(trials_that("catches", "never begins"))
    with pytest.raises(Interrupted, match="SIGINT"), stoppable():
        LocalExecutor().execute(diary, hostile("sends_a_signal"))
    assert [what for _, what, _ in diary.told] == ["started"], "it is cut short, and has not failed"


@pytest.mark.slow
def test_processes_of_a_trial_end_with_the_study_that_is_stopped() -> None:
    diary = Diary(trials_that("is stopped", epochs=2))
    with pytest.raises(Interrupted, match="SIGTERM"), stoppable():
        LocalExecutor().execute(diary, hostile("leaves_processes"))
    (measurement,) = diary.of("is stopped", "measured")
    assert len(measurement.metrics) == 2
    assert not [process for process in measurement.metrics.values() if is_alive(process)]


def test_a_signal_to_a_process_that_a_trial_forked_is_none_to_the_study(
    capfd: pytest.CaptureFixture[str],
) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a library in this process may have taken it
    said: list[str] = []
    diary = Diary(trials_that("goes on"))
    with stoppable(), announced(said.append):
        LocalExecutor().execute(diary, hostile("has_children"))
        time.sleep(0.2)  # what has been heard of is announced by another thread
    (measurement,) = diary.of("goes on", "measured")
    assert set(measurement.metrics.values()) == {-signal.SIGTERM}
    assert not said
    assert "Traceback" not in capfd.readouterr().err


def test_without_handlers_of_ours_an_interrupt_ends_the_study_and_fails_no_trial() -> None:
    diary = Diary(trials_that("lets it pass", "never begins"))
    with pytest.raises(KeyboardInterrupt):
        LocalExecutor().execute(diary, hostile("sends_a_signal"))
    assert [what for _, what, _ in diary.told] == ["started"]


def test_that_it_stops_is_announced_while_the_main_thread_is_held_up() -> None:
    said: list[str] = []
    heard = threading.Event()

    def say(sentence: str) -> None:
        said.append(sentence)
        heard.set()

    with pytest.raises(Interrupted), stoppable(), announced(say):
        signal.pthread_sigmask(signal.SIG_BLOCK, [])
        try:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        finally:
            assert heard.wait(10)  # the main thread tidies up
    assert len(said) == 1
    assert said[0].startswith("stopping (SIGINT): ")
    assert said[0].endswith("Ctrl-C again stops now")


_STUBBORN = """
import os, subprocess, sys, time
from cbablate.running.isolation.scratch import scratch_folder
from cbablate.running.isolation.signals import stoppable
with stoppable():
    child = subprocess.Popen(["sleep", "600"])
    print(scratch_folder("trial"), child.pid, flush=True)
    try:
        time.sleep(600)
    finally:
        time.sleep(600)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_a_second_signal_ends_it_at_once_and_leaves_nothing(
    number: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _STUBBORN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    folder, child = process.stdout.readline().split()
    assert Path(folder).is_dir()
    process.send_signal(number)
    assert process.stderr.readline().startswith(f"stopping ({number.name}): ")
    assert process.poll() is None
    process.send_signal(number)
    assert process.wait(60) == code
    assert process.stderr.read().startswith("stopped at once; ")
    assert not Path(folder).exists()
    until = time.monotonic() + 60
    while is_alive(float(child)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(float(child))


def test_a_signal_stops_the_command_in_order_while_it_reads_the_study(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def read(_path: Path, _overrides: object) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()

    monkeypatch.setattr(api, "load_study", read)
    monkeypatch.setattr(sys, "argv", ["cbablate", "run", __file__])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 75
    assert "stopped by SIGTERM" in capsys.readouterr().err


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    ran: list[bool] = []

    def work() -> None:
        with stoppable():
            ran.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ran == [True]
