"""Power: against scipy's noncentral t and published tables, and by what must hold."""

from __future__ import annotations

import math

import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy import nan_to_num

from cbablate.statistics.correction import share
from cbablate.statistics.power import (
    FEWEST_PAIRS,
    POWER,
    detectable,
    floor,
    pairs_to_flip,
    power,
    replicates_for,
)

replicates = st.integers(2, 60)
families = st.integers(1, 40)


def scipys(effect: float, n: int, level: float) -> float:
    bound = scipy.stats.t.ppf(1 - level / 2, n - 1)
    below = scipy.special.nctdtr(n - 1, effect * math.sqrt(n), [bound, -bound])
    return float(1 - nan_to_num(below[0]) + nan_to_num(below[1]))  # nan: too small for scipy


@pytest.mark.parametrize("n", [2, 3, 5, 6, 8, 20, 100, 1000])
@pytest.mark.parametrize("family", [1, 5, 30])
@pytest.mark.parametrize("effect", [0.05, 0.5, 1.0, 3.0])
def test_power_is_the_noncentral_ts(n: int, family: int, effect: float) -> None:
    level = share(family)
    assert power(effect, n, level) == pytest.approx(scipys(effect, n, level), abs=1e-6)


@pytest.mark.parametrize(("n", "said"), [(3, 0.18), (5, 0.40), (8, 0.68)])
def test_power_for_a_difference_as_large_as_its_spread_is_the_known_one(
    n: int, said: float
) -> None:
    assert power(1.0, n) == pytest.approx(said, abs=0.005)


def test_replicates_for_the_textbooks_effects() -> None:
    # Cohen's small, medium and large effect, 80 % power, two-sided 0.05 (G*Power: 199, 34, 15)
    assert [replicates_for(effect) for effect in (0.2, 0.5, 0.8)] == [199, 34, 15]


@given(replicates, families)
@settings(max_examples=10, deadline=None)
def test_the_detectable_effect_is_seen_with_80_percent(n: int, family: int) -> None:
    effect = detectable(n, share(family))
    assert effect is not None
    assert power(effect, n, share(family)) == pytest.approx(POWER, abs=1e-5)


@given(st.floats(0.3, 4), families)
@settings(max_examples=10, deadline=None)
def test_the_fewest_replicates_are_enough_and_one_fewer_are_not(effect: float, family: int) -> None:
    level = share(family)
    n = replicates_for(effect, level)
    assert n is not None
    assert power(effect, n - 1, level) < POWER <= power(effect, n, level)


@given(replicates, families, st.floats(0, 3))
@settings(max_examples=15, deadline=None)
def test_more_replicates_and_smaller_families_see_more(n: int, family: int, effect: float) -> None:
    level = share(family)
    assert power(effect, n + 1, level) >= power(effect, n, level) - 1e-6
    assert power(effect, n, share(family + 1)) <= power(effect, n, level) + 1e-6


def test_without_an_effect_power_is_the_level() -> None:
    assert power(0.0, 7, 0.01) == pytest.approx(0.01, abs=1e-6)


def test_one_replicate_sees_nothing() -> None:
    assert power(100.0, 1) == 0.0
    assert detectable(1) is None


def test_an_effect_too_small_for_a_thousand_replicates_has_no_number() -> None:
    assert replicates_for(0.01) is None
    assert replicates_for(0.0) is None


def test_the_floor_of_the_sign_flip_test() -> None:
    assert [floor(n) for n in (0, 1, 3, 5, 6, 8)] == [1.0, 1.0, 0.25, 0.0625, 0.03125, 0.0078125]
    assert pairs_to_flip(share(10)) == 9
    assert FEWEST_PAIRS == 6


@given(families)
def test_pairs_to_flip_are_the_fewest(family: int) -> None:
    level = share(family)
    n = pairs_to_flip(level)
    assert floor(n) < level <= floor(n - 1)
