"""Two writers of one ledger: whatever is done to its lock, one of them works."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cbablate.errors import DamagedState, OwnedElsewhere
from cbablate.records.fsck import release
from cbablate.records.process import Process
from cbablate.records.sqlite import lease
from cbablate.records.sqlite.layout import LEDGER_FILE
from cbablate.records.sqlite.ledger import SqliteLedger
from tests.records.writers import ended, trial, writer

root = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
TRY = """
import sys
from pathlib import Path
from cbablate.errors import CbablateError
from cbablate.records.sqlite.ledger import SqliteLedger
from cbablate.records.process import Process
folder = Path(sys.argv[1])
(folder / "lock").unlink(missing_ok=True)
try:
    with SqliteLedger.writing(folder) as ledger:
        ledger.tell("session", "second", {})
except CbablateError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def second(folder: Path, *prefix: str) -> tuple[int, str]:
    """Exit code and words of another process that removes the lock and tries to write."""
    done = subprocess.run(
        [*prefix, sys.executable, "-c", TRY, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    return done.returncode, done.stderr


def subjects(folder: Path) -> list[str]:
    with SqliteLedger.reading(folder) as ledger:
        return [fact.subject for fact in ledger.records(["session"])]


def holder(folder: Path) -> dict[str, object]:
    with sqlite3.connect(folder / LEDGER_FILE) as raw:
        (text,) = raw.execute("SELECT holder FROM lease").fetchone()
    raw.close()
    return dict(json.loads(text))


def alter(folder: Path, sql: str) -> None:
    with sqlite3.connect(folder / LEDGER_FILE) as raw:
        raw.execute(sql)
    raw.close()


def hold(folder: Path, **said: object) -> None:
    """A ledger whose lease is another holder's: ours with these differences."""
    with SqliteLedger.writing(folder) as ledger:
        ledger.append(*trial(0))
        now = holder(folder) | said
    with sqlite3.connect(folder / LEDGER_FILE) as raw:
        raw.execute("INSERT INTO lease VALUES ('t', ?, 1e9)", (json.dumps(now),))
    raw.close()


def linked(folder: Path) -> Path:
    other = folder.with_name("linked")
    other.mkdir()
    os.link(folder / LEDGER_FILE, other / LEDGER_FILE)
    return other


def symlinked(folder: Path) -> Path:
    other = folder.with_name("symlinked")
    other.mkdir()
    (other / LEDGER_FILE).symlink_to(folder / LEDGER_FILE)
    return other


@pytest.mark.parametrize("reach", [lambda folder: folder, linked, symlinked])
def test_without_the_lock_a_second_writer_is_refused_by_the_lease_and_the_first_goes_on(
    tmp_path: Path, reach: Callable[[Path], Path]
) -> None:
    folder = tmp_path / "r"
    with writer(folder) as first:
        code, said = second(reach(folder))
        assert code == 6, said
        assert f"process {first.pid} on" in said
        assert "last sign of life 20" in said
        assert "--release" in said
        assert ended(first) == ""
        assert first.returncode == 0
    assert subjects(folder) == ["tail", "later"]


@root
@pytest.mark.parametrize(
    "prefix",
    [
        ("unshare", "-u", "sh", "-c", 'hostname elsewhere; exec "$@"', "sh"),
        ("unshare", "-p", "--fork", "--mount-proc"),
    ],
    ids=["another host name", "another namespace of processes"],
)
def test_a_second_writer_from_elsewhere_on_this_machine_is_refused(
    tmp_path: Path, prefix: tuple[str, ...]
) -> None:
    with writer(tmp_path / "r") as first:
        code, said = second(tmp_path / "r", *prefix)
        assert code == 6, said
        assert ended(first) == ""
    assert subjects(tmp_path / "r") == ["tail", "later"]


def test_a_writer_that_is_refused_removes_nothing(tmp_path: Path) -> None:
    with writer(tmp_path / "r") as first:
        half_made = tmp_path / "r" / "ledger.seal.new"  # what the first is about to rename
        half_made.write_bytes(b"half")
        assert second(tmp_path / "r")[0] == 6
        assert half_made.exists()
        assert ended(first) == ""
    assert subjects(tmp_path / "r") == ["tail", "later"]


@root
def test_a_second_writer_through_another_mount_is_refused(tmp_path: Path) -> None:
    bound = tmp_path / "bound"
    bound.mkdir()
    with writer(tmp_path / "r") as first:
        mount = f'mount --bind "{tmp_path / "r"}" "{bound}"; exec "$@"'
        code, said = second(bound, "unshare", "-m", "sh", "-c", mount, "sh")
        assert code == 6, said
        assert ended(first) == ""


def test_a_copy_of_the_folder_is_a_ledger_of_its_own_while_the_first_is_written(
    tmp_path: Path,
) -> None:
    with writer(tmp_path / "r") as first:
        shutil.copytree(tmp_path / "r", tmp_path / "copy")
        assert second(tmp_path / "copy") == (0, "")
        assert ended(first) == ""
    assert subjects(tmp_path / "r") == ["tail", "later"]
    assert subjects(tmp_path / "copy") == ["tail", "second"]


def test_two_that_begin_at_once_without_a_lock_are_one_writer(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    script = TRY.replace('ledger.tell("session", "second", {})', "input()")
    words = [sys.executable, "-c", script, str(tmp_path / "r")]
    every = [subprocess.Popen(words, stdin=subprocess.PIPE, env=environment) for _ in range(3)]
    until = time.monotonic() + 120
    while sum(process.poll() is not None for process in every) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    for process in every:  # the one that writes has waited until the others had gone
        process.communicate(b"\n", timeout=60)
    assert sorted(process.returncode for process in every) == [0, 6, 6]


def test_a_killed_holder_s_lease_is_taken_over_at_once(tmp_path: Path) -> None:
    with writer(tmp_path / "r") as first:
        first.kill()
        os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)  # dead, and it has its number still
        with SqliteLedger.writing(tmp_path / "r") as ledger:
            ledger.tell("session", "next", {})
    assert subjects(tmp_path / "r") == ["tail", "next"]


def test_whoever_lost_the_lease_appends_nothing_more(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        ledger.tell("session", "one", {})
        alter(tmp_path, "UPDATE lease SET token = 'another'")
        with pytest.raises(OwnedElsewhere, match="took this ledger over") as caught:
            ledger.tell("session", "two", {})
    assert caught.value.exit_code == 6
    assert subjects(tmp_path) == ["one"]


def test_a_ledger_that_another_program_appends_to_is_not_appended_to(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        ledger.tell("session", "one", {})
        alter(tmp_path, "INSERT INTO records SELECT 2, kind, 'x', at, body, digest FROM records")
        alter(tmp_path, "UPDATE seal SET facts = 2")
        with pytest.raises(DamagedState, match="another program has altered it"):
            ledger.tell("session", "two", {})


@pytest.mark.parametrize(
    "said",
    [
        {"pid": 2**22 + 1},  # no such process
        {"started": "1"},  # another process has its number by now
        {"ledger": [1, 2]},  # it writes another file
        {"boot": "an earlier start of this machine"},  # the file system is this machine's alone
    ],
)
def test_a_holder_that_is_provably_gone_is_no_obstacle(
    tmp_path: Path, said: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_file_system", lambda folder: "ext4")
    hold(tmp_path, **said)
    with SqliteLedger.writing(tmp_path) as ledger:
        ledger.tell("session", "next", {})


@pytest.mark.parametrize(
    ("said", "system"),
    [
        ({"boot": "another machine", "host": "node-7"}, "nfs4"),
        ({"boot": "another machine", "pid": 2**22 + 1}, "lustre"),
        ({"ledger": [1, 2], "pid": 1, "started": "0"}, "fuse.sshfs"),
        ({"namespace": "pid:[1]", "pid": 2**22 + 1, "lock": [1, 2]}, "ext4"),
        ({"pid": "x"}, "ext4"),
    ],
)
def test_a_holder_that_may_live_is_taken_for_living_until_a_person_says_otherwise(
    tmp_path: Path, said: dict[str, object], system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_file_system", lambda folder: system)
    monkeypatch.setattr(Process, "runs", property(lambda process: process.pid == 1))
    hold(tmp_path, **said)
    with pytest.raises(OwnedElsewhere, match="--release"), SqliteLedger.writing(tmp_path):
        pytest.fail("taken over")
    if said.get("pid") != 1:
        assert release(tmp_path) is not None
        with SqliteLedger.writing(tmp_path) as ledger:
            ledger.tell("session", "next", {})


def test_a_living_holder_s_lease_is_not_released(tmp_path: Path) -> None:
    with writer(tmp_path / "r") as first:
        (tmp_path / "r" / "lock").unlink()
        with pytest.raises(OwnedElsewhere, match="is alive: stop it"):
            release(tmp_path / "r")
        assert ended(first) == ""


def test_a_removed_lock_is_taken_again_by_the_next_append(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        (tmp_path / "lock").unlink()
        ledger.tell("session", "one", {})
        with pytest.raises(OwnedElsewhere), SqliteLedger.writing(tmp_path):
            pytest.fail("two writers")
        (tmp_path / "lock").unlink()
        (tmp_path / "lock").write_text("another file")
        ledger.tell("session", "two", {})
        with pytest.raises(OwnedElsewhere), SqliteLedger.writing(tmp_path):
            pytest.fail("two writers")
