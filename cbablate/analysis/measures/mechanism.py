"""`Association`: how the change in a probe goes with the change in the primary metric.

Changes are an arm's minus its reference's at the same seed, so that what a seed does to both
drops out. Those points are not independent: a seed's points share the reference's noise, so
intervals leave out whole seeds, and the permutation test hands whole seeds' probes to others.
What remains is an association over the arms at hand. It is not causation: an arm may change both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import Random

from cbablate.analysis.contrasts.replicates import Values
from cbablate.errors import CbablateError
from cbablate.statistics.jackknife import CORRELATION, PLAIN, Scale, jackknife

__all__ = ["FEWEST_SEEDS", "Association", "Change", "association", "changes"]

FEWEST_SEEDS = 5
"""Of fewer seeds there are too few permutations, and intervals too wide, to mean anything."""
_PERMUTATIONS = 2_000
_MOST_POINTS = 500_000
"""So many changes are handed over in all: large studies have fewer permutations, 200 at least."""


@dataclass(frozen=True)
class Change:
    """An arm's change from its reference at one seed: in the probe, and in the metric."""

    arm: str
    replicate: int
    probe: float
    metric: float


@dataclass(frozen=True)
class Association:
    """Correlations and the slope of metric on probe, over arms and seeds; and within arms.

    Each number has a 95 % t-interval of the jackknife over whole seeds, of correlations on the
    scale of Fisher's z; None below `FEWEST_SEEDS` of them.
    `within` is Pearson's correlation of what is left when each arm's mean is taken away: whether
    seeds that change the probe more change the metric more, in the same arm. `between` is over the
    arms' means, None of fewer than three arms. `p_within` is of a permutation test of `within`
    over seeds.
    """

    arms: int
    seeds: int
    pearson: Interval
    spearman: Interval
    slope: Interval
    within: Interval
    between: float | None
    p_within: float | None


@dataclass(frozen=True)
class Interval:
    """A number and its 95 % interval; each None where it does not exist."""

    value: float | None
    low: float | None = None
    high: float | None = None


def changes(probe: Values, metric: Values, compared: Sequence[tuple[str, str]]) -> list[Change]:
    """The changes of arms from their references, at the seeds where all four values are known."""
    found: list[Change] = []
    for arm, reference in compared:
        known = (probe[arm], probe[reference], metric[arm], metric[reference])
        shared = sorted(set(known[0]).intersection(*known[1:]))
        found += [
            Change(
                arm, r, probe[arm][r] - probe[reference][r], metric[arm][r] - metric[reference][r]
            )
            for r in shared
        ]
    return found


def association(
    found: Sequence[Change], seed: int, *, permutations: int | None = None
) -> Association:
    """The association over these changes; the same changes and seed give the same numbers.

    Raises:
        CbablateError: fewer than three changes, or a probe or metric that does not change.
    """
    seeds = sorted({one.replicate for one in found})
    arms = sorted({one.arm for one in found})
    if len(found) < 3 or _pearson(found) is None:
        raise CbablateError(
            "an association needs three changes or more, in which both the probe and the metric "
            f"vary; there are {len(found)}"
        )
    if permutations is None:
        permutations = max(200, min(_PERMUTATIONS, _MOST_POINTS // len(found)))
    means = [_mean_of([one for one in found if one.arm == arm]) for arm in arms]
    return Association(
        arms=len(arms),
        seeds=len(seeds),
        pearson=_interval(found, seeds, _pearson, CORRELATION),
        spearman=_interval(found, seeds, _spearman, CORRELATION),
        slope=_interval(found, seeds, _slope, PLAIN),
        within=_interval(found, seeds, _within, CORRELATION),
        between=_pearson(means) if len(arms) > 2 else None,
        p_within=_permuted(found, seeds, seed=seed, permutations=permutations),
    )


def _interval(
    found: Sequence[Change],
    seeds: Sequence[int],
    measure: Callable[[Sequence[Change]], float | None],
    scale: Scale,
) -> Interval:
    """A measure of these changes with its interval over seeds."""

    def of(kept: Collection[int]) -> float | None:
        here = {*kept}
        return measure([one for one in found if one.replicate in here])

    if len(seeds) < FEWEST_SEEDS:
        return Interval(measure(found))
    return Interval(measure(found), *(jackknife(of, seeds, scale) or (None, None)))


def _permuted(
    found: Sequence[Change], seeds: Sequence[int], *, seed: int, permutations: int
) -> float | None:
    """The share of permutations of seeds' probes with a correlation within arms as large.

    Only arms and seeds that make a whole grid enter, so that a seed's probes can be handed over.
    """
    arms = sorted({one.arm for one in found})
    at = {(one.arm, one.replicate): one for one in found}
    whole = [r for r in seeds if all((arm, r) in at for arm in arms)]
    observed = _within([at[arm, r] for r in whole for arm in arms])
    if len(whole) < FEWEST_SEEDS or observed is None:
        return None
    draw = Random(seed)  # noqa: S311 - a simulation, not a secret
    extreme = 1
    for _ in range(permutations):
        order = list(whole)
        for i in range(len(order) - 1, 0, -1):
            j = int(draw.random() * (i + 1))
            order[i], order[j] = order[j], order[i]
        swapped = [
            Change(arm, r, at[arm, other].probe, at[arm, r].metric)
            for r, other in zip(whole, order, strict=True)
            for arm in arms
        ]
        value = _within(swapped)
        extreme += value is not None and abs(value) >= abs(observed) * (1 - 1e-12)
    return extreme / (permutations + 1)


def _pearson(found: Sequence[Change]) -> float | None:
    xs, ys = [one.probe for one in found], [one.metric for one in found]
    return _correlation(xs, ys)


def _spearman(found: Sequence[Change]) -> float | None:
    return _correlation(_ranks([one.probe for one in found]), _ranks([o.metric for o in found]))


def _slope(found: Sequence[Change]) -> float | None:
    xs, ys = _centred([one.probe for one in found]), _centred([one.metric for one in found])
    square = math.fsum(x * x for x in xs)
    return None if square == 0.0 else math.fsum(map(_product, xs, ys)) / square


def _within(found: Sequence[Change]) -> float | None:
    """Pearson's correlation of what each arm's mean leaves."""
    by_arm: dict[str, list[Change]] = {}
    for one in found:
        by_arm.setdefault(one.arm, []).append(one)
    xs = [x for some in by_arm.values() for x in _centred([one.probe for one in some])]
    ys = [y for some in by_arm.values() for y in _centred([one.metric for one in some])]
    return _correlation(xs, ys, _sizes(found))


def _sizes(found: Sequence[Change]) -> tuple[float, float]:
    """The largest change of the probe, and of the metric."""
    return (
        max((abs(one.probe) for one in found), default=0.0),
        max((abs(one.metric) for one in found), default=0.0),
    )


def _correlation(
    xs: Sequence[float], ys: Sequence[float], sizes: tuple[float, float] | None = None
) -> float | None:
    """Pearson's; None where either side varies by rounding only, which is judged by the largest
    of each side, or of what it was made from.
    """
    left, right = _centred(xs), _centred(ys)
    of_left, of_right = (math.sqrt(math.fsum(v * v for v in side)) for side in (left, right))
    largest = sizes or [max(map(abs, side), default=0.0) for side in (xs, ys)]
    floors = (1e-12 * size for size in largest)
    if any(size <= floor for size, floor in zip((of_left, of_right), floors, strict=True)):
        return None
    return max(-1.0, min(1.0, math.fsum(map(_product, left, right)) / of_left / of_right))


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; ties share their mean rank."""
    places: dict[float, list[int]] = {}
    for rank, value in enumerate(sorted(values), 1):
        places.setdefault(value, []).append(rank)
    return [sum(places[value]) / len(places[value]) for value in values]


def _centred(values: Sequence[float]) -> list[float]:
    mean = math.fsum(values) / len(values)
    return [value - mean for value in values]


def _mean_of(some: Sequence[Change]) -> Change:
    n = len(some)
    probe, metric = math.fsum(o.probe for o in some) / n, math.fsum(o.metric for o in some) / n
    return Change(some[0].arm, -1, probe, metric)


def _product(x: float, y: float) -> float:
    return x * y
