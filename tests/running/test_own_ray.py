"""A Ray of our own, started and killed for real: by the command, in processes of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate.records.book import Book
from cbablate.records.place import Place
from cbablate.records.process import Process, started
from cbablate.running.executors.ray_folder import ROOTS
from tests.toys import toy_file

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for processes"),
    pytest.mark.slow,
]

ROOT = os.getuid() == 0 and shutil.which("unshare") is not None
LIMIT = 300.0
"""Seconds after which a command counts as hanging, on the busiest machine."""


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path, open to every user."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="c"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def command(study: Path, results: Path, *words: str, python: str = sys.executable) -> list[str]:
    where = [str(study), "--results", str(results), "--no-mirrors"]
    return [python, "-m", "cbablate.cli.main", "run", *where, *words]


def python_below(folder: Path) -> str:
    """A Python of an environment below a folder, with the libraries of this one."""
    venv.create(folder / "env", symlinks=True, with_pip=False)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return str(folder / "env" / "bin" / "python")


def processes() -> dict[int, tuple[int, str]]:
    """Parent and command line of every process that is no zombie, by its number."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state != "Z":
            found[int(folder.name)] = int(parent), words
    return found


def below(process: int) -> dict[int, str]:
    """The command lines of all descendants of a process."""
    every = processes()
    found: dict[int, str] = {}
    parents = {process}
    while parents:
        children = {pid for pid, (parent, _) in every.items() if parent in parents} - found.keys()
        found |= {pid: every[pid][1] for pid in children}
        parents = children
    return found


def members(family: Iterable[int]) -> list[Process]:
    """The processes that have these numbers now; a busy machine soon gives them to others."""
    known = [replace(Process.this(), pid=pid, started=started(pid)) for pid in family]
    return [process for process in known if process.started]


def left(*roots: Path) -> list[Path]:
    return [path for root in roots for path in root.glob("cbablate-*")]


def owner(folder: Path) -> int | None:
    try:
        return int(json.loads((folder / ".owner").read_text())["pid"])
    except (OSError, ValueError):  # somebody else's, who is at work meanwhile
        return None


@pytest.mark.skipif(not ROOT, reason="needs root and unshare")
@pytest.mark.parametrize(
    ("letters", "user"),
    [(8, []), (120, []), (200, ["--reuid=65534", "--regid=65534", "--clear-groups"])],
    ids=["long host name", "TMPDIR of 120 letters", "TMPDIR of 200 letters, not root"],
)
def test_the_command_starts_with_a_long_host_name_and_tmpdir(
    letters: int, user: list[str], short: Path
) -> None:
    home = short / "a home with spaces and a long name indeed"
    temporary = Path(f"{short}/{'t' * (letters - len(str(short)) - 1)}" if letters > 8 else short)
    for folder in (home, temporary):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
    (short / "ray").mkdir()
    (short / "ray" / "ray_current_cluster").write_text("127.0.0.1:9")  # of a Ray that is gone
    study = toy_file(home, replicates=1)
    python = sys.executable if user else python_below(home)  # whose path has spaces
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"] if user else []
    done = subprocess.run(
        ["unshare", "-u", "sh", "-c", f'hostname {"h" * 63} && exec "$@"', "sh"]
        + (["setpriv", *user, *reading] if user else [])
        + command(study, home / "results", python=python),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        cwd=home,
        env=os.environ
        | {"TMPDIR": str(temporary), "HOME": str(home), "PYTHONPATH": str(Path.cwd())}
        | {"RAY_ADDRESS": "127.0.0.1:9", "RAY_TMPDIR": str(short)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Study toys")
    said = f"{temporary} is too long a path for Ray's sockets; these are in /tmp"
    assert (said in done.stderr) is (letters > 8)
    assert left(temporary) == []


@pytest.mark.parametrize("target", ["raylet/raylet", "gcs_server"])
def test_a_ray_that_dies_ends_the_study_in_order_and_nothing_is_lost(
    target: str, tmp_path: Path, short: Path
) -> None:
    study, results = toy_file(tmp_path, seconds=0.3, replicates=2), tmp_path / "results"
    env = os.environ | {"TMPDIR": str(short)}
    driver = subprocess.Popen(
        command(study, results), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    try:
        until = time.monotonic() + LIMIT
        while time.monotonic() < until and driver.poll() is None:
            with Place(results).reading() as ledger:
                if ledger.records(["ended"]):
                    break
            time.sleep(0.1)
        family = below(driver.pid)
        every = members(family)
        (victim,) = [pid for pid, words in family.items() if target in words.split(" --")[0]]
        os.kill(victim, signal.SIGKILL)
        out, err = driver.communicate(timeout=LIMIT)
    finally:
        driver.kill()
    assert driver.returncode == 75, err
    assert f"(process {victim}) has died, and no trial can go on" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert out == ""  # Ray's complaints are not the product
    assert left(short) == []
    until = time.monotonic() + LIMIT
    while (still := [one for one in every if one.runs]) and time.monotonic() < until:
        time.sleep(0.1)
    assert not still
    with Place(results).reading() as ledger:
        before = Book.of(ledger.records()).histories
    assert {history.state.value for history in before.values()} <= {"complete", "running"}
    complete = sum(history.state.value == "complete" for history in before.values())
    again = subprocess.run(
        command(study, results, "--on", "local"), capture_output=True, text=True, timeout=LIMIT
    )
    assert again.returncode == 0, again.stderr
    with Place(results).reading() as ledger:
        ends = ledger.records(["ended"])
    assert len({fact.subject for fact in ends}) == 8
    assert len(ends) == 8, f"{complete} were complete"


HELD = """
import os, subprocess, sys
from cbablate.running.executors.ray_session import RaySession
import ray

ASK = "import sys; from ray._raylet import GcsClient; " \\
    "print('nodes:', len(GcsClient(address=sys.argv[1]).get_all_node_info(timeout=30)))"
with RaySession(None):
    address = ray.get_runtime_context().gcs_address
    right = os.environ["RAY_AUTH_TOKEN"]
    rest = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH")}
    rest["HOME"] = os.environ["TMPDIR"]  # where no token of anybody lies
    sent = {"none": {}, "wrong": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * len(right)},
            "right": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": right}}
    asking = {
        name: subprocess.Popen([sys.executable, "-c", ASK, address], env=rest | token,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for name, token in sent.items()
    }
    for name, one in asking.items():
        said = one.communicate()[0]
        print(name, one.returncode == 0, "nodes: 1" in said, "InvalidAuthToken" in said,
              file=sys.stderr)
"""


@pytest.mark.ray
def test_ray_answers_nobody_without_the_token_of_the_run(short: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELD],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=os.environ | {"TMPDIR": str(short)},
    )
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert "none False False True" in said, done.stderr
    assert "wrong False False True" in said, done.stderr
    assert "right True True False" in said, done.stderr


def test_a_driver_that_is_killed_leaves_nothing_that_the_next_one_does_not_clear(
    tmp_path: Path, short: Path
) -> None:
    study, results = toy_file(tmp_path, seconds=0.3, replicates=2), tmp_path / "results"
    long = short / ("t" * 60)  # so that Ray's folder is elsewhere
    long.mkdir()
    env = os.environ | {"TMPDIR": str(long)}
    driver = subprocess.Popen(
        command(study, results), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env
    )
    try:
        until = time.monotonic() + LIMIT
        while time.monotonic() < until and driver.poll() is None:
            with Place(results).reading() as ledger:
                if ledger.records(["measured"]):
                    break
            time.sleep(0.1)
        every = members(below(driver.pid))
    finally:
        driver.kill()
        driver.wait()
    ours = {path for path in left(*ROOTS, long) if owner(path) == driver.pid}
    assert {path.parent for path in ours} == {Path("/tmp"), long}
    until = time.monotonic() + LIMIT
    while any(one.runs for one in every) and time.monotonic() < until:
        time.sleep(0.1)
    again = subprocess.run(
        command(study, results), capture_output=True, text=True, timeout=LIMIT, env=env
    )
    assert again.returncode == 0, again.stderr
    assert not [path for path in ours if path.exists()]
    assert left(long) == []
