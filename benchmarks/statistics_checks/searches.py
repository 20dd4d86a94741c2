"""Searches of hyperparameters: what is called important where nothing is, and where one key is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from benchmarks.statistics_checks.check import Check, Size, share
from benchmarks.statistics_checks.fabricated import one_factor
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

    studies = size.of(60, 10)
    noise = [importances(tuning(seed, lambda d, _: d.gauss(0, 1))) for seed in range(studies)]
    sure = sum(one.sure for rated in noise for one in rated.values())
    what = "importance, nothing matters: a key above its 20 permutations"
    yield share(what, "24 random trials, 3 keys", sure, 3 * studies, (0.0, 1 / 21))
    real = [importances(tuning(seed, lambda d, r: 3 * r + d.gauss(0, 0.5))) for seed in range(10)]
    sure = sum(rated["rate"].sure for rated in real)
    what = "importance, one key makes two thirds of the variance: it is above them"
    yield share(what, "24 random trials, 3 keys", sure, len(real), (0.9, 1.0))
