"""How often our intervals hold, and how often our tests raise a false alarm, simulated.

    python benchmarks/simulations.py [--simulations 10000]

prints the tables of benchmarks/README.md. All draws come from one seed a table.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from cbablate.analysis.contrast import adjusted, contrast
from cbablate.analysis.dunnett import dunnett_critical
from cbablate.analysis.sequential import Looks
from cbablate.analysis.verdict import findings
from cbablate.planning.power import power
from cbablate.planning.student import critical

Draws = NDArray[np.float64]


def differences(kind: str, simulations: int, n: int, seed: int) -> Draws:
    """Paired differences of true mean 0: normal, heavy-tailed, or skewed."""
    draw = np.random.Generator(np.random.PCG64(seed))
    if kind == "normal":
        return draw.standard_normal((simulations, n))
    if kind == "heavy tails (t, 3 df)":
        return draw.standard_t(3, (simulations, n))
    return draw.standard_exponential((simulations, n)) - 1.0


def covered_by_t(found: Draws) -> float:
    n = found.shape[1]
    half = critical(n - 1) * found.std(axis=1, ddof=1) / np.sqrt(n)
    return float(np.mean(np.abs(found.mean(axis=1)) <= half))


def covered_by_bca(found: Draws, seed: int, resamples: int = 999) -> float:
    """The share of BCa intervals that hold 0, all simulations at once, some resamples at a time."""
    simulations, n = found.shape
    draw = np.random.Generator(np.random.PCG64(seed))
    means = np.empty((simulations, resamples), dtype=np.float64)
    rows = np.arange(simulations)[:, None]
    for column in range(0, resamples, 27):
        count = min(27, resamples - column)
        chosen = (draw.random((simulations, count * n), dtype=np.float32) * n).astype(np.int32)
        drawn = found[rows, np.minimum(chosen, n - 1)]
        means[:, column : column + count] = drawn.reshape(simulations, count, n).mean(axis=2)
    mean = found.mean(axis=1)
    centred = found - mean[:, None]
    skew = (centred**3).sum(axis=1) / (6 * (centred**2).sum(axis=1) ** 1.5)
    below = np.clip((means < mean[:, None]).mean(axis=1), 1 / resamples, 1 - 1 / resamples)
    bias = scipy.stats.norm.ppf(below)
    inside = np.ones(simulations, dtype=bool)
    share = (means <= 0).mean(axis=1)
    for tail, holds in ((0.025, np.less_equal), (0.975, np.greater_equal)):
        moved = bias + scipy.stats.norm.ppf(tail)
        at = scipy.stats.norm.cdf(bias + moved / (1 - skew * moved))
        inside &= holds(at, share)
    return float(inside.mean())


def covered_jointly_by_dunnett(simulations: int, arms: int, n: int, seed: int) -> float:
    """The share of null studies in which the intervals of all arms hold 0."""
    y = null_studies(simulations, arms, n, seed)
    of_arm = y.mean(axis=2)
    rest = y - of_arm[:, :, None] - y.mean(axis=1)[:, None, :] + y.mean(axis=(1, 2))[:, None, None]
    freedom = arms * (n - 1)
    error = (rest**2).sum(axis=(1, 2)) / freedom
    t = np.abs(of_arm[:, 1:] - of_arm[:, :1]) / np.sqrt(2 * error / n)[:, None]
    return float(np.mean(t.max(axis=1) <= dunnett_critical(arms, freedom)))


def null_studies(simulations: int, arms: int, n: int, seed: int) -> Draws:
    """Values of so many null studies, by arm (the baseline first) and seed; a seed's part, which
    all arms share, has the same spread as the rest.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    of_seed = draw.standard_normal((simulations, 1, n))
    return draw.standard_normal((simulations, arms + 1, n)) + of_seed


def daggers(y: Draws) -> NDArray[np.bool_]:
    """In which null studies any Holm-adjusted p of a paired t test is below 5 %."""
    apart = y[:, 1:] - y[:, :1]
    n, arms = apart.shape[2], apart.shape[1]
    t = np.abs(apart.mean(axis=2)) / apart.std(axis=2, ddof=1) * np.sqrt(n)
    return np.asarray(t.max(axis=1) > critical(n - 1, 1 - 0.05 / arms))


def false_claims(y: Draws) -> float:
    """The share of null studies under whose table an arm "helps" or "hurts", by our own code;
    a claim needs a dagger, so only studies that have one are looked at.
    """
    wrong = 0
    for study in y[daggers(y)]:
        reference, *others = (dict(enumerate(map(float, arm))) for arm in study)
        family = adjusted([contrast(arm, reference, against="0") for arm in others])
        claimed = findings(family, direction="maximize")
        wrong += any(one.claim in ("helps", "hurts") for one in claimed)
    return wrong / len(y)


def sequential(effect: float, simulations: int, family: int, seed: int) -> tuple[float, float]:
    """The share of comparisons found, each at its share of 5 %, and the mean number of pairs, when
    looking from 5 pairs to 30.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    found = draw.standard_normal((simulations, 30)) + effect
    stopped = np.full(simulations, 30)
    seen = np.zeros(simulations, dtype=bool)
    for n, level in zip(range(5, 31), Looks(5, 30).levels(0.05 / family), strict=True):
        part = found[:, :n]
        t = np.abs(part.mean(axis=1)) / part.std(axis=1, ddof=1) * np.sqrt(n)
        fresh = ~seen & (2 * scipy.stats.t.sf(t, n - 1) < level)
        stopped[fresh], seen = n, seen | fresh
    return float(seen.mean()), float(stopped.mean())


def sequential_alarms(simulations: int, arms: int, seed: int) -> float:
    """The share of null studies of so many arms in which looking from 5 to 30 finds anything."""
    y = null_studies(simulations, arms, 30, seed)
    apart = y[:, 1:] - y[:, :1]
    wrong = np.zeros(simulations, dtype=bool)
    for n, level in zip(range(5, 31), Looks(5, 30).levels(0.05 / arms), strict=True):
        part = apart[:, :, :n]
        t = np.abs(part.mean(axis=2)) / part.std(axis=2, ddof=1) * np.sqrt(n)
        wrong |= (2 * scipy.stats.t.sf(t, n - 1) < level).any(axis=1)
    return float(wrong.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=10_000)
    words = parser.parse_args()
    began = time.perf_counter()
    print(f"\nCoverage of 95 % intervals, {words.simulations:,} simulations each (%)\n")
    kinds = ("normal", "heavy tails (t, 3 df)", "skewed (exponential)")
    print("| n | interval | " + " | ".join(kinds) + " |\n|---:|---|" + "---:|" * len(kinds))
    for n in (3, 5, 6, 8, 10, 12, 15, 20, 30):
        shares = [covered_by_t(differences(kind, words.simulations, n, n)) for kind in kinds]
        print(f"| {n} | t | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |")
        shares = [covered_by_bca(differences(kind, words.simulations, n, n), n) for kind in kinds]
        print(f"| {n} | BCa | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |")
    print(
        "\nDunnett's intervals of ten arms, jointly (%): "
        + ", ".join(
            f"n = {n}: {100 * covered_jointly_by_dunnett(words.simulations, 10, n, n):.1f}"
            for n in (5, 8, 20)
        )
    )
    print(f"\n{words.simulations:,} null studies of ten arms, with a false alarm (%)\n")
    print("| n | a dagger | a finding in words |\n|---:|---:|---:|")
    for n in (5, 6, 8, 12, 20):
        y = null_studies(words.simulations, 10, n, n)
        print(f"| {n} | {100 * daggers(y).mean():.1f} | {100 * false_claims(y):.1f} |")
    print(f"\nLooking after every seed from 5 to 30, {words.simulations:,} simulations\n")
    print(
        "False alarms: "
        + ", ".join(
            f"{arms} arms {100 * sequential_alarms(words.simulations, arms, arms):.1f} %"
            for arms in (1, 5, 10)
        )
    )
    print("\n| effect | found (%) | mean pairs | fixed pairs for as much |\n|---:|---:|---:|---:|")
    for effect in (0.5, 0.6, 0.7):
        share, pairs = sequential(effect, words.simulations, 1, 1)
        fixed = next(n for n in range(3, 200) if power(effect, n) >= min(share, 0.999))
        print(f"| {effect} | {100 * share:.1f} | {pairs:.1f} | {fixed} |")
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
