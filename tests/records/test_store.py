"""The contract of a store, of the folder that ships and of a toy in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import pytest

from cbablate.records.store import FolderStore, Kept
from cbablate.testing.store import StoreContract


class TestFolder(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FolderStore:
        return FolderStore(tmp_path / "checkpoints")


class MemoryStore:
    """Bytes by name in a dict."""

    address = "memory"

    def __init__(self) -> None:
        self._bytes: dict[str, tuple[int, bytes]] = {}
        self._clock = itertools.count()

    def where(self, name: str) -> str:
        return f"{self.address}:{name}"

    def kept(self) -> list[Kept]:
        return [Kept(at, name, len(b)) for name, (at, b) in sorted(self._bytes.items())]

    def read(self, name: str) -> bytes:
        if name not in self._bytes:
            raise FileNotFoundError(name)
        return self._bytes[name][1]

    def put(self, name: str, parts: Iterable[bytes], *, former: str | None = None) -> None:
        whole = b"".join(parts)
        if former is not None and name in self._bytes:
            self._bytes[former] = self._bytes[name]
        self._bytes[name] = (next(self._clock), whole)

    def remove(self, name: str) -> None:
        self._bytes.pop(name, None)

    def clear_half_put(self) -> None:
        pass


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


def test_half_a_file_that_a_killed_process_left_is_no_checkpoint_and_goes(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a", [b"1"])
    (tmp_path / "b.new").write_bytes(b"half")
    assert [one.name for one in store.kept()] == ["a"]
    store.clear_half_put()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
