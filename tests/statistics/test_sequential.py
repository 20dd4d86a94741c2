from __future__ import annotations

from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.statistics.correction import share
from cbablate.statistics.sequential import Looks, nominal_levels, spent

FIFTHS = (0.2, 0.4, 0.6, 0.8, 1.0)


def test_bounds_are_lan_and_demets_published_ones() -> None:
    bounds = [NormalDist().inv_cdf(1 - level / 2) for level in nominal_levels(FIFTHS)]
    assert bounds == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)


def test_all_of_alpha_is_spent_at_the_end_and_one_look_is_the_plain_test() -> None:
    assert spent(1.0) == pytest.approx(0.05)
    assert nominal_levels((1.0,)) == pytest.approx((0.05,), abs=1e-9)
    assert nominal_levels((1.0,), 0.01) == pytest.approx((0.01,), abs=1e-9)
    assert Looks(6, 6).levels() == pytest.approx((0.05,), abs=1e-9)


def test_a_random_walk_leaves_the_bounds_as_often_as_alpha_says() -> None:
    levels = nominal_levels(Looks(5, 15).shares)
    draw = np.random.default_rng(1)
    walks = np.cumsum(draw.standard_normal((40_000, 15)), axis=1)[:, 4:]
    z = np.abs(walks) / np.sqrt(np.arange(5, 16))
    bounds = [NormalDist().inv_cdf(1 - level / 2) for level in levels]
    assert np.mean((z >= bounds).any(axis=1)) == pytest.approx(0.05, abs=0.004)


@settings(deadline=None, max_examples=10)
@given(st.integers(2, 6), st.integers(2, 8), st.integers(2, 10))
def test_levels_grow_from_look_to_look_and_shrink_with_the_family(
    fewest: int, further: int, family: int
) -> None:
    looks = Looks(fewest, fewest + further)
    alone, shared = looks.levels(), looks.levels(0.05 / family)
    assert all(a < b for a, b in pairwise(alone))
    assert all(one <= other for one, other in zip(shared, alone, strict=True))
    assert alone[-1] < 0.05


def test_a_look_does_not_wait_for_the_levels_of_later_ones_and_has_the_same_without_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls, ndtr = [0], scipy.special.ndtr

    def counted(z: object) -> object:
        calls[0] += 1
        return ndtr(z)

    monkeypatch.setattr(scipy.special, "ndtr", counted)
    assert 0 < Looks(6, 1000).level(8, 0.0314) < 1e-30
    assert calls[0] < 3 * 100, "a look halves an interval 42 times, with two calls each"
    looks = Looks(6, 40)
    assert [looks.level(n, 0.0314) for n in range(6, 41)] == [*looks.levels(0.0314)]


@pytest.mark.slow
@pytest.mark.parametrize("most", [300, 1000])
def test_levels_of_many_looks_grow_to_the_last_and_spend_all(most: int) -> None:
    # with too few points for so small steps they fell to nothing and rose again
    levels = Looks(6, most).levels()
    assert all(a <= b for a, b in pairwise(levels) if b > 1e-30)
    assert levels[-1] == pytest.approx(0.0265, abs=0.001)


def test_looks_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="not 1 to 5"):
        Looks(1, 5).levels()
    with pytest.raises(ValueError, match="not 6 to 5"):
        Looks(6, 5).levels()


@pytest.mark.parametrize("family", [1, 2, 5])
@pytest.mark.parametrize("last", [False, True])
def test_a_sequential_p_is_below_a_share_of_alpha_just_where_a_look_at_it_decides(
    family: int, *, last: bool
) -> None:
    looks, alpha = Looks(6, 12), share(family)
    for n in range(6, 13):
        level = looks.level(n, alpha, last=last)
        below, at = (looks.p(n, level * part, family=5, last=last) for part in (0.999, 1.0))
        assert below < alpha <= at


def test_between_knots_a_sequential_p_is_the_alpha_whose_level_it_is() -> None:
    looks = Looks(6, 12)
    for alpha in (0.004, 0.03, 0.2):
        for n, level in zip(range(6, 13), looks.levels(alpha), strict=True):
            assert looks.p(n, level) == pytest.approx(alpha, rel=0.01)


def test_a_sequential_p_grows_with_its_tests_and_never_is_nothing() -> None:
    looks = Looks(6, 12)
    grown = [looks.p(8, p) for p in (0.0, 1e-9, 1e-4, 0.01, 0.3, 1.0)]
    assert all(a <= b for a, b in pairwise(grown))
    assert 0 < grown[0] < 1e-6
    assert grown[-1] == 1.0
    early = Looks(6, 100)  # the smallest alphas have no level that a float could hold there
    assert 0 < early.p(6, 1e-250) <= early.p(6, 1e-200) < early.p(6, 1e-20) <= 1.0


def test_a_last_look_spends_what_the_pairs_that_never_came_have_left() -> None:
    looks = Looks(6, 20)
    assert looks.spent(20) == pytest.approx(looks.spent(20, last=True)) == pytest.approx(1.0)
    assert looks.level(20) == pytest.approx(looks.level(20, last=True), rel=1e-9)
    assert looks.spent(17) == pytest.approx(spent(17 / 20) / 0.05)
    assert looks.spent(17, last=True) == 1.0
    assert looks.level(17) < looks.level(17, last=True) < 0.05
    assert looks.level(5, last=True) == pytest.approx(0.05 / looks.allowance, rel=1e-6)


@pytest.mark.parametrize("lost", [0.0, 0.15, 0.5])
def test_spending_what_is_left_at_the_last_look_keeps_the_level(lost: float) -> None:
    # which pairs fail is drawn beside the differences: each study has its own number at the end
    looks, draw, count, alarms = Looks(6, 14), np.random.default_rng(4), 3000, 0
    for _ in range(20):
        pairs = int(6 + draw.binomial(8, 1 - lost))
        x = draw.standard_normal((count, pairs))
        n = np.arange(1, pairs + 1)
        sums, squares = (np.cumsum(one, axis=1)[:, 5:] for one in (x, x * x))
        n = n[5:]
        t = np.abs(sums / n) / np.sqrt((squares - sums**2 / n) / (n - 1) / n)
        levels = [looks.level(int(k), last=k == pairs) for k in n]
        alarms += int((t >= scipy.stats.t.isf(np.array(levels) / 2, n - 1)).any(axis=1).sum())
    assert alarms / (20 * count) <= 0.05 + 2 * (0.05 / (20 * count)) ** 0.5


@pytest.mark.parametrize(("most", "alpha"), [(9, 0.05), (16, 0.01), (30, 0.05)])
def test_t_tests_at_every_look_raise_no_more_false_alarms_than_alpha(
    most: int, alpha: float
) -> None:
    draw, count = np.random.default_rng(most), 60_000
    x = draw.standard_normal((count, most))
    n = np.arange(1, most + 1)
    sums, squares = np.cumsum(x, axis=1)[:, 5:], np.cumsum(x * x, axis=1)[:, 5:]
    n = n[5:]
    t = np.abs(sums / n) / np.sqrt((squares - sums**2 / n) / (n - 1) / n)
    bounds = scipy.stats.t.isf(np.array(Looks(6, most).levels(alpha)) / 2, n - 1)
    alarms = float((t >= bounds).any(axis=1).mean())
    assert alarms <= alpha + 2 * (alpha / count) ** 0.5
    assert alarms >= 0.8 * alpha, "and hardly fewer"
