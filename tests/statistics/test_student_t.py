"""Student's t against scipy and against what is known in closed form."""

from __future__ import annotations

import math

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cbablate.statistics.student_t import critical, two_sided

FREEDOMS = (1, 2, 3, 4, 5, 7, 9, 30, 99, 998, 999)


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_p_values_are_those_of_scipy(freedom: int) -> None:
    for step in range(-40, 60):
        t = 10 ** (step / 13)
        expected = 2 * float(scipy.stats.t.sf(t, freedom))
        assert two_sided(t, freedom) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_critical_values_are_those_of_scipy(freedom: int) -> None:
    for level in (0.5, 0.9, 0.95, 0.99, 0.999):
        expected = float(scipy.stats.t.ppf((1 + level) / 2, freedom))
        assert critical(freedom, level) == pytest.approx(expected, rel=1e-12)


@given(st.floats(0, 1e6))
def test_one_degree_of_freedom_is_cauchys(t: float) -> None:
    assert two_sided(t, 1) == pytest.approx(1 - 2 * math.atan(t) / math.pi, abs=1e-14)


@given(st.floats(-1e300, 1e300), st.integers(1, 999))
def test_a_p_value_is_a_probability_and_has_no_side(t: float, freedom: int) -> None:
    assert 0.0 <= two_sided(t, freedom) <= 1.0
    assert two_sided(t, freedom) == two_sided(-t, freedom)


@given(st.floats(0, 50), st.floats(0, 50), st.integers(1, 999))
def test_a_larger_statistic_is_never_more_probable(s: float, t: float, freedom: int) -> None:
    low, high = sorted((s, t))
    assert two_sided(high, freedom) <= two_sided(low, freedom) + 1e-15


def test_the_ends_are_exact() -> None:
    assert two_sided(0.0, 5) == 1.0
    assert two_sided(1e200, 5) == 0.0
    assert two_sided(math.inf, 5) == 0.0
