"""What tests share: one embedded Ray for all that need one, and who runs which of them."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent

# Hypothesis gives each example 200 ms otherwise, which a busy machine exceeds.
settings.register_profile("cbablate", deadline=None)
settings.load_profile("cbablate")

# Each process of the suite has a core: where threads of torch wait for one, they wait busily, and
# what takes a second takes ten. The product trains with one thread anyway.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Each fact of a ledger is synced to the disk, which takes no time where the disk is memory.
MEMORY, ENOUGH = Path("/dev/shm"), 4 * 2**30
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# Ray's workers give way to everything else, which beside a busy test process is for ever.
os.environ.setdefault("RAY_worker_niceness", "0")


@pytest.fixture(scope="session")
def ray_session(request: pytest.FixtureRequest) -> Iterator[None]:
    """An embedded Ray; executors made while it lives use it and leave it running."""
    from cbablate.running.executors.ray_executor import RayExecutor

    capture = request.config.pluginmanager.getplugin("capturemanager")
    executor = RayExecutor()  # it and pytest both redirect stdout: each within the other's pause
    with capture.global_and_fixture_disabled():
        executor.__enter__()
    yield
    with capture.global_and_fixture_disabled():
        executor.__exit__(None, None, None)


def pytest_configure() -> None:
    """Signals that whoever started the tests ignores (`nohup`, a script's `&`) are heard again:
    tests send them, and the product leaves ignored ones ignored.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, usual)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """A library that a test calls may take signals for itself, as Lightning's trainer does, and a
    later test sends them.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


SLOW = {"ray", "tex", "kill", "faults", "fuzz"}
"""Markers and rooms whose tests are slow, beside those that say so themselves."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say of each test whether it is slow, and whether it needs the process of the Ray session."""
    for item in items:
        room = item.path.relative_to(HERE).parts[0]
        if item.get_closest_marker("ray"):
            item.add_marker(pytest.mark.xdist_group("ray"))
        if SLOW & {room, *(mark.name for mark in item.iter_markers())}:
            item.add_marker(pytest.mark.slow)
