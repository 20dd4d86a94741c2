"""Temporary folders: whose they are, and which are removed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cbablate.errors import EnvironmentFault
from cbablate.records.process import Process
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.isolation import scratch
from cbablate.running.isolation.scratch import clear_abandoned, remove_scratch, scratch_folder
from tests.toys import toy_plan

PROGRAM = (
    "import sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
    "from cbablate.running.isolation.scratch import scratch_folder\n"
    "print(scratch_folder('trial'), flush=1)\n"
    "sys.stdin.read()"
)
UNSHARE = shutil.which("unshare") is not None and os.getuid() == 0


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_by_the_dead(root: Path, *before: str) -> Path:
    done = subprocess.run(
        [*before, sys.executable, "-c", PROGRAM, str(root)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(done.stdout.strip())
    (folder / "checkpoint").write_text("large")
    return folder


def rewritten(folder: Path, **changes: Any) -> None:
    owner = folder / ".owner"
    owner.write_text(json.dumps(json.loads(owner.read_text()) | changes))


def test_the_folders_of_the_dead_are_removed_and_those_of_the_living_kept(root: Path) -> None:
    dead, ours = left_by_the_dead(root), scratch_folder("trial")
    somebodys = root / "cbablate-notes"
    somebodys.mkdir()
    clear_abandoned()
    assert not dead.exists()
    assert ours.exists()
    assert ours.stat().st_mode & 0o777 == 0o700
    assert somebodys.exists()


def test_a_run_that_has_nothing_to_train_removes_them_too(root: Path, tmp_path: Path) -> None:
    def driven() -> int:
        results = tmp_path / "results"
        done = drive(plan, results=results, executor=LocalExecutor, publish=lambda facts: [])
        return done.trained

    plan = toy_plan({"ceiling": 2.0})
    assert driven() == 4
    dead = left_by_the_dead(root)
    assert driven() == 0
    assert not dead.exists()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc")
def test_a_server_that_outlives_its_driver_is_ended_and_its_folder_stays_away(root: Path) -> None:
    dead = left_by_the_dead(root)
    again = "import os, sys, time\nwhile True: os.makedirs(sys.argv[-1], exist_ok=True)"
    server = [sys.executable, "-c", again, f"--session-dir={dead}/r/session", f"{dead}/r/logs"]
    reader = [sys.executable, "-c", "import sys; sys.stdin.read()", f"{dead}/r/logs"]
    reader += [f"--logdir={dead}/tb"]
    with (
        subprocess.Popen(server) as recreating,
        subprocess.Popen(reader, stdin=subprocess.PIPE) as reading,
    ):
        try:
            while not (dead / "r" / "logs").exists():
                time.sleep(0.01)
            clear_abandoned()
            assert recreating.wait(10) == -signal.SIGKILL
            assert not dead.exists()
            assert reading.poll() is None
        finally:
            recreating.kill()
            reading.kill()


def test_a_folder_in_another_place_is_cleared_where_that_is_named(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    dead = left_by_the_dead(elsewhere)
    clear_abandoned()
    assert dead.exists()
    clear_abandoned(elsewhere, tmp_path / "gone")
    assert not dead.exists()


def test_a_living_process_keeps_its_folder_until_it_is_killed(root: Path) -> None:
    living = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert living.stdout is not None
    folder = Path(living.stdout.readline().strip())
    clear_abandoned()
    assert folder.exists()
    living.send_signal(signal.SIGKILL)
    living.communicate()
    clear_abandoned()
    assert not folder.exists()


def test_a_recycled_process_number_does_not_keep_a_folder(root: Path) -> None:
    dead = left_by_the_dead(root)
    rewritten(dead, pid=os.getpid())  # it lives, but began at another time
    clear_abandoned()
    assert not dead.exists()


def test_a_process_that_lives_keeps_its_folder_even_without_its_lock(root: Path) -> None:
    dead = left_by_the_dead(root)
    (dead / ".owner").write_text(
        json.dumps({**asdict(Process.this()), "at": time.time()})
    )  # of ours, not locked
    clear_abandoned()
    assert dead.exists()


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"host": "elsewhere"}, True),
        ({"boot": "another", "at": time.time() + 60}, True),  # a machine of the same name
        ({"boot": "another", "at": 1.0}, False),  # before this machine was started
        ({"namespace": "pid:[1]", "pid": 1}, False),  # another container's: its lock is free
    ],
)
def test_what_cannot_be_asked_for_is_kept(root: Path, changes: dict[str, Any], kept: bool) -> None:
    dead = left_by_the_dead(root)
    rewritten(dead, **changes)
    clear_abandoned()
    assert dead.exists() is kept


@pytest.mark.skipif(not UNSHARE, reason="needs root and unshare")
def test_a_living_process_of_another_container_keeps_its_folder(root: Path) -> None:
    contained = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    living = subprocess.Popen(
        [*contained, sys.executable, "-c", PROGRAM, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert living.stdout is not None
    folder = Path(living.stdout.readline().strip())
    assert json.loads((folder / ".owner").read_text())["pid"] < 10
    clear_abandoned()
    assert folder.exists()
    living.kill()
    living.communicate()
    limit = time.monotonic() + 30
    while folder.exists() and time.monotonic() < limit:  # the kernel ends the container's processes
        clear_abandoned()
        time.sleep(0.1)
    assert not folder.exists()


def test_where_files_cannot_be_locked_only_a_process_that_is_seen_to_be_gone_counts(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, contained = left_by_the_dead(root), left_by_the_dead(root)
    rewritten(contained, namespace="pid:[1]", pid=1)

    def refuses(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(scratch.fcntl, "flock", refuses)
    ours = scratch_folder("trial")
    clear_abandoned()
    assert not gone.exists()
    assert contained.exists()
    assert ours.exists()


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"pid": 1}', "\0", "[" * 4000])
def test_a_folder_whose_owner_cannot_be_read_is_left_alone(root: Path, text: str) -> None:
    dead = left_by_the_dead(root)
    (dead / ".owner").write_text(text)
    clear_abandoned()
    assert (dead / "checkpoint").exists()


def test_a_link_in_the_place_of_a_folder_or_its_owner_is_not_followed(
    root: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    dead = left_by_the_dead(root)
    shutil.copy(dead / ".owner", precious / ".owner")
    (root / "cbablate-01234567").symlink_to(precious)
    planted = root / "cbablate-89abcdef"
    planted.mkdir()
    (planted / ".owner").symlink_to(precious / ".owner")
    (dead / "inside").symlink_to(precious)
    clear_abandoned()
    assert (precious / ".owner").exists()
    assert planted.exists()
    assert not dead.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_a_folder_of_another_user_is_left_alone(root: Path) -> None:
    dead = left_by_the_dead(root)
    os.chown(dead, 65534, 65534)
    clear_abandoned()
    assert dead.exists()


def test_what_a_workload_has_put_out_of_reach_is_removed_too(root: Path) -> None:
    folder = scratch_folder("trial")
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "closed" / "inner" / "file").write_text("")
    (folder / "closed" / "inner").chmod(0)
    (folder / "closed").chmod(0)
    remove_scratch(folder)
    assert not folder.exists()


def test_a_folder_that_is_removed_holds_no_file_open(root: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        remove_scratch(scratch_folder("trial"))
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_descriptor_that_a_workload_took_over_is_not_closed(root: Path) -> None:
    folder = scratch_folder("trial")
    handle, _ = scratch._locks[folder]
    with Path(os.devnull).open("rb") as another:
        os.dup2(another.fileno(), handle)
    remove_scratch(folder)
    assert os.fstat(handle)
    os.close(handle)


def test_a_temporary_folder_that_takes_nothing_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="no temporary folder can be made in"):
        scratch_folder("trial", tmp_path / "gone")
