"""What cbablate itself costs: no-op trials, commands, and the same through plain Ray Tune.

    python -m benchmarks overhead [--rounds N]

Every figure is a whole process, the machine otherwise idle; rounds are interleaved, so that drift
hits all alike. Prints a Markdown table of medians with ranges.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

STUDY = """\
question: What does a trial cost that does nothing?
workload: toy
baseline: {noise: 0.01}
factors:
  - name: ceiling
    levels:
      - {name: "1"}
      - {name: "2", changes: {ceiling: 2.0}}
      - {name: "3", changes: {ceiling: 3.0}}
      - {name: "4", changes: {ceiling: 4.0}}
      - {name: "5", changes: {ceiling: 5.0}}
      - {name: "6", changes: {ceiling: 6.0}}
budget: {epochs: 1}
replicates: 6
objective: {metric: val/score, direction: maximize}
report: [test/score]
"""

CBABLATE = """\
import sys
from pathlib import Path
from cbablate import Resources, load_study, plan, run
study, results, on = sys.argv[1:]
done = run(plan(load_study(study)), results=results, resources=Resources(on=on), mirrored=False)
assert done.trained == 36 and done.exit_code == 0
"""

PLAIN_TUNE = """\
import os, sys, tempfile
os.environ.update(RAY_USAGE_STATS_ENABLED="0", TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1",
                  RAY_AIR_NEW_OUTPUT="0")
import ray
from ray import tune
ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
class NoOp(tune.Trainable):
    def setup(self, config): pass
    def step(self): return {"score": 1.0, "done": True}
    def reset_config(self, config): return True
    def save_checkpoint(self, directory): pass
tuner = tune.Tuner(tune.with_resources(NoOp, {"cpu": 1}),
    param_space={"x": tune.grid_search(list(range(36)))},
    tune_config=tune.TuneConfig(reuse_actors=sys.argv[1] == "reused"),
    run_config=tune.RunConfig(storage_path=tempfile.mkdtemp(), verbose=0))
assert len(tuner.fit()) == 36
"""


def seconds(words: list[str]) -> float:
    """The wall-clock time of a command, which must succeed."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Time everything in turns, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    folder = Path(tempfile.mkdtemp(prefix="cbablate-benchmark-"))
    study = folder / "noop.yaml"
    study.write_text(STUDY)
    finished = folder / "finished"
    seconds(["-c", CBABLATE, str(study), str(finished), "local"])
    shown = [str(study), "--results", str(finished)]
    cli = ["-m", "cbablate.cli.main"]
    found: dict[str, list[float]] = {}
    for turn in range(rounds):
        for name, words in {
            "36 no-op trials, `--on local`": [
                "-c",
                CBABLATE,
                str(study),
                f"{folder}/l{turn}",
                "local",
            ],
            "36 no-op trials, `--on ray`": ["-c", CBABLATE, str(study), f"{folder}/r{turn}", "ray"],
            "36 no-op trials, plain Ray Tune, reused actors": ["-c", PLAIN_TUNE, "reused"],
            "36 no-op trials, plain Ray Tune, fresh actors": ["-c", PLAIN_TUNE, "fresh"],
            "`cbablate --help`": [*cli, "--help"],
            "`cbablate plan`": [*cli, "plan", *shown],
            "`cbablate table`": [*cli, "table", *shown],
        }.items():
            found.setdefault(name, []).append(seconds(words))
    versions = ", ".join(f"{name} {version(name)}" for name in ("cbablate", "ray", "torch"))
    print(f"Python {platform.python_version()}, {versions}; n = {rounds}\n")
    print("| whole process | median (s) | range (s) |\n|---|---:|---|")
    for name, times in found.items():
        print(f"| {name} | {statistics.median(times):.2f} | {min(times):.2f}-{max(times):.2f} |")


if __name__ == "__main__":
    main()
