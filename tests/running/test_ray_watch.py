"""A Ray that dies is noticed, and the study ends in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from cbablate.errors import EnvironmentFault, Interrupted
from cbablate.running.executors.ray_watch import RayWatch, ports_answer, processes_live

BOUND = 60.0
"""Seconds after which a test counts as hanging."""


class Ray:
    """Stands for what is watched."""

    dead = ""

    def check(self) -> str:
        return self.dead


@pytest.fixture
def ray() -> Ray:
    return Ray()


@pytest.fixture
def watch(ray: Ray) -> Iterator[RayWatch]:
    with RayWatch(ray.check, abandon=lambda: None, patience=10**6) as watch:
        yield watch


def test_while_ray_lives_nothing_happens(watch: RayWatch) -> None:
    before = signal.getsignal(signal.SIGURG)
    with watch.guarding():
        assert signal.getsignal(signal.SIGURG) != before
    assert signal.getsignal(signal.SIGURG) == before


def test_a_main_thread_that_waits_is_woken_with_exit_code_75(watch: RayWatch, ray: Ray) -> None:
    said = r"Ray's raylet has died.*goes on from there"
    with pytest.raises(Interrupted, match=said) as ended, watch.guarding():
        ray.dead = "Ray's raylet"
        time.sleep(BOUND)
    assert ended.value.exit_code == 75


def test_a_waker_that_a_library_swallows_comes_again(watch: RayWatch, ray: Ray) -> None:
    with pytest.raises(Interrupted), watch.guarding():
        ray.dead = "Ray's raylet"
        try:
            time.sleep(BOUND)
        except KeyboardInterrupt:
            time.sleep(BOUND)


def test_another_thread_is_woken_too(watch: RayWatch, ray: Ray) -> None:
    told: list[BaseException] = []

    def work() -> None:
        try:
            with watch.guarding():
                ray.dead = "Ray's GCS"
                for _ in range(int(BOUND * 100)):
                    time.sleep(0.01)
        except Interrupted as error:
            told.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(BOUND)
    assert [error.exit_code for error in told if isinstance(error, Interrupted)] == [75]


def test_an_error_that_rays_death_brought_is_told_as_that(watch: RayWatch, ray: Ray) -> None:
    with pytest.raises(Interrupted, match="Ray's GCS has died"), watch.guarding():
        ray.dead = "Ray's GCS"
        raise EnvironmentFault("a worker of Ray died")


def test_an_error_beside_a_living_ray_stays_what_it_is(watch: RayWatch) -> None:
    with pytest.raises(EnvironmentFault, match="no space left"), watch.guarding():
        raise EnvironmentFault("no space left")


def test_a_death_between_two_waits_is_told_at_the_next(watch: RayWatch, ray: Ray) -> None:
    ray.dead = "Ray's raylet"
    assert watch.sees_death()
    with pytest.raises(Interrupted), watch.guarding():
        time.sleep(BOUND)


def test_a_thread_that_never_comes_back_is_ended_with_sentence_and_exit_code() -> None:
    program = (
        "import signal, time\n"
        "from cbablate.running.executors.ray_watch import RayWatch\n"
        "gone = []\n"
        "watch = RayWatch(lambda: 'Ray\\'s GCS', abandon=lambda: print('abandoned', flush=True),"
        " patience=0.0)\n"
        "with watch, watch.guarding():\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGURG])\n"
        f"    time.sleep({BOUND})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 75
    assert done.stdout == "abandoned\n"
    assert done.stderr.startswith("cbablate: Ray's GCS has died")


def test_a_process_that_is_killed_is_named_with_its_number() -> None:
    process = subprocess.Popen(["sleep", "60"])
    check = processes_live({"raylet": [process]})
    assert check() == ""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert check() == f"Ray's raylet (process {process.pid})"


def test_a_port_that_refuses_is_dead_and_one_that_answers_lives() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        check = ports_answer({"GCS": address})
        assert [check() for _ in range(4)] == [""] * 4
    assert [check(), check()][-1] == f"Ray's GCS at 127.0.0.1:{address[1]}"


def test_a_port_that_is_late_once_is_not_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    late = iter([True, False, True, False, True, True, True])

    class Answer:
        def close(self) -> None: ...

    def connect(*_: object, **__: object) -> Answer:
        if next(late):
            raise TimeoutError
        return Answer()

    monkeypatch.setattr(socket, "create_connection", connect)
    check = ports_answer({"GCS": ("127.0.0.1", 1)})
    assert [bool(check()) for _ in range(7)] == [False] * 6 + [True]
