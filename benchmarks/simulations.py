"""How often our intervals hold, and how often our tests raise a false alarm, simulated.

    python -m benchmarks simulations [--simulations 10000]

prints the tables of benchmarks/README.md. All draws come from one seed a table.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from cbablate.analysis.contrasts.contrast import adjusted, contrast
from cbablate.analysis.contrasts.dunnett import dunnett_critical
from cbablate.analysis.contrasts.verdict import findings
from cbablate.statistics import correction
from cbablate.statistics.sequential import Looks
from cbablate.statistics.student_t import beyond, critical

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


def covered_jointly(
    arms: int,
    n: int,
    seed: int,
    *,
    simulations: int,
    of_arms: float = 1.0,
    of_baseline: float = 1.0,
) -> float:
    """How often all intervals of arms against one baseline hold that are said to hold together."""
    draw, held, done = np.random.default_rng(seed), 0, 0
    bound, spreads = beyond(n - 1, correction.share(arms)), np.geomspace(1.0, of_arms, arms)
    while done < simulations:
        count = min(simulations - done, max(1, 2_000_000 // (n * (arms + 1))))
        y = draw.standard_normal((count, arms, n)) * spreads[:, None]
        y -= of_baseline * draw.standard_normal((count, 1, n))
        t = np.abs(y.mean(axis=2)) / y.std(axis=2, ddof=1) * np.sqrt(n)
        held += int((t.max(axis=1) < bound).sum())
        done += count
    return held / simulations


def joint_table(simulations: int) -> None:
    """Print how often simultaneous intervals hold, for equal spreads and for others."""
    print(f"\nAll simultaneous intervals of a table hold, {simulations:,} simulations each (%)\n")
    kinds: dict[str, dict[str, float]] = {
        "equal spreads": {},
        "arms 1 to 2.2": {"of_arms": 2.2},
        "baseline a third": {"of_baseline": 1 / 3},
        "baseline threefold": {"of_baseline": 3.0},
    }
    print(f"| arms | n | {' | '.join(kinds)} |\n|---:|---:|{'---:|' * len(kinds)}")
    for arms in (1, 2, 3, 5, 8, 12, 20):
        for n in (6, 10, 20):
            held = [
                covered_jointly(arms, n, 100 * arms + n, simulations=simulations, **how)
                for how in kinds.values()
            ]
            print(f"| {arms} | {n} | {' | '.join(f'{100 * one:.1f}' for one in held)} |")


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
    """In which null studies any Sidak-adjusted p of a paired t test is below 5 %."""
    apart = y[:, 1:] - y[:, :1]
    n, arms = apart.shape[2], apart.shape[1]
    t = np.abs(apart.mean(axis=2)) / apart.std(axis=2, ddof=1) * np.sqrt(n)
    return np.asarray(t.max(axis=1) > beyond(n - 1, correction.share(arms)))


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


LOOKS = Looks(6, 30)


@dataclass(frozen=True)
class Grown:
    """What became of simulated studies with sequential replicates, by study and arm: whether a
    difference was claimed, whether equivalence was, and after how many replicates an arm stopped.
    """

    differs: NDArray[np.bool_]
    equivalent: NDArray[np.bool_]
    stopped: NDArray[np.int64]

    @property
    def trials(self) -> float:
        """The mean number of trials of a study; the reference has as many as the last open arm."""
        return float((self.stopped.sum(axis=1) + self.stopped.max(axis=1)).mean())


def grown(y: Draws, margin: float | None = None) -> Grown:
    """Studies whose arms (the reference first) are looked at from 6 replicates to 30, as
    `analysis.course` does, all of them at once.
    """
    apart = y[:, 1:] - y[:, :1]
    shape = apart.shape[:2]
    differs, equivalent = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    stopped = np.full(shape, LOOKS.most)
    for n in range(LOOKS.fewest, LOOKS.most + 1):
        mean, error = apart[:, :, :n].mean(axis=2), apart[:, :, :n].std(axis=2, ddof=1) / n**0.5
        going = ~(differs | equivalent)
        level = LOOKS.level(n, correction.share(shape[1]))
        differs |= going & (np.abs(mean) / error > scipy.stats.t.isf(level / 2, n - 1))
        if margin is not None:
            room = (margin - np.abs(mean)) / error
            equivalent |= going & ~differs & (room > scipy.stats.t.isf(level, n - 1))
        stopped = np.where(going & (differs | equivalent), n, stopped)
    return Grown(differs, equivalent, stopped)


def fixed_for(y: Draws, wanted: float, arms: slice) -> int:
    """The fixed number of replicates at which so many of these arms are found, by Sidak."""
    apart = y[:, 1:] - y[:, :1]
    for n in range(3, y.shape[2] + 1):
        t = np.abs(apart[:, :, :n].mean(axis=2)) / apart[:, :, :n].std(axis=2, ddof=1) * n**0.5
        if (t > beyond(n - 1, correction.share(t.shape[1])))[:, arms].mean() >= wanted:
            return n
    return y.shape[2]


def growing_table(simulations: int) -> None:
    """Print what looking after every replicate from 6 to 30 claims wrongly, and what it saves."""
    print(f"\nLooking after every replicate from 6 to 30, {simulations:,} studies each\n")
    print(
        "| arms that differ, by so many spreads | false claims (%) | found (%) "
        "| trials | fixed number for as much | its trials | saved (%) |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for arms, real, effect in (
        *((1, 0, 0.0), (5, 0, 0.0), (10, 0, 0.0)),
        *((1, 1, 0.6), (1, 1, 1.0), (5, 2, 0.8), (5, 2, 1.2), (5, 5, 0.8), (10, 3, 1.0)),
    ):
        y = null_studies(simulations, arms, 45, 100 * arms + real)
        y[:, 1 : 1 + real] += effect * 2**0.5  # differences have a variance of two
        said = grown(y[:, :, : LOOKS.most])
        wrong = f"{100 * said.differs[:, real:].any(axis=1).mean():.2f}" if real < arms else ""
        words = f"{real} of {arms}" + (f", {effect:g}" if real else "")
        if not real:
            print(f"| {words} | {wrong} | | {said.trials:.1f} | | | |")
            continue
        found = float(said.differs[:, :real].mean())
        n = fixed_for(y, found, slice(0, real))
        fixed = n * (arms + 1)
        print(
            f"| {words} | {wrong} | {100 * found:.1f} | {said.trials:.1f} | {n} "
            f"| {fixed} "
            f"| {100 * (1 - said.trials / fixed):.0f} |"
        )
    alone = np.mean(
        [grown(null_studies(10_000, 1, 30, 7_000 + k)).differs.mean() for k in range(10)]
    )
    print(f"\nFalse claims of one arm, 100,000 studies: {100 * alone:.2f} %")
    print("\nWith a margin of 1 spread, 2 of 5 arms that differ by 1.2:")
    y = null_studies(simulations, 5, 30, 1)
    y[:, 1:3] += 1.2 * 2**0.5
    said = grown(y, 2**0.5)
    print(
        f"found {100 * said.differs[:, :2].mean():.1f} %, equivalence of the others found "
        f"{100 * said.equivalent[:, 2:].mean():.1f} %, {said.trials:.1f} trials"
    )
    print("\nEquivalence claimed of five arms whose difference is the margin, at the margin of:")
    for margin in (0.5, 1.0, 2.0):
        y = null_studies(simulations, 5, 30, int(10 * margin))
        y[:, 1:] += margin
        said = grown(y, margin)
        print(f"{margin / 2**0.5:.2f} spreads: {100 * said.equivalent.any(axis=1).mean():.2f} %")


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
    print("| n | adjusted p < 0.05 | a finding |\n|---:|---:|---:|")
    for n in (5, 6, 8, 12, 20):
        y = null_studies(words.simulations, 10, n, n)
        print(f"| {n} | {100 * daggers(y).mean():.1f} | {100 * false_claims(y):.1f} |")
    joint_table(words.simulations)
    growing_table(words.simulations)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
