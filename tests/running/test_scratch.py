"""Temporary folders: whose they are, and which are removed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cbablate.running.scratch import clear_abandoned, scratch_folder


def test_the_folders_of_the_dead_are_removed_and_those_of_the_living_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "import sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
        "from cbablate.running.scratch import scratch_folder; print(scratch_folder('trial'))"
    )
    dead = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout.strip()
    (Path(dead) / "checkpoint").write_text("large")
    ours = scratch_folder("trial")
    somebodys = tmp_path / "cbablate-notes"
    somebodys.mkdir()
    clear_abandoned()
    assert not Path(dead).exists()
    assert ours.exists()
    assert ours.stat().st_mode & 0o777 == 0o700
    assert somebodys.exists()
