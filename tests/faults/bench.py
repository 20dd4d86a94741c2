"""What campaigns disturb: small studies, the drivers that run them, and where all of it lies."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["PRODUCTS", "STUDIES", "Bench", "Driver", "bench", "undisturbed"]

ROOT = Path(__file__).parents[2]
MARK = "CBABLATE_FAULTS"
"""The environment variable by which a bench knows its own processes, workers of Ray included."""
PRODUCTS = ("csv", "tex", "md")

_ARMS = """\
question: Does a higher ceiling score higher?
workload: toy
baseline: {{ceiling: 1.0, noise: 0.05, seconds: {seconds}}}
factors:
  - name: ceiling
    levels:
      - {{name: one}}
      - {{name: two, changes: {{ceiling: 2.0}}}}
{more}
budget: {{epochs: {epochs}}}
replicates: {replicates}
objective: {{metric: val/score, direction: maximize}}
report: [test/score]
"""
_FOUR = """\
      - {name: three, changes: {ceiling: 3.0}}
      - {name: four, changes: {ceiling: 4.0}}
"""
_SWEEP = """\
space: {rate: {float: [0.05, 5.0], log: true}, start: {float: [-1.0, 0.5]}}
sampler: {tpe: {n_startup_trials: 4}}
pruner: {successive_halving: {first_rung: 1, reduction: 2}}
trials: 8
"""


@dataclass(frozen=True)
class _Toy:
    """A study of the toy workload, the words its runs take, and how long it trains, undisturbed."""

    text: str
    words: tuple[str, ...] = ()
    seconds: float = 0.0

    @classmethod
    def of(
        cls,
        *words: str,
        more: str = _FOUR,
        seconds: float,
        epochs: int,
        replicates: str,
        trials: int,
    ) -> _Toy:
        text = _ARMS.format(more=more, seconds=seconds, epochs=epochs, replicates=replicates)
        return cls(text, words, seconds * epochs * trials)


STUDIES = {
    "plain": _Toy.of(seconds=0.04, epochs=4, replicates="8", trials=32),
    "sequential": _Toy.of(
        more="", seconds=0.06, epochs=4, replicates="{min: 6, max: 9, until: decided}", trials=18
    ),
    "tuned": _Toy.of(
        more="tune: sweep.yaml", seconds=0.03, epochs=4, replicates="2", trials=24
    ),
    "resumed": _Toy.of(
        "--checkpoint-every", "0", more="", seconds=0.08, epochs=12, replicates="2", trials=4
    ),
    "small": _Toy.of(
        "--checkpoint-every", "0", more="", seconds=0.02, epochs=3, replicates="3", trials=6
    ),
    "slow": _Toy.of(
        "--checkpoint-every", "0", more="", seconds=0.2, epochs=4, replicates="3", trials=6
    ),
}  # fmt: skip
"""By name: as written; replicates that grow; a search, pruned; few long trials with checkpoints;
few short ones; few that last long enough for a second driver to come."""


@dataclass
class Driver:
    """A `cbablate run` under way: its process, and the files that it writes its words to."""

    process: subprocess.Popen[bytes]
    printed: Path
    said: Path

    @property
    def words(self) -> str:
        """What it has written to stderr so far."""
        return self.said.read_text(errors="replace")

    def wait(self, timeout: float) -> int | None:
        """Its exit code; None, and it is killed, if it is not over by then."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self) -> None:
        """SIGKILL, to the driver alone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class Bench:
    """A folder with a study file, its results and a temporary folder, for one round."""

    folder: Path
    study: str
    temporary: Path
    draw: random.Random
    blind: str = ""
    """The safeguard that is taken out of every driver; empty for none."""
    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    _drivers: int = 0

    @property
    def file(self) -> Path:
        return self.folder / f"{self.study}.yaml"

    @property
    def results(self) -> Path:
        return self.folder / "r"

    @property
    def environment(self) -> dict[str, str]:
        ours = {
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(self.temporary),
            MARK: self.mark,
        }
        return {**os.environ, **ours}

    def words(self, on: str, *more: str, results: Path | None = None) -> list[str]:
        """The words of `cbablate` that run the study, without mirrors."""
        own = STUDIES[self.study].words
        where = ["--results", str(results or self.results), "--on", on]
        return ["run", str(self.file), *where, "--no-mirrors", *own, *more]

    def start(
        self,
        words: Sequence[str],
        *,
        before: Sequence[str] = (),
        environment: dict[str, str] | None = None,
    ) -> Driver:
        """Start a command in a session of its own; `before` are words in front of Python's."""
        self._drivers += 1
        printed, said = (self.folder / f"{self._drivers}.{stream}" for stream in ("out", "err"))
        launcher = ["tests.faults.blind", self.blind] if self.blind else ["cbablate.cli.main"]
        with printed.open("wb") as out, said.open("wb") as err:
            process = subprocess.Popen(
                [*before, sys.executable, "-m", *launcher, *words],
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env={**self.environment, **(environment or {})},
                start_new_session=True,
            )
        return Driver(process, printed, said)

    def run(self, words: Sequence[str], timeout: float = 240) -> tuple[int | None, Driver]:
        """Run a command to its end."""
        driver = self.start(words)
        return driver.wait(timeout), driver

    def remove_results(self) -> None:
        """Remove the results folder, if there is one."""
        shutil.rmtree(self.results, ignore_errors=True)

    def products(self, results: Path | None = None) -> dict[str, bytes]:
        """The published tables that must not depend on what happened on the way."""
        published = (results or self.results) / self.study
        return {
            form: path.read_bytes()
            for form in PRODUCTS
            if (path := published / f"{self.study}.{form}").exists()
        }

    def processes(self) -> list[int]:
        """Processes of this bench that are still there, by the mark in their environment."""
        ours = f"{MARK}={self.mark}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if ours in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found

    def left_behind(self, within: float = 15.0) -> list[str]:
        """Processes and temporary files that are there after so many seconds."""
        until = time.monotonic() + within
        while (running := self.processes()) and time.monotonic() < until:
            time.sleep(0.1)
        return [f"process {pid}: {_command(pid)}" for pid in running] + [
            f"temporary {path.name}" for path in self.temporary.iterdir()
        ]

    def clear(self) -> None:
        """End the processes that are this bench's own, and remove its folders."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.temporary, ignore_errors=True)


@contextlib.contextmanager
def bench(study: str, seed: int, *, blind: str = "") -> Iterator[Bench]:
    """A bench for one round, gone with all its processes at the end."""
    made = Bench(
        Path(tempfile.mkdtemp(prefix="faults-", dir="/tmp")), study, _short(), random.Random(seed)
    )
    made.blind = blind
    made.file.write_text(STUDIES[study].text)
    (made.folder / "sweep.yaml").write_text(_SWEEP)
    try:
        yield made
    finally:
        made.clear()


@functools.cache
def undisturbed(study: str) -> dict[str, bytes]:
    """The published tables of a run that nothing disturbs."""
    with bench(study, 0) as quiet:
        code, driver = quiet.run(quiet.words("local"))
        if code != 0:
            raise RuntimeError(f"the undisturbed run of {study} ended with {code}: {driver.words}")
        return quiet.products()


def _short() -> Path:
    """A temporary folder whose path has few letters: sockets of Ray lie below it."""
    while True:
        path = Path("/tmp") / f"f{secrets.token_hex(3)}"
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            return path


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:100]
    return "gone"
