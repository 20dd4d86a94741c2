"""What a driver pays for what its ledger holds already: one reading, and each trial that ends.

    python -m benchmarks standing [--trials N] [--measurements N]

No trial is trained. First a ledger of 1,000 completed trials of 300 measurements is read as a
driver reads it: processor time, and the peak memory of a process that does nothing else. Then a
conductor is given the last trials of a study of 100, and of one of 10,000, whose other trials are
complete: processor time of one trial from its start to its end, with its measurements, and of its
end alone. The bars: 400 MB, and the same cost at both sizes.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from cbablate.planning.plan import Plan, plan
from cbablate.planning.trial import Trial
from cbablate.records.book import Book
from cbablate.records.facts import Ended, Measured, Started
from cbablate.records.measurement import Measurement
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.running.conductor import Conductor
from cbablate.running.executors.port import Ending
from cbablate.running.recorder import declare
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe

ARMS, LAST, LAYERS = 10, 50, 12
READ = """\
import re, sys, time
from pathlib import Path
from cbablate.records.book import Book
from cbablate.records.place import Place
book, began = Book(), time.process_time()
with Place(Path(sys.argv[1])).writing(book.add):
    print(book.count, time.process_time() - began, end=" ")
    peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
    print(int(peak[1]) / 1024)
"""


def main() -> None:
    """Make the ledgers, and print what each costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--measurements", type=int, default=300)
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory(prefix="cbablate-benchmark-") as folder:
        made(Path(folder), study(asked.trials, asked.measurements), last=0)
        said = subprocess.run(
            [sys.executable, "-c", READ, folder], check=True, capture_output=True, text=True
        )
        facts, seconds, megabytes = map(float, said.stdout.split())
        print(f"{facts:,.0f} facts read once: {seconds:.1f} s, {megabytes:.0f} MB at most\n")
    print("| trials in the ledger | a trial (ms) | its end alone (ms) |\n|---:|---:|---:|")
    for trials in (100, 10_000, 100, 10_000):
        with tempfile.TemporaryDirectory(prefix="cbablate-benchmark-") as folder:
            whole, end = ended(Path(folder), study(trials, 5))
            print(f"| {trials:,} | {whole:.2f} | {end:.2f} |")


def study(trials: int, epochs: int) -> Plan:
    """A study of the toy workload with so many trials."""
    levels = [Level(name=f"{i}", changes={"rate": 1 + i / 100}) for i in range(ARMS)]
    asked = Study(
        name="standing",
        question="What does a trial cost its driver?",
        workload="toy",
        baseline={"rate": 1.0},
        factors=(Factor(name="rate", levels=tuple(levels)),),
        budget=Budget(epochs=epochs),
        replicates=trials // ARMS,
        objective=Objective(metric="val/score", direction="maximize"),
        report=("test/score",),
    )
    return plan(asked, describe("toy", Path()))


def made(folder: Path, planned: Plan, *, last: int) -> None:
    """A ledger in which all trials but the last ones are complete."""
    book = Book()
    with Place(folder).writing(book.add) as ledger:
        declare(planned, ledger, book)
        done = planned.trials[: len(planned.trials) - last]
        ledger.append(*(fact for trial in done for fact in course(trial)))


def course(trial: Trial) -> Iterator[Record]:
    """The facts of a whole trial."""
    yield Started(1, "made up").record(trial.id, 1e9)
    for measurement in measurements(trial):
        yield Measured(measurement, 1, "made up").record(trial.id, 1e9)
    yield Ended("complete", attempt=1, session="made up").record(trial.id, 1e9)


def measurements(trial: Trial) -> Sequence[Measurement]:
    """What a trial reports, with a value for each of some layers."""
    return [
        Measurement(
            spent,
            {"val/score": spent / 7, "test/score": spent / 9, "attention/entropy": 1 / spent},
            {"attention/entropy": tuple(layer / spent for layer in range(LAYERS))},
            seconds=spent / 3,
            notes={"device": "cpu", "precision": "float32"},
        )
        for spent in range(1, trial.budget.amount + 1)
    ]


def ended(folder: Path, planned: Plan) -> tuple[float, float]:
    """Milliseconds of a processor that one of the last trials costs, and its end alone."""
    made(folder, planned, last=LAST)
    book, wholes, ends = Book(), list[float](), list[float]()
    with Place(folder).writing(book.add) as ledger:
        conductor = Conductor(planned, ledger, book, session="s", executor="none")
        while given := conductor.next():
            (trial,) = given
            began = time.process_time()
            conductor.started(trial, {})
            for measurement in measurements(trial):
                conductor.measured(trial, measurement)
            measured = time.process_time()
            conductor.ended(trial, Ending("finished"))
            now = time.process_time()
            wholes.append(1000 * (now - began))
            ends.append(1000 * (now - measured))
    assert len(ends) == LAST
    return statistics.median(wholes), statistics.median(ends)


if __name__ == "__main__":
    main()
