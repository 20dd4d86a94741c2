"""`MlflowRun`: metrics that MLflow tracks into a local folder or an SQLite file.

Both are read as they lie on the disk: MLflow's own client, once it opens a database, brings it up
to its version, and is slow to import.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from cbablate.errors import TrialFailure
from cbablate.spec.own_workload import Reads
from cbablate.workloads.commands.readers.port import located, stamp_of, the_one
from cbablate.workloads.commands.room import Room
from cbablate.workloads.commands.row import Row

__all__ = ["MlflowRun", "variables"]

_DATABASES = (".db", ".sqlite", ".sqlite3")


class _Logged(NamedTuple):
    """A metric that was logged, by which run and at which step."""

    run: str
    name: str
    value: float
    step: int


class MlflowRun:
    """The metrics of the only run, in the order in which they were logged.

    Step 0 is what MLflow writes where no step is said: it counts only where the first epoch is
    called so, and until another step comes.
    """

    whole = False
    counted_by = "step"
    pause = 0.1

    def __init__(self, reads: Reads, room: Room) -> None:
        self.where, self._room = str(reads.mlflow), room
        self._counts, self._from = reads.spent is None, reads.counts_from
        self._most = 0
        self._store: _Folder | _Database | None = None
        self._run = ""

    @property
    def written(self) -> int:
        """When a metric was last logged."""
        return self._store.written if self._store else 0

    def rows(self, *, over: bool) -> Sequence[Row]:
        """A row for each metric that is new."""
        if self._store is None:
            path = the_one(located(self.where, self._room), self.where)
            if path is None:
                return []
            self._store = _Database(path) if path.is_file() else _Folder(path)
        return [self._row(logged) for logged in self._store.news()]

    def _row(self, logged: _Logged) -> Row:
        where = f"{self.where}, step {logged.step} of {logged.name}"
        self._run = self._run or logged.run
        if logged.run != self._run:
            raise TrialFailure(
                f"{where}: two runs have metrics, {self._run} and {logged.run}: which one is the "
                "trial's cannot be known"
            )
        self._most = max(self._most, logged.step)
        unsaid = logged.step == 0 and (self._from == 1 or self._most > 0)
        counted = {"step": float(logged.step)} if self._counts and not unsaid else {}
        return Row({logged.name: logged.value, **counted}, where)


class _Database:
    """An SQLite file of MLflow's."""

    def __init__(self, path: Path) -> None:
        self._path, self._last = path, 0

    @property
    def written(self) -> int:
        logs = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return max(map(stamp_of, logs))

    def news(self) -> Iterator[_Logged]:
        address = f"file:{self._path}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=1.0)) as database:
                found = database.execute(
                    "SELECT rowid, run_uuid, key, value, is_nan, step FROM metrics "
                    "WHERE rowid > ? AND key NOT LIKE 'system/%' ORDER BY rowid",
                    (self._last,),
                ).fetchall()
        except sqlite3.OperationalError:  # busy, or its tables are not made yet
            return
        for self._last, run, name, value, is_nan, step in found:
            yield _Logged(run, name, float("nan") if is_nan else float(value), int(step))


class _Folder:
    """A folder of MLflow's: a file for each metric of a run, to which lines are appended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at: dict[Path, int] = {}

    @property
    def written(self) -> int:
        return max(map(stamp_of, self._at), default=0)

    def news(self) -> Iterator[_Logged]:
        found: list[tuple[int, _Logged]] = []
        for metrics in sorted(self._path.glob("*/*/metrics")):
            for path in sorted(each for each in metrics.rglob("*") if each.is_file()):
                name = path.relative_to(metrics).as_posix()
                for line in self._lines(path):
                    at, value, step = line.split()[:3]
                    logged = _Logged(metrics.parent.name, name, float(value), int(step))
                    if not name.startswith("system/"):
                        found.append((int(at), logged))
        # of one millisecond, step 0 comes last: it may be a test after training
        found.sort(key=lambda each: (each[0], each[1].step == 0, each[1].step))
        return (logged for _, logged in found)

    def _lines(self, path: Path) -> list[str]:
        """The whole lines that are new."""
        with path.open("rb") as file:
            file.seek(self._at.get(path, 0))
            text = file.read()
        text = text[: text.rfind(b"\n") + 1]
        self._at[path] = self._at.get(path, 0) + len(text)
        return text.decode("utf-8", errors="replace").splitlines()


def variables(said: str, room: Room) -> Mapping[str, str]:
    """What makes a program track there that does not say where to."""
    path = room.workdir / said.replace("{workdir}", str(room.workdir))
    if path.suffix in _DATABASES:
        return {"MLFLOW_TRACKING_URI": f"sqlite:///{path}"}
    return {"MLFLOW_TRACKING_URI": str(path), "MLFLOW_ALLOW_FILE_STORE": "true"}
