"""How often two arms that are tuned apart are called different, where they are the same and where
one is better.

    python -m benchmarks tuned_apart [--studies 200] [--simulations 20000] [--searches 1 3 6 12]

A trial's value is `shift - 10 (lr - 0.5)^2` and noise of spread 0.71, drawn from its seed and its
arm; a search is 24 trials with `lr` drawn evenly from 0 to 1. Each study is planned, searched,
confirmed and summarized by the product, through `drive` in this process. Beside it stands a copy of
the same in numpy, of many more studies, by the t test alone. All draws come from one seed.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cbablate import api
from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.contrasts.verdict import Claim
from cbablate.analysis.outcome import outcome
from cbablate.planning.plan import Plan
from cbablate.planning.plan import plan as planned
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.statistics.power import ALPHA
from cbablate.statistics.student_t import critical

__all__ = ["Shares", "apart", "claimed", "main", "simulated"]

TRIALS, REPLICATES, NOISE = 24, 12, 0.71
_WORKLOAD = f"""\
import random

from cbablate.workloads.port import Measurement


def train(config, *, seed, budget, workdir):
    drawn = random.Random(f"{{seed}} {{config['arm']}}")
    value = config["shift"] - 10 * (config["lr"] - 0.5) ** 2
    noisy = [value + drawn.gauss(0, {NOISE}) for _ in ("val", "test")]
    yield Measurement(spent=1, metrics={{"val/acc": noisy[0], "test/acc": noisy[1]}})
"""
_STUDY = """\
question: Are two arms that are tuned apart the same?
workload: apart:train
baseline: {{arm: a, shift: 0.0, lr: 0.2}}
factors:
  - name: arm
    levels:
      - {{name: a}}
      - {{name: b, changes: {{arm: b, shift: {shift}}}}}
budget: {{epochs: 1}}
replicates: {replicates}
tune: sweep.yaml
objective: {{metric: val/acc, direction: maximize}}
report: [test/acc]
"""
_SWEEP = "space: {{lr: {{float: [0.0, 1.0]}}}}\nsampler: {sampler}\ntrials: {trials}\n"
_DIFFERENT: tuple[Claim, ...] = ("helps", "hurts", "differs")


@dataclass(frozen=True)
class Shares:
    """Of `studies`, how many call the arms different, and how many intervals leave out zero."""

    studies: int
    called: int
    excluded: int

    @property
    def words(self) -> str:
        """Both in per cent, with their standard errors."""
        return " | ".join(self._share(count) for count in (self.called, self.excluded))

    def _share(self, count: int) -> str:
        share = count / self.studies
        error = math.sqrt(share * (1 - share) / self.studies)
        return f"{100 * share:.1f} (SE {100 * error:.1f})"


def apart(
    folder: Path,
    *,
    searches: int,
    shift: float = 0.0,
    sampler: str = "random",
    trials: int = TRIALS,
    replicates: int = REPLICATES,
) -> Plan:
    """The plan of such a study, its files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    said = _STUDY.format(shift=shift, replicates=replicates)
    said += f"searches: {searches}\n" if searches > 1 else ""
    (folder / "apart.py").write_text(_WORKLOAD, encoding="utf-8")
    (folder / "sweep.yaml").write_text(_SWEEP.format(sampler=sampler, trials=trials), "utf-8")
    (folder / "study.yaml").write_text(said, encoding="utf-8")
    return api.plan(api.load_study(folder / "study.yaml"))


def claimed(plan: Plan, results: Path) -> tuple[Claim, Contrast]:
    """What a study, driven whole, claims of its second arm, and the contrast behind it."""
    done = drive(plan, results=results, executor=LocalExecutor, publish=lambda _facts: [])
    found = outcome(plan, done.book)
    other = found.summary.arms[1]
    return other.findings["test/acc"].claim, other.contrasts["test/acc"]


def driven(plan: Plan, studies: int, seed: int = 0) -> Shares:
    """The shares of studies that differ in their seed alone."""
    called = excluded = 0
    for number in range(studies):
        study = plan.study.model_copy(update={"seed": seed + number})
        with tempfile.TemporaryDirectory() as results:
            claim, contrast = claimed(planned(study, plan.description), Path(results))
        called += claim in _DIFFERENT
        excluded += contrast.low is not None and not contrast.low <= 0 <= (contrast.high or 0.0)
    return Shares(studies, called, excluded)


def simulated(
    *, searches: int, shift: float = 0.0, studies: int = 20_000, replicates: int = REPLICATES
) -> Shares:
    """The same in numpy, by the t test over searches; over replicates, if there is one search."""
    draw = np.random.Generator(np.random.PCG64([searches, round(1000 * shift)]))
    rate = draw.random((studies, searches, 1, TRIALS)).repeat(2, axis=2)  # one sampler's for both
    true = -10 * (rate - 0.5) ** 2
    best = (true + NOISE * draw.standard_normal(true.shape)).argmax(axis=3)
    chosen = np.take_along_axis(true, best[..., None], axis=3)
    each = replicates // searches
    values = chosen + NOISE * draw.standard_normal((studies, searches, 2, each))
    gaps = shift + values[:, :, 1] - values[:, :, 0]
    units = gaps.mean(axis=2) if searches > 1 else gaps[:, 0]
    n = units.shape[1]
    half = critical(n - 1, 1 - ALPHA) * units.std(axis=1, ddof=1) / math.sqrt(n)
    excluded = int(np.sum(np.abs(units.mean(axis=1)) > half))
    return Shares(studies, excluded if searches > 2 else 0, excluded)


def main(words: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--simulations", type=int, default=20_000)
    parser.add_argument("--searches", type=int, nargs="+", default=[1, 3, 6, 12])
    parser.add_argument("--shifts", type=float, nargs="+", default=[0.0, 1.0])
    parser.add_argument("--sampler", default="random")
    asked = parser.parse_args(words)
    print(f"{TRIALS} trials a search, {REPLICATES} replicates an arm, noise {NOISE}; in per cent\n")
    print("| true difference | searches | how | studies | called different | interval without 0 |")
    print("|---:|---:|---|---:|---:|---:|")
    for shift in asked.shifts:
        for searches in asked.searches:
            found = simulated(searches=searches, shift=shift, studies=asked.simulations)
            print(f"| {shift:g} | {searches} | numpy | {found.studies:,} | {found.words} |")
            if asked.studies:
                with tempfile.TemporaryDirectory() as folder:
                    plan = apart(
                        Path(folder), searches=searches, shift=shift, sampler=asked.sampler
                    )
                    through = driven(plan, asked.studies)
                name = f"drive, {asked.sampler}"
                print(
                    f"| {shift:g} | {searches} | {name} | {through.studies:,} | {through.words} |"
                )


if __name__ == "__main__":
    main()
