"""`Warm`: a process that has imported everything and forks for each command, which saves seconds.

`python -m tests.faults.warm` is its own half: it reads one order a line from stdin, and answers
each with a line, the exit code. The fork runs the command line as a fresh process would; only
importing lies behind it.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from tests.faults.bench import ROOT, Bench
from tests.faults.blind import take_out

__all__ = ["Order", "Warm", "shim", "warm"]


@dataclass(frozen=True)
class Order:
    """What a fork does before the command, to be disturbed.

    Args:
        blind: the safeguard that is taken out.
        watched: the folder that the shim looks after; empty for none.
        log: where the shim writes down every change of it.
        full: the number of the first change that finds no room; 0 for none.
        deaf: whether fsync does nothing.
        descriptors: how many files the command can open; None for as many as usual.
        largest: how many bytes a file may have; None for any number.
        drawn: whether figures and the report are drawn, which takes longer than all the rest.
    """

    blind: str = ""
    watched: str = ""
    log: str = ""
    full: int = 0
    deaf: bool = False
    descriptors: int | None = None
    largest: int | None = None
    drawn: bool = False


class Warm:
    """The harness's half: orders go in, exit codes come out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self,
        bench: Bench,
        words: Sequence[str],
        order: Order = Order(),
        *,
        cwd: Path | None = None,
        timeout: float = 120.0,
    ) -> tuple[int | None, str]:
        """The exit code of `cbablate WORDS` (None if it had to be killed), and its stderr."""
        said = bench.folder / "warm.err"
        asked = {
            "words": list(words),
            "cwd": str(cwd or bench.folder),
            "out": str(bench.folder / "warm.out"),
            "err": str(said),
            "environment": bench.environment,
            "timeout": timeout,
            "order": asdict(order),
        }
        code = self._ask(asked)
        return code, said.read_text(errors="replace")

    def _ask(self, asked: dict[str, Any]) -> int | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the warm process has ended")
        found: int | None = json.loads(answer)
        return found


@contextlib.contextmanager
def warm(*, mirrors: bool = False) -> Iterator[Warm]:
    """A warm process, with the shim where there is a C compiler; with MLflow, if it is needed."""
    preloaded = shim()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    if preloaded is not None:
        environment["LD_PRELOAD"] = str(preloaded)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.warm", *(["mirrors"] if mirrors else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd="/",
    )
    try:
        yield Warm(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


@functools.cache
def shim() -> Path | None:
    """The shim, compiled; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    folder = tempfile.mkdtemp(prefix="faults-shim-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = Path(folder) / "shim.so"
    source = Path(__file__).with_name("shim.c")
    built = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl"], check=False
    )
    return made if built.returncode == 0 else None


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.environ.pop("LD_PRELOAD", None)  # for us and our forks, not for git or nvidia-smi
    _import_all()
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(asked)
        print(json.dumps(_awaited(pid, asked["timeout"])), file=answers, flush=True)


def _awaited(pid: int, timeout: float) -> int | None:
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _run(asked: dict[str, Any]) -> NoReturn:
    os.setsid()
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    for number, name in ((1, asked["out"]), (2, asked["err"])):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.argv[:] = ["cbablate", *asked["words"]]
    code = 0
    try:
        _disturb(Order(**asked["order"]))
        from cbablate.cli.main import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as Python itself would at the end of a process
        traceback.print_exc()
        code = 1
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _disturb(order: Order) -> None:
    if order.blind:
        take_out(order.blind)
    if not order.drawn:
        from cbablate.reporting.pages import publication

        vars(publication)["pictures"] = lambda *_: ()
        vars(publication)["report"] = lambda *_, **__: ""
    if order.watched:
        arm = ctypes.CDLL(None).shim_arm
        arm(order.watched.encode(), order.log.encode(), ctypes.c_long(order.full), int(order.deaf))
    if order.largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest, order.largest))
    if order.descriptors is not None:
        top = max(int(path.name) for path in Path("/proc/self/fd").iterdir()) + order.descriptors
        resource.setrlimit(resource.RLIMIT_NOFILE, (top, top))


def _import_all() -> None:
    """Import what running a study imports, which a fork finds out by running one."""
    from tests.faults.bench import STUDIES

    reading, writing = os.pipe()
    if os.fork() == 0:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "small.yaml").write_text(STUDIES["small"].text)
            os.chdir(folder)
            for number in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)
            mirrors = [] if sys.argv[1:] else ["--no-mirrors"]
            sys.argv[:] = ["cbablate", "run", "small.yaml", "--on", "local", *mirrors]
            with contextlib.suppress(SystemExit):
                from cbablate.cli.main import main

                main()
            os.chdir("/")
        os.write(writing, json.dumps(sorted(sys.modules)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as names:
        known = json.load(names)
    os.wait()
    for name in known:
        # Anything of Ray's starts threads, which a fork does not take along.
        if not name.startswith(("ray", "__main__")):
            with contextlib.suppress(Exception):
                importlib.import_module(name)


if __name__ == "__main__":
    _serve()
