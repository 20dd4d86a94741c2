"""What tests share: one embedded Ray for all that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """An embedded Ray; executors made while it lives use it and leave it running."""
    from cbablate.running.ray_executor import RayExecutor

    with RayExecutor():
        yield
