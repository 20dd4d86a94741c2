from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cbablate.errors import EnvironmentFault, OwnedElsewhere
from cbablate.records.sqlite import lock
from cbablate.records.sqlite.ledger import SqliteLedger
from cbablate.records.sqlite.lock import exclusive

HOLD = """
import os, sys, time
from pathlib import Path
from cbablate.records.sqlite.ledger import SqliteLedger
with SqliteLedger.writing(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(folder: Path, program: str = HOLD) -> subprocess.Popen[str]:
    """Another process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_folder_held_elsewhere_is_refused_by_name_and_free_when_its_holder_is_killed(
    tmp_path: Path,
) -> None:
    process = holder(tmp_path)
    try:
        with (
            pytest.raises(OwnedElsewhere) as caught,
            SqliteLedger.writing(tmp_path),
        ):
            pytest.fail("two writers")
        said = str(caught.value)
        assert f"process {process.pid} on {socket.gethostname()}, since 20" in said
        assert caught.value.exit_code == 6
        with SqliteLedger.reading(tmp_path) as ledger:
            assert ledger.records() == []
    finally:
        process.kill()
        process.communicate(timeout=30)
    with SqliteLedger.writing(tmp_path) as ledger:
        ledger.tell("session", "s", {})


def test_a_refused_second_writer_leaves_the_first_ones_name_in_place(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with exclusive(path):
        before = path.read_bytes()
        with pytest.raises(OwnedElsewhere), exclusive(path):
            pytest.fail("two holders")
        assert path.read_bytes() == before
        assert json.loads(before)["process"] == os.getpid()


def test_the_lock_is_free_after_the_block_and_after_an_error_in_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), exclusive(path):
        _ = 1 / 0
    with exclusive(path):
        pass


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_process_that_a_killed_holder_had_forked_does_not_keep_the_lock(tmp_path: Path) -> None:
    process = holder(tmp_path, HOLD.replace("    time", "    os.fork(); time"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (child := children.read_text().strip()):
        time.sleep(0.01)
    try:
        with pytest.raises(OwnedElsewhere), exclusive(tmp_path / "lock"):
            pass
        process.kill()
        process.wait()
        with SqliteLedger.writing(tmp_path):
            os.kill(int(child), 0)
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_a_child_of_the_holder_does_not_inherit_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with exclusive(path):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with exclusive(path):
            pass
    finally:
        child.kill()
        child.wait(timeout=30)


def test_a_lock_whose_descriptor_was_closed_is_taken_anew(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with exclusive(path) as ours:
        os.closerange(ours._descriptor, ours._descriptor + 1)
        assert not lock.held(path)
        assert ours.keep()
        assert lock.held(path)
    assert not lock.held(path)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"process": 1}', b"\xff\xfe"])
def test_an_unreadable_name_in_the_lock_is_no_crash(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "lock"
    with exclusive(path):
        path.write_bytes(text)
        with pytest.raises(OwnedElsewhere, match="a process that has just started"):
            exclusive(path).__enter__()


def test_text_left_in_the_lock_by_a_dead_process_means_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text('{"process": 1, "host": "elsewhere", "since": "long ago", "more": "text"}')
    with exclusive(path):
        assert json.loads(path.read_text())["process"] == os.getpid()


def test_a_file_system_that_cannot_lock_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with pytest.raises(EnvironmentFault, match="cannot lock files"), exclusive(tmp_path / "lock"):
        pytest.fail("locked")


def test_the_lock_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_waiting_for_nobody_takes_no_time(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock"):
        began = time.monotonic()
        with pytest.raises(OwnedElsewhere):
            exclusive(tmp_path / "lock").__enter__()
        assert time.monotonic() - began < 5
