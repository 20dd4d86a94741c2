"""The contract of a store of bytes by name: whoever keeps them elsewhere inherits this class.

class TestMine(StoreContract):
    @pytest.fixture
    def store(self, tmp_path): return MyStore(tmp_path)
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cbablate.records.store import Store

__all__ = ["StoreContract"]


class StoreContract:
    """What those who keep checkpoints rely on. Say with `store` what is tried."""

    @pytest.fixture
    def store(self) -> Store:
        """A store that keeps nothing yet."""
        raise LookupError("a test class that inherits the contract gives the store")

    def test_an_empty_store_keeps_nothing_and_says_so(self, store: Store) -> None:
        assert store.kept() == []
        with pytest.raises(FileNotFoundError):
            store.read("a")
        store.remove("a")

    def test_what_is_put_is_read_back_part_after_part(self, store: Store) -> None:
        every = bytes(range(256))
        store.put("a", (every, b"", b"\n", every))
        store.put("final-0f.before", [b""])
        assert store.read("a") == every + b"\n" + every
        assert store.read("final-0f.before") == b""
        assert [(one.name, one.size) for one in store.kept()] == [
            ("a", 513),
            ("final-0f.before", 0),
        ]

    def test_what_is_put_again_takes_the_place_of_the_former(self, store: Store) -> None:
        for content in (b"1", b"22"):
            store.put("a", [content])
        assert store.read("a") == b"22"
        assert len(store.kept()) == 1

    def test_the_former_is_kept_under_another_name_where_one_is_given(self, store: Store) -> None:
        for content in (b"1", b"2", b"3"):
            store.put("a", [content], former="a.before")
        assert (store.read("a"), store.read("a.before")) == (b"3", b"2")
        assert [one.name for one in store.kept()] == ["a", "a.before"]

    def test_what_fails_half_way_leaves_what_there_was(self, store: Store) -> None:
        def failing() -> Iterator[bytes]:
            yield b"half"
            raise OSError("the disk is full")

        store.put("a", [b"1"], former="a.before")
        store.put("a", [b"2"], former="a.before")
        with pytest.raises(OSError, match="the disk is full"):
            store.put("a", failing(), former="a.before")
        assert (store.read("a"), store.read("a.before")) == (b"2", b"1")
        store.clear_half_put()
        assert [one.name for one in store.kept()] == ["a", "a.before"]

    def test_what_is_removed_is_gone_and_nothing_else(self, store: Store) -> None:
        store.put("a", [b"1"])
        store.put("b", [b"2"])
        store.remove("a")
        store.remove("a")
        assert [one.name for one in store.kept()] == ["b"]

    def test_what_was_put_later_is_not_older(self, store: Store) -> None:
        store.put("b", [b"1"])
        store.put("a", [b"2"])
        found = {one.name: one.at for one in store.kept()}
        assert found["b"] <= found["a"]

    def test_it_can_say_where_things_are(self, store: Store) -> None:
        assert store.address in store.where("a")
        assert "a" in store.where("a")
