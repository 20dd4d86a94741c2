"""The sign-flip test against scipy's and against what can be counted by hand."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cbablate.statistics.power import floor
from cbablate.statistics.sign_flip import MOST_PAIRS, sign_flip

wholes = st.lists(st.integers(-50, 50), min_size=1, max_size=10)


@pytest.mark.parametrize("n", [2, 3, 6, 9, 12])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_scipys_exact_permutation_test(n: int, seed: int) -> None:
    draw = random.Random(seed)
    differences = [draw.gauss(0.4, 1) for _ in range(n)]
    expected = scipy.stats.permutation_test(
        (np.array(differences),),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert sign_flip(differences) == pytest.approx(expected.pvalue, rel=1e-12)


@given(wholes)
def test_it_counts_every_choice_of_signs(differences: list[int]) -> None:
    observed = abs(sum(differences))
    choices = itertools.product(*((d, -d) for d in differences))
    extreme = sum(abs(sum(signed)) >= observed for signed in choices)
    assert sign_flip(differences) == extreme / 2 ** len(differences)


@given(wholes)
def test_ties_are_ties_however_decimals_round(differences: list[int]) -> None:
    assert sign_flip([d / 10 for d in differences]) == sign_flip(differences)


@given(wholes, st.integers(-60, 60))
def test_sign_order_and_scale_change_nothing(differences: list[int], power: int) -> None:
    p = sign_flip(differences)
    assert sign_flip([-d for d in differences]) == p
    assert sign_flip(sorted(differences)) == p
    assert sign_flip([math.ldexp(d, power) for d in differences]) == p


@pytest.mark.parametrize("n", [1, 2, 6, 13, MOST_PAIRS])
def test_all_of_one_sign_is_the_floor(n: int) -> None:
    draw = random.Random(n)
    assert sign_flip([draw.uniform(0.1, 1) for _ in range(n)]) == floor(n)


def test_what_is_no_difference_is_no_evidence() -> None:
    assert sign_flip([0.0] * 7) == 1.0
    assert sign_flip([1.0, -1.0]) == 1.0


def test_none_and_too_many_have_no_exact_p() -> None:
    assert sign_flip([]) is None
    assert sign_flip([1.0] * (MOST_PAIRS + 1)) is None


def test_sizes_near_the_largest_float_do_not_overflow() -> None:
    assert sign_flip([1.7e308] * 6) == floor(6)
