from __future__ import annotations

import math
import random
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.contrasts.contrast import contrast
from cbablate.spec.analysis import Analysis
from cbablate.statistics.bootstrap import RESAMPLES, bca, bca_ends, resampled_means
from cbablate.statistics.coverage import BCA, FEWEST_FOR_BCA, bca_coverage


def drawn(seed: int, n: int) -> list[float]:
    draw = random.Random(seed)
    return [draw.expovariate(1.0) - 0.5 for _ in range(n)]


@pytest.mark.parametrize("n", [10, 17, 40])
def test_the_ends_are_scipys_from_the_same_resamples(n: int) -> None:
    values = drawn(n, n)
    means = resampled_means(values, 7)
    theirs = scipy.stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=0,
        bootstrap_result=SimpleNamespace(bootstrap_distribution=means),
        method="BCa",
        vectorized=True,
    ).confidence_interval
    assert bca_ends(values, means) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_resamples_are_so_many_have_the_right_spread_and_belong_to_the_seed() -> None:
    values = drawn(1, 12)
    means = resampled_means(values, 3)
    assert means.shape == (RESAMPLES,)
    assert means.mean() == pytest.approx(np.mean(values), abs=4 * np.std(values) / 12**0.5 / 99)
    assert means.std() == pytest.approx(np.std(values) / 12**0.5, rel=0.04)
    assert bca(values, 3) == bca(values, 3) != bca(values, 4)


def test_drawing_leaves_numpys_own_generator_alone() -> None:
    np.random.seed(5)
    before = np.random.get_state()[1].tolist()
    bca(drawn(1, 10), 1)
    assert np.random.get_state()[1].tolist() == before


@settings(deadline=None, max_examples=10)
@given(st.integers(-10, 10), st.integers(0, 50))
def test_another_unit_moves_the_ends_by_the_same_factor(power: int, seed: int) -> None:
    values = drawn(seed, 11)
    scaled = [math.ldexp(value, power) for value in values]
    assert bca(scaled, 1) == pytest.approx([math.ldexp(end, power) for end in bca(values, 1)])


def test_a_contrast_has_the_bootstrap_interval_from_ten_pairs_on_and_none_below() -> None:
    how = Analysis(interval="bca")
    values = dict(enumerate(drawn(2, 10)))
    zero = dict.fromkeys(values, 0.0)
    one = contrast(values, zero, against="r", how=how, seed=5)
    assert (one.low, one.high) == bca([*values.values()], 5)
    usual = contrast(values, zero, against="r")
    assert (one.p, one.sd, one.difference) == (usual.p, usual.sd, usual.difference)
    del values[0]
    few = contrast(values, zero, against="r", how=how, seed=5)
    assert (few.low, few.high, few.p is None) == (None, None, False)


def test_the_coverage_that_is_stated_is_what_simulations_give() -> None:
    draw, n, simulations = random.Random(8), FEWEST_FOR_BCA, 250
    held = 0
    for seed in range(simulations):
        low, high = bca([draw.gauss(0, 1) for _ in range(n)], seed)
        held += low <= 0 <= high
    error = math.sqrt(BCA[n] * (1 - BCA[n]) / simulations)
    assert held / simulations == pytest.approx(BCA[n], abs=3 * error)


def test_coverage_is_stated_of_the_next_fewer_replicates_that_were_simulated() -> None:
    assert bca_coverage(1) == 0.0
    assert bca_coverage(11) == BCA[10]
    assert bca_coverage(1000) == BCA[max(BCA)]
    assert all(0.6 < share < 0.95 for share in BCA.values())
