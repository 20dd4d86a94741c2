"""Differences of two arms: tests, intervals, corrections, power."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from importlib.util import find_spec

import numpy as np
import scipy.special
import scipy.stats

from benchmarks.statistics_checks.check import Check, Size, apart, compared, lacking, missed, share
from cbablate.analysis.contrasts.contrast import contrast
from cbablate.analysis.contrasts.dunnett import dunnett_critical
from cbablate.statistics.bootstrap import bca
from cbablate.statistics.coverage import bca_coverage
from cbablate.statistics.estimate import estimate
from cbablate.statistics.f_distribution import tail
from cbablate.statistics.power import detectable, floor, power, replicates_for
from cbablate.statistics.sign_flip import sign_flip
from cbablate.statistics.student_t import critical, two_sided

PUBLISHED = {
    (1, 5): 2.57,
    (2, 10): 2.57,
    (3, 10): 2.76,
    (4, 20): 2.65,
    (9, 20): 2.95,
    (3, 60): 2.41,
}
"""Dunnett 1964, table of two-sided 5 % points, by comparisons and degrees of freedom."""


def checks(size: Size) -> Iterator[Check]:
    """All of them."""
    yield _distributions(size)
    yield _means(size)
    yield _paired(size)
    yield _welch(size)
    yield from _flips(size)
    yield from _bca(size)
    yield from _dunnett(size)
    yield from _power(size)


def _cases(count: int) -> Iterator[tuple[float, list[float], list[float]]]:
    """A scale from 1e-6 to 1e5, and two arms' values over 2 to 39 seeds on it."""
    for case in range(count):
        draw = random.Random(case)
        n, scale = draw.randint(2, 39), 10.0 ** draw.uniform(-6, 5)
        of_seed = [draw.gauss(draw.uniform(-3, 3), 1) for _ in range(n)]
        one, other = ([scale * (s + draw.gauss(0.3, 1)) for s in of_seed] for _ in range(2))
        yield scale, one, other


def _paired(size: Size) -> Check:
    far, cases = 0.0, size.of(3_000)
    for scale, one, other in _cases(cases):
        said = contrast(dict(enumerate(one)), dict(enumerate(other)), against="")
        theirs = scipy.stats.ttest_rel(one, other)
        ends = theirs.confidence_interval()
        apart_by = np.subtract(one, other)
        sd = float(apart_by.std(ddof=1))
        far = max(
            far,
            apart((said.p,), (theirs.pvalue,)),
            apart((said.low, said.high), (ends.low, ends.high), scale),
            apart((said.sd,), (sd,), scale),
            apart((said.effect_size,), (float(apart_by.mean()) / sd,)),
            apart((said.correlation,), (scipy.stats.pearsonr(one, other).statistic,)),
        )
    return compared("paired t: p, interval, effect size, correlation", "scipy", cases, far, 1e-9)


def _means(size: Size) -> Check:
    far, cases = 0.0, size.of(3_000)
    for scale, one, _ in _cases(cases):
        said = estimate(one, len(one))
        ends = scipy.stats.ttest_1samp(one, 0).confidence_interval()
        far = max(far, apart((said.mean, said.low, said.high), (np.mean(one), *ends), scale))
    return compared("mean and t-interval", "scipy", cases, far, 1e-9)


def _welch(size: Size) -> Check:
    far, cases = 0.0, size.of(3_000)
    for scale, one, other in _cases(cases):
        other = other[: max(2, len(other) // 2)]
        apart_seeds = {100 + i: value for i, value in enumerate(other)}
        said = contrast(dict(enumerate(one)), apart_seeds, against="")
        theirs = scipy.stats.ttest_ind(one, other, equal_var=False)
        ends = theirs.confidence_interval()
        far = max(
            far,
            apart((said.p,), (theirs.pvalue,)),
            apart((said.low, said.high), (ends.low, ends.high), scale),
        )
    return compared("Welch: p, interval", "scipy", cases, far, 1e-9)


def _distributions(size: Size) -> Check:
    cases, far, draw = size.of(5_000), 0.0, random.Random(1)
    for _ in range(cases):
        t, f = draw.expovariate(0.3), draw.expovariate(0.2)
        a, b = draw.uniform(1, 40), draw.uniform(1, 200)
        level = draw.uniform(0.5, 0.999)
        far = max(
            far,
            apart(
                (two_sided(t, b), tail(f, a, b), critical(b, level)),
                (
                    2 * float(scipy.stats.t.sf(t, b)),
                    float(scipy.special.fdtrc(a, b, f)),
                    float(scipy.stats.t.ppf((1 + level) / 2, b)),
                ),
            ),
        )
    return compared("tails of t and F, critical t", "scipy", cases, far, 1e-9)


def _flips(size: Size) -> Iterator[Check]:
    cases, wrong, draw = size.of(600), 0, random.Random(2)
    for _ in range(cases):
        n = draw.randint(1, 12)
        whole = draw.random() < 0.5  # ties and zeros
        values = [float(draw.randint(-3, 3)) if whole else draw.gauss(0.4, 1) for _ in range(n)]
        wrong += abs((sign_flip(values) or 0.0) - _enumerated(values)) > 1e-12
    yield missed(
        "exact sign-flip test, with ties and zeros", "all 2^n signs, one by one", cases, wrong
    )
    wrong = sum(floor(n) != _enumerated([1.0] * n) for n in range(1, 13))
    yield missed("its least p", "the same", 12, wrong)


def _enumerated(values: Sequence[float]) -> float:
    observed = abs(math.fsum(values))
    sums = [
        abs(math.fsum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(values))
    ]
    return sum(one >= observed - 1e-9 for one in sums) / len(sums)


def _bca(size: Size) -> Iterator[Check]:
    cases, far = size.of(60), 0.0
    for case in range(cases):
        values = np.random.default_rng(case).standard_exponential(10 + case % 20)
        theirs = scipy.stats.bootstrap(
            (values,), np.mean, method="BCa", n_resamples=9_999, rng=np.random.default_rng(case)
        ).confidence_interval
        low, high = bca(values.tolist(), case)
        far = max(far, max(abs(low - theirs.low), abs(high - theirs.high)) / (high - low))
    yield compared("BCa interval, other draws (of its length)", "scipy", cases, far, 0.06)
    for n in (10, 20):
        studies, held = size.of(2_000), 0
        for study in range(studies):
            values = np.random.default_rng(study).standard_normal(n).tolist()
            low, high = bca(values, study)
            held += low <= 0 <= high
        stated = bca_coverage(n)
        yield share(
            f"BCa interval, n = {n}: coverage as stated, {100 * stated:.1f} %",
            "simulation, normal",
            held,
            studies,
            (stated - 0.01, stated + 0.01),
        )


def _dunnett(size: Size) -> Iterator[Check]:
    far = max(
        abs(dunnett_critical(arms, freedom) - known) for (arms, freedom), known in PUBLISHED.items()
    )
    yield compared("Dunnett's critical values", "Dunnett 1964", len(PUBLISHED), far, 0.0101)
    draws, far, pairs = size.of(2_000_000, 400_000), 0.0, ((2, 6), (5, 25), (12, 60))
    for arms, freedom in pairs:
        draw = np.random.default_rng(arms)
        beyond, bound = 0, dunnett_critical(arms, freedom)
        for _ in range(draws // 100_000):
            z = draw.standard_normal((100_000, arms + 1))
            s = np.sqrt(draw.chisquare(freedom, 100_000) / freedom)
            t = np.abs(z[:, 1:] - z[:, :1]).max(axis=1) / math.sqrt(2) / s
            beyond += int((t > bound).sum())
        far = max(far, abs(beyond / draws - 0.05))
    room = 4 * math.sqrt(0.05 * 0.95 / draws)
    yield compared(
        "Dunnett's critical values: chance beyond, from 5 %",
        f"{draws:,} draws",
        len(pairs),
        far,
        room,
    )


def _power(size: Size) -> Iterator[Check]:
    what = "power, replicates needed, smallest detectable effect"
    if find_spec("statsmodels") is None:
        yield lacking(what, "statsmodels")
        return
    from statsmodels.stats.power import TTestPower

    theirs, far, cases = TTestPower(), 0.0, 0
    for n, family, effect in itertools.product((3, 5, 8, 12, 20), (1, 3, 8), (0.4, 1.0, 2.0)):
        alpha = 0.05 / family
        far = max(far, abs(power(effect, n, alpha) - theirs.power(effect, n, alpha)))
        cases += 1
    yield compared("power of a paired t test", "statsmodels", cases, far, 1e-5)
    wrong = cases = 0
    for family, effect in itertools.product((1, 3, 8), (0.5, 0.8, 1.2)):
        needed = theirs.solve_power(effect, None, 0.05 / family, 0.8)
        wrong += replicates_for(effect, 0.05 / family) != math.ceil(needed)
        cases += 1
    yield missed("replicates that 80 % power needs", "statsmodels", cases, wrong)
    far = max(
        abs((detectable(n, 0.05 / k) or 0.0) - float(theirs.solve_power(None, n, 0.05 / k, 0.8)))
        for n in (6, 10, 20)
        for k in (1, 5)
    )
    yield compared("effect that is seen with 80 %", "statsmodels", 6, far, 1e-4)
