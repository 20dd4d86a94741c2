"""Contrasts: paired tests against scipy, Holm by hand, and errors over a family."""

from __future__ import annotations

import math
import random
import statistics

import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cbablate.analysis.contrasts.contrast import adjusted, contrast, pooled_sd
from cbablate.spec.analysis import Analysis
from cbablate.statistics.sign_flip import sign_flip

numbers = st.integers(-(10**6), 10**6).map(lambda whole: whole / 1000)
pairs = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=20)


def numbered(values: list[float]) -> dict[int, float]:
    return dict(enumerate(values))


@pytest.mark.slow
@given(pairs)
def test_p_and_interval_are_scipys(drawn: list[tuple[float, float]]) -> None:
    left, right = map(list, zip(*drawn, strict=True))
    differences = [a - b for a, b in drawn]
    spread = max(differences) - min(differences)
    assume(spread > 1e-6 * max(map(abs, left + right)))
    said = contrast(numbered(left), numbered(right), against="r")
    expected = scipy.stats.ttest_rel(left, right)
    interval = expected.confidence_interval(0.95)
    assert said.p == pytest.approx(expected.pvalue, rel=1e-8, abs=1e-12)
    assert said.low == pytest.approx(interval.low, rel=1e-9, abs=1e-9)
    assert said.high == pytest.approx(interval.high, rel=1e-9, abs=1e-9)


def test_a_known_answer_to_twelve_digits() -> None:
    left, right = [95.1, 96.2, 94.8, 95.9, 96.4], [94.7, 95.9, 94.9, 95.2, 95.8]
    said = contrast(numbered(left), numbered(right), against="r")
    expected = scipy.stats.ttest_rel(left, right)
    interval = expected.confidence_interval(0.95)
    assert said.p == pytest.approx(expected.pvalue, rel=1e-12)
    assert (said.low, said.high) == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert said.correlation == pytest.approx(scipy.stats.pearsonr(left, right)[0], rel=1e-12)
    assert said.half_width == pytest.approx((interval.high - interval.low) / 2, rel=1e-12)


def test_only_replicates_that_both_have_are_paired() -> None:
    said = contrast({0: 5.0, 1: 6.5, 3: 100.0}, {0: 4.0, 1: 5.0, 2: -9.0}, against="r")
    assert said.n == 2
    assert said.difference == 1.25


def test_without_a_pair_there_is_no_difference() -> None:
    said = contrast({0: 1.0}, {1: 1.0}, against="r")
    assert (said.n, said.difference, said.low, said.p, said.half_width) == (0, *[None] * 4)


def test_one_pair_has_a_difference_but_neither_interval_nor_p() -> None:
    said = contrast({0: 1.5}, {0: 1.0}, against="r")
    assert (said.n, said.difference, said.low, said.p) == (1, 0.5, None, None)


@pytest.mark.parametrize("step", [0.0, 1.0, 0.1])
def test_equal_differences_are_no_proof(step: float) -> None:
    right = [0.1 * r for r in range(6)]  # 0.1 * r + 0.1 rounds unevenly, and is equal all the same
    said = contrast(numbered([v + step for v in right]), numbered(right), against="r")
    assert said.difference == pytest.approx(step)
    assert (said.low, said.high, said.p) == (None, None, None)


def test_a_side_that_does_not_vary_has_no_correlation() -> None:
    assert contrast({0: 1.0, 1: 2.0}, {0: 3.0, 1: 3.0}, against="r").correlation is None


def test_differences_that_overflow_are_no_pairs() -> None:
    assert contrast({0: 1.7e308}, {0: -1.7e308}, against="r").n == 0


@given(pairs)
def test_swapping_arms_turns_the_sign_and_nothing_else(drawn: list[tuple[float, float]]) -> None:
    left, right = (numbered(list(side)) for side in zip(*drawn, strict=True))
    one, other = contrast(left, right, against="r"), contrast(right, left, against="r")
    assert one.difference == -(other.difference or 0.0)
    assert one.p == other.p
    assert one.low == (None if other.high is None else -other.high)


@given(pairs, st.integers(-30, 30))
def test_scaling_a_metric_leaves_its_p_value(drawn: list[tuple[float, float]], power: int) -> None:
    left, right = map(list, zip(*drawn, strict=True))
    scale = 2.0**power
    one = contrast(numbered(left), numbered(right), against="r")
    scaled = [numbered([value * scale for value in side]) for side in (left, right)]
    assert contrast(*scaled, against="r").p == one.p


def test_a_missing_comparison_still_counts_in_the_family() -> None:
    known = contrast({0: 1.0, 1: 2.5, 2: 3.1}, {0: 0.5, 1: 1.4, 2: 2.8}, against="r")
    empty = contrast({}, {0: 1.0}, against="r")
    alone, (first, second) = adjusted([known])[0], adjusted([known, empty])
    assert alone.p_adjusted == known.p
    assert known.p is not None
    assert first.p_adjusted == pytest.approx(1 - (1 - known.p) ** 2)
    assert adjusted([known, empty], Analysis(correction="holm"))[0].p_adjusted == 2 * known.p
    assert second.p_adjusted is None
    assert first.family == second.family == 2


@given(st.lists(pairs, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_the_adjusted_p_is_below_5_percent_just_where_the_interval_leaves_out_zero(
    drawn: list[list[tuple[float, float]]],
) -> None:
    sides = [[numbered(list(side)) for side in zip(*one, strict=True)] for one in drawn]
    for one in adjusted([contrast(*both, against="r") for both in sides]):
        if one.p_adjusted is not None and abs(one.p_adjusted - 0.05) > 1e-9:
            assert one.excludes_zero == (one.p_adjusted < 0.05)
            assert one.joint == (len(drawn) > 1)


def test_by_holm_or_on_request_intervals_are_single() -> None:
    sides = [numbered([1.0, 2.5, 3.1, 2.0]), numbered([0.5, 1.4, 2.8, 1.1])]
    family = [contrast(*sides, against="r")] * 5
    alone = family[0].half_width
    for how in (Analysis(correction="holm"), Analysis(intervals="single")):
        assert {one.half_width for one in adjusted(family, how)} == {alone}
    (wide,) = {one.half_width for one in adjusted(family)}
    level = 1 - 0.95 ** (1 / 5)
    assert family[0].error is not None
    assert wide == pytest.approx(scipy.stats.t.isf(level / 2, 3) * family[0].error, rel=1e-9)


@pytest.mark.slow
def test_null_arms_are_found_different_in_at_most_5_of_100_tables() -> None:
    draw = random.Random(7)
    tables, arms, seeds, wrong = 1500, 5, 5, 0
    for _ in range(tables):
        reference = numbered([draw.gauss(0, 1) for _ in range(seeds)])
        family = [
            contrast(numbered([draw.gauss(0, 1) for _ in range(seeds)]), reference, against="r")
            for _ in range(arms)
        ]
        wrong += any(
            one.p_adjusted is not None and one.p_adjusted < 0.05 for one in adjusted(family)
        )
    assert wrong / tables < 0.05 + 3 * math.sqrt(0.05 * 0.95 / tables)


def test_the_pooled_spread_weighs_each_contrast_by_its_freedom() -> None:
    few = contrast({0: 1.0, 1: 3.0}, {0: 0.0, 1: 0.0}, against="r")
    more = contrast(numbered([0.0, 1.0, 2.0, 3.0]), numbered([0.0] * 4), against="r")
    empty = contrast({}, {}, against="r")
    assert pooled_sd([few, more, empty]) == pytest.approx(math.sqrt((2.0 + 5.0) / 4))
    assert pooled_sd([empty]) is None


def test_effect_sizes_are_the_difference_in_spreads_and_without_its_small_sample_bias() -> None:
    one = contrast({0: 1.0, 1: 2.0, 2: 4.0, 3: 3.5}, dict.fromkeys(range(4), 0.0), against="r")
    spread = statistics.stdev([1.0, 2.0, 4.0, 3.5])
    assert one.effect_size == pytest.approx(2.625 / spread, rel=1e-12)
    # exact factor at 3 degrees of freedom: sqrt(2 / 3) Gamma(3/2) / Gamma(1)
    factor = math.sqrt(2 / 3) * math.gamma(1.5)
    assert one.hedges_g == pytest.approx(2.625 / spread * factor, rel=1e-12)
    two = contrast({0: 1.0, 1: 2.0}, {0: 0.0, 1: 0.0}, against="r")
    assert two.hedges_g is None


def test_what_pairing_gains_is_the_length_of_students_unpaired_interval_over_the_paired_one() -> (
    None
):
    left = {r: 10 + 3 * r + d for r, d in enumerate([0.1, -0.2, 0.3, 0.0, -0.1])}
    right = {r: 9 + 3 * r for r in range(5)}
    one = contrast(left, right, against="r")
    apart = scipy.stats.ttest_ind([*left.values()], [*right.values()]).confidence_interval(0.95)
    assert one.half_width is not None
    assert one.gain == pytest.approx((apart.high - apart.low) / 2 / one.half_width, rel=1e-9)


def test_arms_that_share_no_replicate_are_compared_by_welchs_test_and_have_no_pair() -> None:
    left, right = {0: 1.0, 1: 1.4, 2: 0.7, 3: 1.2}, {4: 2.0, 5: 3.1, 6: 2.4}
    one = contrast(left, right, against="r")
    welch = scipy.stats.ttest_ind([*left.values()], [*right.values()], equal_var=False)
    assert one.p == pytest.approx(welch.pvalue, rel=1e-9)
    interval = welch.confidence_interval(0.95)
    assert (one.low, one.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert (one.n, one.paired, one.sd, one.p_sign_flip) == (0, False, None, None)
    single = contrast({0: 1.0}, right, against="r")
    assert single.difference is None


def test_welchs_test_is_not_used_where_one_replicate_is_shared() -> None:
    one = contrast({0: 1.0, 1: 2.0, 2: 1.5}, {2: 1.0, 3: 2.0, 4: 3.0}, against="r")
    assert (one.n, one.difference, one.p, one.paired) == (1, 0.5, None, True)


def test_a_study_may_ask_for_the_sign_flip_tests_p() -> None:
    values = dict(enumerate([0.5, 1.0, -0.2, 0.8, 0.9, 1.1]))
    zero = dict.fromkeys(values, 0.0)
    one = contrast(values, zero, against="r", how=Analysis(test="sign_flip"))
    assert one.p == one.p_sign_flip == sign_flip([*values.values()])
    assert one.half_width == contrast(values, zero, against="r").half_width
