"""A disk that is full, read-only or out of reach is no damage, and what was recorded stays."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cbablate.errors import EnvironmentFault
from cbablate.records.sqlite import seal
from cbablate.records.sqlite.layout import LEDGER_FILE
from cbablate.records.sqlite.ledger import SqliteLedger
from tests.records.writers import trial, writer


@contextmanager
def small_disk(tmp_path: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kilobytes."""
    point = tmp_path / "disk"
    point.mkdir()
    options = f"size={kilobytes}k,nr_inodes=64"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(point)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr}")
    try:
        yield point
    finally:
        subprocess.run(["umount", "-l", str(point)], check=True)


def fill(disk: Path, left: int) -> Path:
    """Fill a disk but for so many kilobytes."""
    path = disk / "filler"
    free = os.statvfs(disk)
    path.write_bytes(bytes(max(0, free.f_bavail * free.f_bsize - left * 1024)))
    return path


@pytest.mark.parametrize("left", [0, 4, 8, 12, 16, 20, 28, 40, 60, 80])
def test_a_full_disk_at_the_start_is_the_machine_s_fault_and_room_mends_it(
    tmp_path: Path, left: int
) -> None:
    with small_disk(tmp_path, 1024) as disk:
        filler = fill(disk, left)
        folder = disk / "r"
        with pytest.raises(EnvironmentFault) as caught, SqliteLedger.writing(folder) as ledger:
            for number in range(400):
                ledger.append(*trial(number))
        assert caught.value.exit_code == 4
        assert "trusted" not in str(caught.value)
        filler.unlink()
        with SqliteLedger.writing(folder) as ledger:
            before = len(ledger.records(["ended"]))
            ledger.append(*trial(1000))
        with SqliteLedger.reading(folder) as reader:
            assert len(reader.records(["ended"])) == before + 1


def test_a_disk_that_fills_in_mid_run_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path, 1024) as disk:
        acknowledged = 0
        folder = disk / "r"
        for left in (24, 3, 11, 0):
            with SqliteLedger.writing(folder) as ledger:
                ledger.append(*trial(acknowledged))
                acknowledged += 1
                filler = fill(disk, left)
                with pytest.raises(EnvironmentFault, match=r"full|space"):
                    for number in range(acknowledged, 1000):
                        ledger.append(*trial(number))
                        acknowledged += 1
            with SqliteLedger.reading(folder) as reader:
                there = len(reader.records(["ended"]))
            assert acknowledged <= there <= acknowledged + 1, left  # the last may be in, untold
            acknowledged = there
            filler.unlink()


def test_a_read_only_disk_with_what_a_killed_writer_left_is_not_damage(tmp_path: Path) -> None:
    with small_disk(tmp_path, 2048) as disk:
        with writer(disk / "r", 3) as process:
            process.kill()
        (disk / "r" / f"{LEDGER_FILE}-shm").unlink()
        remount = ["mount", "-o", "remount,ro", str(disk)]
        subprocess.run(remount, check=True)
        for door in (SqliteLedger.reading, SqliteLedger.writing):
            with pytest.raises(EnvironmentFault) as caught, door(disk / "r"):
                pytest.fail("opened")
            assert "trusted" not in str(caught.value)


def test_too_many_open_files_are_not_damage(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        ledger.append(*trial(1))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                opened.append(os.open(os.devnull, os.O_RDONLY))
        for free in (0, 1, 2, 3):
            for _ in range(min(free, 1)):
                os.close(opened.pop())
            for door in (SqliteLedger.reading, SqliteLedger.writing):
                with suppress(EnvironmentFault), door(tmp_path) as found:  # never DamagedState
                    found.records()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for descriptor in opened:
            os.close(descriptor)
    with SqliteLedger.writing(tmp_path) as ledger:
        assert len(ledger.records()) == 4


def test_a_seal_that_cannot_be_written_is_the_machine_s_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with SqliteLedger.writing(tmp_path) as ledger:
        with monkeypatch.context() as patch:
            patch.setattr(seal.os, "pwrite", full)
            with pytest.raises(EnvironmentFault, match="No space left"):
                ledger.append(*trial(1))
        ledger.append(*trial(2))
        assert len(ledger.records(["ended"])) == 2


def test_a_file_that_may_not_be_read_is_not_damage(tmp_path: Path) -> None:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may read everything")
    folder = tmp_path / "r"
    with SqliteLedger.writing(folder) as ledger:
        ledger.append(*trial(1))
    for path in (tmp_path.parent.parent, tmp_path.parent, tmp_path, folder):
        path.chmod(0o755)
    script = (
        "import sys; from pathlib import Path\n"
        "from cbablate.errors import CbablateError\n"
        "from cbablate.records.sqlite.ledger import SqliteLedger\n"
        "try:\n    with SqliteLedger.reading(Path(sys.argv[1])) as ledger: ledger.records()\n"
        "except CbablateError as error: print(error); sys.exit(error.exit_code)\n"
    )
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    words = [*(drop if os.geteuid() == 0 else []), sys.executable, "-c", script, str(folder)]
    if os.geteuid() != 0:
        (folder / LEDGER_FILE).chmod(0)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=environment)
    if "ModuleNotFoundError" in done.stderr or "PermissionError" in done.stderr:
        pytest.skip("another user cannot import the package here")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "trusted" not in done.stdout
