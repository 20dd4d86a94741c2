"""Corrections: Holm by hand, Sidak against statsmodels' formula, and what a level's share is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.statistics.correction import corrected, holm, share, sidak

ps = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_holm_by_hand() -> None:
    # 4 x 0.005 = 0.020, 3 x 0.01 = 0.030, 2 x 0.03 = 0.060, then 0.04 is raised to 0.060
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(ps)
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(ps: list[float]) -> None:
    found = holm(ps)
    for p, q in zip(ps, found, strict=True):
        assert p <= q <= min(1.0, len(ps) * p) + 1e-15
    ranked = sorted(range(len(ps)), key=ps.__getitem__)
    assert [found[i] for i in ranked] == sorted(found)


def test_sidak_by_hand() -> None:
    assert sidak([0.01, 0.5]) == pytest.approx([0.0199, 0.75])
    assert sidak([1.0, 1e-20, 0.0]) == pytest.approx([1.0, 3e-20, 0.0], rel=1e-12)
    assert sidak([0.03]) == [0.03]


@given(ps)
def test_an_adjusted_p_is_below_5_percent_just_where_p_is_below_its_share(ps: list[float]) -> None:
    level = share(len(ps))
    assert 0.05 / len(ps) <= level <= 0.05
    for p, q in zip(ps, sidak(ps), strict=True):
        if abs(p - level) > 1e-12:
            assert (q < 0.05) == (p < level)


def test_one_comparison_has_all_of_the_level_and_holms_first_step_is_bonferronis() -> None:
    assert share(1) == share(0) == 0.05
    assert share(4, "holm") == 0.0125


def test_a_missing_p_counts_as_a_member_and_stays_missing() -> None:
    assert corrected([0.01, None], "sidak") == [pytest.approx(0.0199), None]
    assert corrected([0.01, None], "holm") == [0.02, None]
