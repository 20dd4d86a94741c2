"""Checkpoints between a trial's folder and whoever keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate.errors import EnvironmentFault
from cbablate.running.executors.checkpoint_transport import Handover, Saved
from cbablate.workloads.checkpoint import EVERY, Checkpoint


def written(workdir: Path, **files: str) -> None:
    with Checkpoint(workdir).written() as folder:
        for name, text in files.items():
            (folder / name).write_text(text)


def test_what_is_taken_away_is_what_the_next_attempt_finds(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    handover = Handover(first, every=0.0)
    assert Checkpoint(first).found is None
    with Checkpoint(first).written() as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "weights").write_bytes(b"\x00\xff")
        (folder / "empty").write_bytes(b"")
    saved = handover.taken(7)
    assert saved == Saved(7, {"deep/weights": b"\x00\xff", "empty": b""})
    Handover(second, every=0.0, given=saved)
    found = Checkpoint(second).found
    assert found is not None
    assert (found / "deep" / "weights").read_bytes() == b"\x00\xff"
    assert (found / "empty").exists()


def test_a_checkpoint_is_taken_once_and_the_one_that_was_given_never(tmp_path: Path) -> None:
    handover = Handover(tmp_path, every=0.0, given=Saved(3, {"weights": b"old"}))
    assert handover.taken(4) is None
    written(tmp_path, weights="new")
    assert handover.taken(5) == Saved(5, {"weights": b"new"})
    assert handover.taken(6) is None
    written(tmp_path, weights="new")
    assert handover.taken(7) == Saved(7, {"weights": b"new"})


def test_a_checkpoint_that_fails_while_it_is_written_leaves_the_last_one(tmp_path: Path) -> None:
    written(tmp_path, weights="whole")
    with pytest.raises(OSError, match="disk"), Checkpoint(tmp_path).written() as folder:
        (folder / "weights").write_text("ha")
        raise OSError("disk")
    found = Checkpoint(tmp_path).found
    assert found is not None
    assert (found / "weights").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_a_checkpoint_is_due_when_its_time_has_passed_and_never_where_nobody_asks(
    tmp_path: Path,
) -> None:
    assert not Checkpoint(tmp_path).due
    Handover(tmp_path, every=0.0)
    assert Checkpoint(tmp_path).due
    Handover(tmp_path, every=3600.0)
    assert not Checkpoint(tmp_path).due
    (tmp_path / EVERY).write_text("soon")
    with pytest.raises(EnvironmentFault, match="'soon'"):
        Checkpoint(tmp_path)
