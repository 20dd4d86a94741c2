"""What reading a large study costs: table, figures and report of a made-up ledger.

    python -m benchmarks reporting [--trials N] [--keep FOLDER]

No trial is trained: facts are drawn from a seed and appended to a ledger as a driver would, 100
arms by N / 100 replicates, 5 measurements each with a value for each of 12 layers. Every figure
is a whole process: wall-clock time, processor time, peak memory. The bars: 10 s and 500 MB for
10,000 trials.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cbablate import load_study, plan
from cbablate.planning.plan import Plan
from cbablate.records.book import Book
from cbablate.records.facts import Ended, Measured, SessionFact, Started
from cbablate.records.measurement import Measurement
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.running.recorder import declare

ARMS, MEASUREMENTS, LAYERS = 100, 5, 12
STUDY = """\
question: How much does reading a large study cost?
workload: image_classification
baseline:
  data: {{name: digits}}
  model: {{name: vit_tiny_patch16_224, img_size: 8, patch_size: 2, in_chans: 1}}
  optimizer: {{name: adamw, lr: 2e-3}}
factors:
  - name: weight decay
    levels:
      - {{name: none}}
{levels}
budget: {{epochs: 50}}
replicates: {replicates}
objective: {{metric: val/top1, direction: maximize}}
report: [test/top1, attention/entropy, params]
"""
PUBLISH = """\
import sys
from pathlib import Path
from cbablate import api
from cbablate.reporting.pages.publication import publish
publish(api.plan(api.load_study(sys.argv[1])), api.facts(Path(sys.argv[2])), Path(sys.argv[3]))
"""


def main() -> None:
    """Make the ledger, then read it in every way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, default=None, help="Make, or use again, this folder.")
    asked = parser.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="cbablate-benchmark-"))
    folder.mkdir(parents=True, exist_ok=True)
    study = folder / "large.yaml"
    levels = "\n".join(
        f'      - {{name: "{i}", changes: {{optimizer.weight_decay: {i / 1000}}}}}'
        for i in range(1, ARMS)
    )
    study.write_text(STUDY.format(levels=levels, replicates=asked.trials // ARMS))
    planned, results = plan(load_study(study)), folder / "results"
    if not results.exists():
        with Place(results).writing() as ledger:
            declare(planned, ledger, Book())
            ledger.append(*facts(planned))
    shown = [str(study), "--results", str(results)]
    cli = ["-m", "cbablate.cli.main"]
    print(f"Python {platform.python_version()}, {len(planned.trials):,} trials\n")
    print("| whole process | time (s) | processor (s) | peak memory (MB) |\n|---|---:|---:|---:|")
    for name, words in {
        "`cbablate status`": [*cli, "status", *shown],
        "`cbablate table`": [*cli, "table", *shown],
        "tables and figures, as at the end of a run": [
            *("-c", PUBLISH, str(study), str(results), str(folder / "published")),
        ],
        "`cbablate report`": [*cli, "report", *shown, "-o", str(folder / "large.html")],
        "`cbablate explain`": [*cli, "explain", *shown, "2:2"],
    }.items():
        seconds, busy, megabytes = cost(words)
        print(f"| {name} | {seconds:.1f} | {busy:.1f} | {megabytes:.0f} |")
    size = (folder / "large.html").stat().st_size / 1e6
    print(f"\nThe page has {size:.1f} MB, the ledger {ledger_size(results):.1f} MB.")


def facts(planned: Plan) -> Iterator[Record]:
    """A session, and each trial started, measured and completed."""
    draw = random.Random(0)
    session = SessionFact({"processor": "none"}, {"python": "3"}, commit="0" * 40)
    yield session.record("made up", 1e9)
    for number, trial in enumerate(planned.trials):
        at = 1e9 + number
        yield Started(1, "made up").record(trial.id, at)
        score = 90 + draw.gauss(0, 1)
        for step in range(1, MEASUREMENTS + 1):
            part = score * step / MEASUREMENTS
            measurement = Measurement(
                trial.budget.amount * step // MEASUREMENTS,
                {
                    "val/top1": part,
                    "test/top1": part - draw.random(),
                    "attention/entropy": 2 + draw.random(),
                    "params": 5_500_000,
                },
                {"attention/entropy": tuple(2 + draw.random() for _ in range(LAYERS))},
                seconds=2.0 * step,
                notes={"device": "cpu", "precision": "float32"},
            )
            yield Measured(measurement).record(trial.id, at)
        yield Ended("complete").record(trial.id, at)


def cost(words: list[str]) -> tuple[float, float, float]:
    """Seconds, those of them on a processor, and megabytes of a command, which must succeed."""
    began = time.perf_counter()
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execv(sys.executable, [sys.executable, *words])  # noqa: S606 - our own words
    _, status, used = os.wait4(child, 0)
    assert not status, words
    seconds = time.perf_counter() - began
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def ledger_size(results: Path) -> float:
    """Megabytes on disk."""
    return (results / "ledger.sqlite").stat().st_size / 1e6


if __name__ == "__main__":
    main()
