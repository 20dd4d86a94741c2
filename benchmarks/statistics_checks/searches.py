"""Searches of hyperparameters: whose luck a difference is, and what is called important."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from benchmarks.statistics_checks.check import Check, Size, share
from benchmarks.statistics_checks.fabricated import one_factor
from benchmarks.tuned_apart import apart, driven, simulated
from cbablate.analysis.searches.tuning import SearchTrial, Tuning
from cbablate.planning.search import searches
from cbablate.records.state import TrialState
from cbablate.searching.optuna_importance import importances
from cbablate.spec.sweep import Parameter, Sweep

SPACE = {
    "rate": Parameter(kind="float", low=0.1, high=1.0, log=True),
    "start": Parameter(kind="int", low=0, high=9),
    "fault": Parameter(kind="choice", choices=("none", "silent")),
}
TRIALS = 24


def checks(size: Size) -> Iterator[Check]:
    """All of them."""
    yield from _tuned_apart(size)
    yield from _importance(size)


def _tuned_apart(size: Size) -> Iterator[Check]:
    """Two identical arms, each tuned by searches of its own, confirmed with fresh seeds."""
    studies = size.of(20_000)
    one = simulated(searches=1, studies=studies)
    what = "one search an arm: intervals without zero (why one search claims nothing)"
    yield share(what, "numpy", one.excluded, studies, (0.1, 0.25))
    for many in (3, 6, 12):
        found = simulated(searches=many, studies=studies)
        what = f"identical arms tuned apart, {many} searches each: called different"
        yield share(what, "numpy", found.called, studies, (0.0, 0.05))
    for many, full in ((1, 20), (6, 10)):
        with tempfile.TemporaryDirectory() as folder, redirect_stderr(StringIO()):
            found = driven(apart(Path(folder), searches=many), size.of(full, 3))
        what = f"the same, {many} search{'es' * (many > 1)} each: called different"
        yield share(what, "whole studies, driven", found.called, found.studies, (0.0, 0.05))


def _importance(size: Size) -> Iterator[Check]:
    """A forest's shares beside those of permuted values."""
    sweep = Sweep(name="checked", space=SPACE, trials=TRIALS)
    planned = one_factor(1, 6, tune=sweep)
    search = searches(planned)[0]

    def tuning(seed: int, value: Callable[[random.Random, float], float]) -> Tuning:
        draw = random.Random(seed)
        attempts = []
        for number in range(TRIALS):
            rate = draw.uniform(0.1, 1.0)
            proposal = {
                "rate": rate,
                "start": draw.randint(0, 9),
                "fault": draw.choice(("none", "silent")),
            }
            found = (value(draw, rate),)
            state = TrialState.COMPLETE
            attempts.append(SearchTrial(number, f"trial {number}", proposal, state, found))
        return Tuning(search, tuple(attempts), TRIALS)

    studies = size.of(40, 10)
    noise = [importances(tuning(seed, lambda d, _: d.gauss(0, 1))) for seed in range(studies)]
    sure = sum(one.sure for rated in noise for one in rated.values())
    what = "importance, nothing matters: a key above its 20 permutations"
    yield share(what, "24 random trials, 3 keys", sure, 3 * studies, (0.0, 1 / 21))
    real = [importances(tuning(seed, lambda d, r: 3 * r + d.gauss(0, 0.5))) for seed in range(10)]
    sure = sum(rated["rate"].sure for rated in real)
    what = "importance, one key makes two thirds of the variance: it is above them"
    yield share(what, "24 random trials, 3 keys", sure, len(real), (0.9, 1.0))
