"""What tests share: one embedded Ray for all that need one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Hypothesis gives each example 200 ms otherwise, which a busy machine exceeds.
settings.register_profile("cbablate", deadline=None)
settings.load_profile("cbablate")

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share the Ray session go to one process when the suite is spread over several."""
    for item in items:
        if item.get_closest_marker("ray"):
            item.add_marker(pytest.mark.xdist_group("ray"))
