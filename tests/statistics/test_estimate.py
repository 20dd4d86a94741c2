"""Estimates: known answers, coverage, and what must not matter."""

from __future__ import annotations

import math
import random

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cbablate.statistics.estimate import estimate, moments

values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


@given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=30))
def test_the_interval_is_scipys(whole: list[int]) -> None:
    drawn = [value / 1000 for value in whole]
    said = estimate(drawn, planned=30)
    if len(set(drawn)) == 1:
        assert (said.low, said.high, said.constant) == (said.mean, said.mean, True)
        return
    tell = scipy.stats.tstd(drawn)
    assert said.sd == pytest.approx(tell, rel=1e-12, abs=1e-12 * max(map(abs, drawn)))
    low, high = scipy.stats.t.interval(
        0.95, len(drawn) - 1, loc=said.mean, scale=said.sd / math.sqrt(len(drawn))
    )
    assert said.low == pytest.approx(low, rel=1e-12, abs=1e-12)
    assert said.high == pytest.approx(high, rel=1e-12, abs=1e-12)


def test_a_known_answer() -> None:
    said = estimate([1.0, 2.0, 3.0], planned=5)
    assert (said.mean, said.sd, said.n, said.planned) == (2.0, 1.0, 3, 5)
    critical = 0.95 / math.sqrt(0.04875)  # two degrees of freedom have a closed form
    assert said.half_width == pytest.approx(critical / math.sqrt(3), rel=1e-12)
    assert not said.whole


def test_one_value_has_no_interval() -> None:
    said = estimate([0.7], planned=1)
    assert (said.mean, said.sd, said.low, said.high, said.half_width) == (0.7, *[None] * 4)
    assert said.whole


def test_no_value_has_no_mean() -> None:
    assert estimate([], planned=4).mean is None
    assert estimate([math.nan, math.inf], planned=4).n == 0


def test_nan_never_enters_a_mean() -> None:
    assert estimate([1.0, math.nan, 3.0], planned=3).mean == 2.0
    assert estimate([1.0, math.nan, 3.0], planned=3).n == 2


@given(st.floats(-1e300, 1e300), st.integers(2, 50))
def test_equal_values_have_exactly_their_mean(value: float, n: int) -> None:
    said = estimate([value] * n, planned=n)
    assert (said.mean, said.sd, said.constant) == (value, 0.0, True)


@given(values, st.randoms(use_true_random=False))
def test_the_order_of_replicates_changes_no_bit(drawn: list[float], turn: random.Random) -> None:
    turned = list(drawn)
    turn.shuffle(turned)
    assert estimate(turned, planned=30) == estimate(drawn, planned=30)


@given(values, st.integers(-40, 40))
def test_scaling_a_metric_scales_its_estimate(drawn: list[float], power: int) -> None:
    scale = 2.0**power
    plain, scaled = estimate(drawn, 30), estimate([value * scale for value in drawn], 30)
    assert scaled.mean == pytest.approx((plain.mean or 0.0) * scale, rel=1e-12, abs=1e-300)
    assert scaled.sd == pytest.approx((plain.sd or 0.0) * scale, rel=1e-9, abs=1e-300)


def test_values_near_the_largest_float_do_not_overflow() -> None:
    mean, sd = moments([1.7e308, 1.6e308, 1.7e308])
    assert 1.6e308 < mean < 1.7e308
    assert sd is not None
    assert math.isfinite(sd)


@pytest.mark.parametrize("n", [3, 5])
def test_the_interval_covers_the_truth_in_95_of_100(n: int) -> None:
    draw = random.Random(n)
    studies = 2000
    covered = 0
    for _ in range(studies):
        said = estimate([draw.gauss(0.3, 2.0) for _ in range(n)], planned=n)
        assert said.low is not None
        assert said.high is not None
        covered += said.low <= 0.3 <= said.high
    assert abs(covered / studies - 0.95) < 0.015  # three standard errors
