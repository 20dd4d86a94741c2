"""Ray's folder: short enough for Ray's sockets whatever the machine, the user and TMPDIR are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.errors import EnvironmentFault
from cbablate.running.executors.ray_folder import MOST, ROOTS, ray_folder, socket_bytes
from cbablate.running.isolation.scratch import remove_scratch

PIDS = st.integers(min_value=1, max_value=9_999_999)
LETTERS = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=200)


@given(pid=PIDS)
def test_every_place_to_fall_back_to_is_short_enough_for_every_process(pid: int) -> None:
    for root in (*ROOTS, Path("/private/tmp")):  # what /tmp is on macOS
        assert socket_bytes(root, pid) <= 103  # macOS has the fewer


@given(name=LETTERS, pid=PIDS)
def test_a_path_is_counted_as_ray_counts_it(name: str, pid: int) -> None:
    root = Path("/") / name
    session = f"session_2026-11-30_17-05-09_000123_{pid}"  # as ray/_private/node.py makes it
    below = root / "cbablate-abc_efgh" / "r" / session / "sockets" / "plasma_store"
    assert socket_bytes(root, pid) == len(os.fsencode(below))


@pytest.mark.parametrize("letters", [1, 19, 23, 24, 30, 60, 120, 200])
def test_a_tmpdir_that_is_too_long_is_passed_over_and_any_other_is_used(
    letters: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = Path("/tmp") / ("t" * letters)
    long.mkdir()
    try:
        monkeypatch.setattr(tempfile, "tempdir", str(long))
        monkeypatch.setattr(os, "getpid", lambda: 1_234_567)
        folder = ray_folder()
        fits = socket_bytes(long, 1_234_567) <= MOST
        assert fits is (letters <= 18)
        assert folder.parent.parent == (long if fits else Path(os.path.realpath("/tmp")))
        assert folder.parent.stat().st_mode & 0o777 == 0o700
        remove_scratch(folder.parent)
    finally:
        long.rmdir()


def test_a_place_that_cannot_be_used_is_passed_over(tmp_path: Path) -> None:
    short = Path(tempfile.mkdtemp(dir="/tmp", prefix="c"))
    try:
        (short / "file").write_text("")
        folder = ray_folder([Path("/tmp/gone"), short / "file", Path("/proc"), short])
        assert folder.parent.parent == short
        remove_scratch(folder.parent)
    finally:
        (short / "file").unlink()
        short.rmdir()


def test_without_any_place_the_sentence_names_each_with_its_cause() -> None:
    long = Path("/tmp") / ("t" * 120)
    with pytest.raises(EnvironmentFault) as caught:
        ray_folder([long, Path("/tmp/gone")])
    said = str(caught.value)
    assert f"{long} is" in said and "bytes too long" in said
    assert "/tmp/gone cannot be used (No such file or directory)" in said
    assert f"{MOST} bytes" in said and "TMPDIR" in said and "--on local" in said
    assert "busy" not in said


def test_a_symbolic_link_counts_by_what_it_points_to() -> None:
    long, link = Path("/tmp") / ("t" * 120), Path("/tmp/cbl")
    long.mkdir()
    link.symlink_to(long)
    try:
        with pytest.raises(EnvironmentFault, match="too long"):
            ray_folder([link])
    finally:
        link.unlink()
        long.rmdir()


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's own limit")
def test_the_limit_is_the_systems_own(tmp_path: Path) -> None:
    import socket

    root = Path(tempfile.mkdtemp(dir="/tmp", prefix="c"))
    try:
        for length, fits in ((MOST, True), (MOST + 1, False)):
            path = f"{root}/{'s' * (length - len(str(root)) - 1)}"
            with socket.socket(socket.AF_UNIX) as one:
                if fits:
                    one.bind(path)
                    Path(path).unlink()
                else:
                    with pytest.raises(OSError, match="too long"):
                        one.bind(path)
    finally:
        root.rmdir()


@pytest.mark.slow
@pytest.mark.parametrize("letters", [20, 120, 200])
@pytest.mark.parametrize("shared", [False, True])
def test_a_trials_own_processes_can_hand_over_tensors_under_every_tmpdir(
    letters: int, shared: bool
) -> None:
    long = Path("/tmp") / ("t" * letters)
    long.mkdir()
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="c"))
    program = (
        "import sys; from pathlib import Path; from multiprocessing.connection import Listener\n"
        "from multiprocessing import Process\n"
        "from cbablate.running.executors.ray_folder import listen_in_a_short_folder as listen\n"
        f"made = listen(Path({str(folder)!r}) if {shared} else None)\n"
        "def bind():\n"
        "    with Listener(None, 'AF_UNIX') as one: print(one.address, flush=True)\n"
        "bind()\n"
        "child = Process(target=bind); child.start(); child.join()\n"
        "assert listen() is None\n"
        "from cbablate.running.isolation.scratch import remove_scratch\n"
        "if made: remove_scratch(made)\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"TMPDIR": str(long)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        used = done.stdout.split()
        assert len(used) == 2
        inside = long if letters == 20 else folder if shared else Path("/tmp/cbablate-")
        assert all(path.startswith(str(inside)) for path in used), used
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(long)
