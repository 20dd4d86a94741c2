"""Sequential replicates: looking at the differences after each further seed, and being allowed to.

Testing at 5 % after every seed until something is found finds something in a third of null
studies. Here each look spends a part of ALPHA, by the spending function of O'Brien and Fleming's
type (Lan and DeMets 1983), which spends hardly anything early and nearly all at the planned end.
The nominal levels come from the normal theory of repeated looks and are applied to the p values
of paired t tests (Jennison and Turnbull 2000, section 4.4). Over a family of comparisons the
step-down works as Holm's does: whoever is decided hands its share to the others (Maurer and Bretz
2013); that is legal because the levels of this spending function grow with alpha at every look.

What is decided is a pure function of the records: each look is taken again from the first seeds
on, so a killed study decides as one that was never killed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Any, Literal

from cbablate.analysis.contrast import Contrast, contrast
from cbablate.analysis.replicates import Replicates, Values, entered
from cbablate.analysis.verdict import equivalence
from cbablate.planning.plan import Plan
from cbablate.planning.power import ALPHA
from cbablate.records.history import histories
from cbablate.records.record import Record

__all__ = ["Decision", "Looks", "decisions", "more", "nominal_levels", "spent"]

_POINTS = 120
"""Points of Gauss's rule over what has not been stopped yet."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Looks:
    """The plan of looking: at `fewest` pairs, then after each further one, up to `most`."""

    fewest: int
    most: int

    def levels(self, alpha: float = ALPHA) -> tuple[float, ...]:
        """The two-sided p that a test must be below, at each look, `alpha` over all of them.

        Raises:
            ValueError: fewer than two pairs at the first look, or none after it.
        """
        if not 2 <= self.fewest < self.most:
            raise ValueError(
                "looks go from two pairs or more to more than that, not "
                f"{self.fewest} to {self.most}"
            )
        shares = tuple(n / self.most for n in range(self.fewest, self.most + 1))
        return nominal_levels(shares, alpha)


@dataclass(frozen=True)
class Decision:
    """What was found of an arm, and after how many pairs; `claim` is None while it is open."""

    claim: Literal["differs", "equivalent"] | None
    pairs: int


def spent(share: float, alpha: float = ALPHA) -> float:
    """The part of alpha that may be spent when so large a share of the planned pairs is there.

    Each side spends half of it, as is usual for two-sided tests.
    """
    side = 2 * (1 - _NORMAL.cdf(_NORMAL.inv_cdf(1 - alpha / 4) / math.sqrt(share)))
    return 2 * side


@lru_cache(maxsize=256)
def nominal_levels(shares: tuple[float, ...], alpha: float = ALPHA) -> tuple[float, ...]:
    """The two-sided level of each look at these shares of the planned pairs, growing to 1.

    With W a Brownian motion, W(share) is the sum of differences so far. Look k's bound c is where
    the chance of staying within all bounds before and leaving at k is what may be spent at k; the
    density of what stayed is carried from look to look (Armitage, McPherson and Rowe 1969).
    """
    import numpy as np

    at, weights = np.polynomial.legendre.leggauss(_POINTS)
    points, mass = np.zeros(1), np.ones(1)  # before the first look all of it is at zero
    before, gone, levels = 0.0, 0.0, list[float]()
    for share in shares:
        step = math.sqrt(share - before)
        allowed = max(spent(share, alpha) - gone, 0.0)

        def left(bound: float, points: Any = points, mass: Any = mass, step: float = step) -> float:
            return float(mass @ (_tail((bound - points) / step) + _tail((bound + points) / step)))

        bound = _root(left, allowed, math.sqrt(share))
        levels.append(2 * (1 - _NORMAL.cdf(bound / math.sqrt(share))))
        gone += left(bound)
        fresh = bound * at
        apart = (fresh[:, None] - points[None, :]) / step
        density = np.exp(-(apart**2) / 2) @ mass / (step * math.sqrt(2 * math.pi))
        points, mass, before = fresh, density * weights * bound, share
    return tuple(levels)


def decisions(
    found: Values, compared: Sequence[tuple[str, str]], looks: Looks, *, margin: float | None = None
) -> dict[str, Decision]:
    """What has been decided of each arm, of `(arm, reference)` pairs, at the looks so far.

    A look is at the first so many pairs of every open arm, and is taken once they all have them.
    With a margin, two one-sided tests at the same levels decide for equivalence.
    """
    decided: dict[str, Decision] = {}
    for look, n in enumerate(range(looks.fewest, looks.most + 1)):
        open_arms = [pair for pair in compared if pair[0] not in decided]
        seen = {arm: _first(found, arm, reference, n) for arm, reference in open_arms}
        if not open_arms or any(one.n < n for one in seen.values()):
            break
        for claim, ps in (
            ("differs", {arm: one.p for arm, one in seen.items()}),
            ("equivalent", {arm: equivalence(one, margin) for arm, one in seen.items()}),
        ):
            others = sum(one.claim == claim for one in decided.values())
            for arm in _passed(ps, looks, look, family=len(compared) - others):
                decided.setdefault(arm, Decision(claim, n))  # type: ignore[arg-type]  # of two words
    return {
        arm: decided.get(arm, Decision(None, _first(found, arm, reference, looks.most).n))
        for arm, reference in compared
    }


def more(plan: Plan, facts: Iterable[Record], looks: Looks) -> dict[str, int]:
    """How many replicates each arm of a plan should have by now, by arm id.

    All have `fewest`. An open arm, and the reference of one, is given one more once it has settled
    (completed, or failed for good) those it has, up to `most`. When nothing grows, it is over.
    """
    told = list(facts)
    primary = next(
        (m for m in plan.study.report if _of_trials(plan, m)), plan.study.objective.metric
    )
    past = histories(sorted(told, key=lambda fact: fact.sequence))
    found = Replicates(entered(plan, past)).of(primary)
    compared = [(arm.id, arm.against) for arm in plan.arms if arm.against is not None]
    said = decisions(found, compared, looks, margin=plan.study.margin)
    open_arms = {arm for arm, _ in compared if said[arm].claim is None}
    going_on = open_arms | {reference for arm, reference in compared if arm in open_arms}
    settled = dict.fromkeys((arm.id for arm in plan.arms), 0)
    for trial in plan.trials:
        history = past.get(trial.id)
        settled[trial.arm] += bool(history and history.settled)
    return {
        arm: min(looks.most, max(looks.fewest, count + (arm in going_on)))
        for arm, count in settled.items()
    }


def _of_trials(plan: Plan, name: str) -> bool:
    metric = plan.description.metrics.get(name)
    return metric is None or metric.source == "trial"


def _first(found: Values, arm: str, reference: str, n: int) -> Contrast:
    """The contrast over the first n replicates that both have."""
    shared = sorted(found[arm].keys() & found[reference].keys())[:n]
    left, right = ({r: found[one][r] for r in shared} for one in (arm, reference))
    return contrast(left, right, against=reference, unpaired=False)


def _passed(ps: Mapping[str, float | None], looks: Looks, look: int, *, family: int) -> list[str]:
    """The arms that pass at a look, stepping down from the smallest p."""
    passed: list[str] = []
    known = sorted((p, arm) for arm, p in ps.items() if p is not None)
    for p, arm in known:
        if p >= looks.levels(ALPHA / (family - len(passed)))[look]:
            break
        passed.append(arm)
    return passed


def _tail(z: Any) -> Any:
    """The chance that a standard normal variable is greater."""
    from scipy.special import ndtr  # only a study that looks in between waits for it

    return ndtr(-z)


def _root(left: Callable[[float], float], allowed: float, scale: float) -> float:
    """The bound beyond which so much is left; left falls as the bound grows."""
    low, high = 0.0, 12.0 * scale
    while high - low > 1e-12 * scale:
        middle = (low + high) / 2
        if left(middle) > allowed:
            low = middle
        else:
            high = middle
    return high
