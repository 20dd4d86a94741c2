"""How often our intervals hold, and how often our tests raise a false alarm, simulated.

    python benchmarks/simulations.py [--simulations 10000]

prints the tables of benchmarks/README.md. All draws come from one seed a table.
"""

from __future__ import annotations

import argparse
import random
import time

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from cbablate.analysis.contrast import adjusted, contrast
from cbablate.analysis.dunnett import dunnett, dunnett_critical
from cbablate.analysis.verdict import findings
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
    draw = np.random.Generator(np.random.PCG64(seed))
    y = draw.standard_normal((simulations, arms + 1, n)) + draw.standard_normal((simulations, 1, n))
    of_arm = y.mean(axis=2)
    rest = y - of_arm[:, :, None] - y.mean(axis=1)[:, None, :] + y.mean(axis=(1, 2))[:, None, None]
    freedom = arms * (n - 1)
    error = (rest**2).sum(axis=(1, 2)) / freedom
    t = np.abs(of_arm[:, 1:] - of_arm[:, :1]) / np.sqrt(2 * error / n)[:, None]
    return float(np.mean(t.max(axis=1) <= dunnett_critical(arms, freedom)))


def false_alarms(
    procedure: str, simulations: int, arms: int, n: int, seed: int
) -> tuple[float, float]:
    """The shares of null studies with a dagger, and with a finding in words.

    Arms share a seed's part, as paired seeds do: the same spread as the rest.
    """
    draw = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    daggers = words = 0
    for _ in range(simulations):
        of_seed = [draw.gauss(0, 1) for _ in range(n)]
        found = {
            str(arm): {r: of_seed[r] + draw.gauss(0, 1) for r in range(n)}
            for arm in range(arms + 1)
        }
        others = [str(arm) for arm in range(1, arms + 1)]
        if procedure == "dunnett":
            family = dunnett(found, others, "0")
        else:
            family = adjusted([contrast(found[arm], found["0"], against="0") for arm in others])
        daggers += any(one.p_adjusted is not None and one.p_adjusted < 0.05 for one in family)
        claimed = findings(family, direction="maximize")
        words += any(one.claim in ("helps", "hurts") for one in claimed)
    return daggers / simulations, words / simulations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=10_000)
    parser.add_argument("--studies", type=int, default=2_000)
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
    print(f"\nNull studies of ten arms with a false alarm, {words.studies:,} each (%)\n")
    print("| n | correction | a dagger | a finding in words |\n|---:|---|---:|---:|")
    for n in (5, 6, 8, 20):
        for procedure in ("holm", "dunnett"):
            studies = words.studies if procedure == "holm" else words.studies // 4
            dagger, word = false_alarms(procedure, studies, 10, n, n)
            print(f"| {n} | {procedure} | {100 * dagger:.1f} | {100 * word:.1f} |")
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
