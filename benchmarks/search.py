"""What a search costs beyond Optuna's own: a bare ask/tell loop, ours in process, ours under Ray.

    python -m benchmarks search [--trials N] [--long N]

Same sampler, pruner, seeds and trials in all three, which is checked. The driver of the long study
tells its own memory as it goes. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import optuna

from cbablate.planning.plan import Plan, plan
from cbablate.planning.search import searches
from cbablate.planning.trial import Trial, tuning_seed
from cbablate.records.book import Book
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.running.conductor import Conductor
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.executors.port import Executor
from cbablate.running.recorder import declare
from cbablate.searching.searches import Searching
from cbablate.spec.budget import Budget
from cbablate.spec.metric import Objective
from cbablate.spec.study import Study
from cbablate.spec.sweep import Parameter, Pruner, Sampler, Sweep
from cbablate.workloads import toy
from cbablate.workloads.catalog import describe
from cbablate.workloads.own_code.entry import Entry

RUNGS = 3


def study(trials: int) -> Plan:
    """Hartmann's function in six dimensions, judged at three rungs."""
    asked = Study(
        name="search",
        question="What does a search cost?",
        workload="toy",
        baseline={"function": "hartmann6", "noise": 0.1, "rate": 2.0},
        budget=Budget(epochs=RUNGS),
        replicates=1,
        objective=Objective(metric="val/score", direction="maximize"),
        report=("test/score",),
        tune=Sweep(
            name="six",
            space={f"x{i}": Parameter(kind="float", low=0.0, high=1.0) for i in range(6)},
            sampler=Sampler(name="tpe"),
            pruner=Pruner(name="successive_halving", options={"first_rung": 1, "reduction": 2}),
            trials=trials,
        ),
    )
    return plan(asked, describe("toy", Path()))


def bare(trials: int) -> tuple[float, list[Mapping[str, Any]]]:
    """Seconds of what anybody would write, and what was proposed."""
    asked = study(trials)
    (search,) = searches(asked)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    began = time.perf_counter()
    made = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=search.seed),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2),
    )
    drawn: list[Mapping[str, Any]] = []
    for number in range(trials):
        trial = made.ask()
        point = {name: trial.suggest_float(name, 0.0, 1.0) for name in search.sweep.space}
        drawn.append(point)
        stop, value = False, 0.0
        seed = tuning_seed(asked.study.seed, number)
        config = {**search.arm.config, **point}
        for told in toy.run(config, seed=seed, budget=asked.study.budget, workdir=Path()):
            value = told.metrics["val/score"]
            trial.report(value, told.spent)
            stop = told.spent < RUNGS and trial.should_prune()
            if stop:
                break
        if stop:
            made.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            made.tell(trial, value)
    return time.perf_counter() - began, drawn


class Memory:
    """A watcher that notes the driver's resident memory, in MiB, by tuning trials ended."""

    def __init__(self) -> None:
        self.ended_trials = 0
        self.noted: dict[int, float] = {}

    def planned(self, plan: Plan, over: Sequence[str]) -> None: ...

    def started(self, trial: Trial) -> None: ...

    def measured(self, trial: Trial, measurement: Any) -> None: ...

    def ended(self, trial: Trial, state: Any, reason: str) -> None:
        self.ended_trials += bool(trial.search)
        if self.ended_trials % 100 == 0:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.noted[self.ended_trials] = pages * resource.getpagesize() / 2**20


def ours(
    trials: int, executor: Callable[[], Executor]
) -> tuple[float, list[Mapping[str, Any]], Memory]:
    """Seconds from the first trial's start to the last one's end, proposals, and memory."""
    asked, memory = study(trials), Memory()
    folder = Path(tempfile.mkdtemp(prefix="cbablate-benchmark-"))
    book = Book()
    with executor() as running, Place(folder).writing(book.add) as ledger:
        declare(asked, ledger, book)
        searching = Searching(asked, [])
        conductor = Conductor(
            asked,
            ledger,
            book,
            session="benchmark",
            executor=running.name,
            searching=searching,
            watchers=[memory],
        )
        running.execute(conductor, Entry(asked.description.run))
        facts: list[Record] = ledger.records(["proposed", "started", "ended"])
    tuning = {fact.subject for fact in facts if fact.kind == "proposed"}
    times = [fact.at for fact in facts if fact.subject in tuning and fact.kind != "proposed"]
    drawn = [fact.body["proposal"] for fact in facts if fact.kind == "proposed"]
    return max(times) - min(times), drawn, memory


def main() -> None:
    """Run all, check that they proposed the same, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--long", type=int, default=1000)
    asked = parser.parse_args()
    from cbablate.running.executors.ray_executor import RayExecutor

    rows = []
    alone, drawn = bare(asked.trials)
    rows.append(("bare Optuna loop", asked.trials, alone, alone))
    for name, executor in (
        ("cbablate, in process", LocalExecutor),
        ("cbablate, Ray, one slot", lambda: RayExecutor(slots=1)),
    ):
        took, proposed, _ = ours(asked.trials, executor)
        assert proposed == drawn, f"{name} proposed otherwise"
        rows.append((name, asked.trials, took, alone))
    alone, _ = bare(asked.long)
    rows.append(("bare Optuna loop", asked.long, alone, alone))
    took, _, memory = ours(asked.long, RayExecutor)
    rows.append((f"cbablate, Ray, {os.cpu_count()} cores", asked.long, took, alone))
    versions = ", ".join(f"{name} {version(name)}" for name in ("optuna", "ray"))
    print(f"Python {platform.python_version()}, {versions}; load {os.getloadavg()[0]:.1f}\n")
    print("| search | trials | whole (s) | ms a trial | beyond the bare loop (ms a trial) |")
    print("|---|---:|---:|---:|---:|")
    for name, count, seconds, without in rows:
        each, more = 1e3 * seconds / count, 1e3 * (seconds - without) / count
        print(f"| {name} | {count:,} | {seconds:.1f} | {each:.1f} | {more:.1f} |")
    noted = ", ".join(f"{mib:.0f} MiB after {count:,}" for count, mib in memory.noted.items())
    print(f"\nThe driver's memory in the long study: {noted}.")


if __name__ == "__main__":
    main()
