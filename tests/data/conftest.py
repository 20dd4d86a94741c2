"""A data root and a cache of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cbablate.data import images, listing


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty data root; nothing read before is remembered, and nothing read now later on."""
    root = tmp_path / "data"
    root.mkdir()
    monkeypatch.setenv("CBABLATE_DATA", str(root))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    images._load.cache_clear()
    listing._listing.cache_clear()
    yield root
    images._load.cache_clear()
