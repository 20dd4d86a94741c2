from __future__ import annotations

import math
import random

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from cbablate.analysis.contrasts.dunnett import dunnett, dunnett_critical, dunnett_p
from cbablate.analysis.contrasts.replicates import Values
from cbablate.statistics.student_t import two_sided


@pytest.mark.parametrize(
    ("freedom", "comparisons", "published"),
    # Dunnett 1964, two-sided, 5 %
    [(5, 1, 2.57), (10, 2, 2.57), (10, 3, 2.76), (20, 4, 2.65), (20, 9, 2.95), (60, 3, 2.41)],
)
def test_critical_values_are_those_published(
    freedom: int, comparisons: int, published: float
) -> None:
    assert dunnett_critical(comparisons, freedom) == pytest.approx(published, abs=0.0101)


@pytest.mark.parametrize("freedom", [1, 2, 5, 30, 400])
@pytest.mark.parametrize("t", [0.0, 0.3, 2.0, 7.0])
def test_one_comparison_is_students_t(t: float, freedom: int) -> None:
    assert dunnett_p(t, 1, freedom) == pytest.approx(two_sided(t, freedom), abs=1e-9)


@pytest.mark.parametrize(
    ("t", "comparisons", "freedom"), [(2.1, 5, 12), (3.0, 10, 50), (0.7, 3, 4)]
)
def test_p_is_the_double_integral_by_another_rule(t: float, comparisons: int, freedom: int) -> None:
    z = np.linspace(-9, 9, 6001)

    def within(s: float) -> float:
        reach = math.sqrt(2) * t * s
        chance = scipy.stats.norm.cdf(z + reach) - scipy.stats.norm.cdf(z - reach)
        return float(scipy.integrate.simpson(chance**comparisons * scipy.stats.norm.pdf(z), x=z))

    spread = scipy.stats.chi(freedom, scale=1 / math.sqrt(freedom))
    inside, _ = scipy.integrate.quad(
        lambda s: within(s) * spread.pdf(s), 0, 8, epsabs=1e-11, points=[0.5, 1.0, 1.5], limit=200
    )
    assert dunnett_p(t, comparisons, freedom) == pytest.approx(1 - inside, abs=1e-9)


def test_without_blocks_the_same_distribution_gives_scipys_p() -> None:
    draw = np.random.default_rng(3)
    control, *arms = (draw.normal(shift, 1, 8) for shift in (0, 0.5, 1.2, -0.3))
    theirs = scipy.stats.dunnett(*arms, control=control, random_state=1)
    for t, p in zip(theirs.statistic, theirs.pvalue, strict=True):
        assert dunnett_p(float(t), 3, 28) == pytest.approx(p, abs=2e-3)


def study(arms: int, n: int, seed: int, shift: float = 0.0) -> Values:
    draw = random.Random(seed)
    seeds = [draw.gauss(0, 2) for _ in range(n)]
    return {
        str(arm): {r: seeds[r] + draw.gauss(shift * arm, 1) for r in range(n)}
        for arm in range(arms + 1)
    }


def test_the_error_is_that_of_a_randomised_block_design() -> None:
    found = study(3, 6, 1)
    y = np.array([[found[str(arm)][r] for r in range(6)] for arm in range(4)])
    rest = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0, keepdims=True) + y.mean()
    error = (rest**2).sum() / 15
    said = dunnett(found, ["1", "2", "3"], "0")
    for arm, one in enumerate(said, 1):
        difference = (y[arm] - y[0]).mean()
        t = difference / math.sqrt(2 * error / 6)
        assert one.difference == pytest.approx(difference, rel=1e-12)
        assert one.p == pytest.approx(2 * scipy.stats.t.sf(abs(t), 15), rel=1e-9)
        assert one.p_adjusted == pytest.approx(dunnett_p(t, 3, 15), abs=1e-12)
        assert one.half_width == pytest.approx(
            dunnett_critical(3, 15) * math.sqrt(2 * error / 6), rel=1e-9
        )
        assert one.family == 3


def test_one_arm_is_the_paired_t_test() -> None:
    found = study(1, 7, 2)
    (said,) = dunnett(found, ["1"], "0")
    t = scipy.stats.ttest_rel([*found["1"].values()], [*found["0"].values()])
    assert said.p_adjusted == pytest.approx(t.pvalue, abs=1e-9)
    assert (said.low, said.high) == pytest.approx(t.confidence_interval(0.95), rel=1e-6)


def test_an_interval_that_leaves_out_zero_has_p_below_5_percent_and_the_other_way_round() -> None:
    for seed in range(8):
        for one in dunnett(study(4, 6, seed, 0.6), ["1", "2", "3", "4"], "0"):
            assert one.low is not None
            assert one.high is not None
            assert one.p_adjusted is not None
            assert (one.low > 0 or one.high < 0) == (one.p_adjusted < 0.05)


def test_what_is_missing_makes_no_other_comparison_look_better() -> None:
    found = {arm: dict(one) for arm, one in study(3, 6, 5, 1.0).items()}
    found["3"] = {}
    said = dunnett(found, ["1", "2", "3"], "0")
    assert said[2].difference is said[2].p is said[2].p_adjusted is None
    assert [one.family for one in said] == [3, 3, 3]
    del found["1"][0]
    assert [one.n for one in dunnett(found, ["1", "2", "3"], "0")] == [5, 5, 0]


def test_arms_that_vary_by_rounding_only_are_not_tested() -> None:
    found = {arm: {r: 0.1 * r + int(arm) for r in range(5)} for arm in ("0", "1")}
    (said,) = dunnett(found, ["1"], "0")
    assert (said.p, said.p_adjusted, said.low) == (None, None, None)
    (alone,) = dunnett({"0": {0: 1.0}, "1": {0: 2.0}}, ["1"], "0")
    assert (alone.difference, alone.p) == (1.0, None)
