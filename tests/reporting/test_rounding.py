"""Differences: their decimals come from their half-widths, and rounding claims nothing."""

# ruff: noqa: RUF001 - minus signs and powers are what is printed

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.reporting.model.cell import Number
from cbablate.reporting.model.rounding import Ends, exponent, like
from cbablate.reporting.model.scale import Scale, scale_of, scale_of_differences
from cbablate.spec.metric import Metric

LOSS = Metric("loss", "Loss", "", 3)
sizes = st.floats(1e-12, 1e12)
centres = st.one_of(sizes, sizes.map(lambda size: -size), st.just(0.0))


def about(centre: float, half: float) -> Ends:
    return centre, centre - half, centre + half


def printed(means: Scale, *differences: Ends) -> list[str]:
    scale = scale_of_differences(means, differences)
    return [scale.interval(*ends).spread().plain for ends in differences]


def value(number: Number | None) -> float:
    """What a reader takes the printed number for."""
    assert number is not None
    plain = number.plain.replace(",", "").replace("−", "-")
    mantissa, _, power = plain.partition("×10")
    raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    return float(mantissa) * 10.0 ** int(power.translate(raised) or 0)


def test_a_sure_difference_of_large_means_is_not_printed_as_nothing() -> None:
    assert printed(Scale(0), about(0.32, 0.1)) == ["+0.32 ± 0.10"]


def test_an_arm_that_diverged_does_not_squash_the_others() -> None:
    told = printed(Scale(3), about(0.05, 0.012), about(3e7, 1.1e7), about(0.0, 0.02))
    assert told == ["+0.050 ± 0.012", "+3.0×10⁷ ± 1.1×10⁷", "0.000 ± 0.020"]
    for metric in (LOSS, replace(LOSS, decimals=None)):
        means = scale_of(metric, [0.50, 0.55, 3e7], exact=False)
        shown = [means.number(one).plain for one in (0.50, 0.55, 3e7)]
        assert [one.rstrip("0") for one in shown] == ["0.5", "0.55", "3.0×10⁷"]
        assert means.unit("nats") == "nats"


def test_decimals_are_those_of_two_digits_of_the_half_width_and_one_rule_for_the_column() -> None:
    wide = [about(-1.02, 1.61), about(0.46, 1.43), about(0.3, 2.7)]
    assert printed(Scale(2), *wide) == ["−1.0 ± 1.6", "+0.5 ± 1.4", "+0.3 ± 2.7"]
    told = printed(Scale(2), about(0.0381, 0.0412), about(0.5, 0.4), about(0.6, 0.5))
    assert told == ["+0.04 ± 0.04", "+0.50 ± 0.40", "+0.60 ± 0.50"]


def test_a_borderline_difference_has_the_digits_that_tell_it_from_0() -> None:
    scale = scale_of_differences(Scale(2), [about(1.28, 1.26)])
    low = scale.interval(*about(1.28, 1.26)).low
    assert low is not None
    assert low.plain == "+0.02"


def test_a_difference_without_an_interval_has_the_decimals_of_the_means() -> None:
    assert printed(Scale(2), (0.4, None, None), (-0.1, None, None)) == ["+0.40", "−0.10"]
    assert printed(Scale(2), (0.004, None, None)) == ["+0.004"]
    assert printed(Scale(2), (1.4e-14, None, None)) == ["0.00"]  # rounding of floats


@given(st.lists(st.tuples(centres, sizes), min_size=1, max_size=6), st.integers(0, 4))
def test_what_is_printed_excludes_0_where_the_interval_does(
    told: list[tuple[float, float]], decimals: int
) -> None:
    every = [about(centre, half) for centre, half in told]
    scale = scale_of_differences(Scale(decimals), every)
    for (centre, low, high), (_, half) in zip(every, told, strict=True):
        assert centre is not None
        assert low is not None
        assert high is not None
        shown = scale.interval(centre, low, high)
        measured = (high - low) / 2
        if measured > 1e-9 * abs(centre):
            assert value(shown.half) > 0
        if (low > 0 or high < 0) and abs(abs(centre) - half) > 1e-9 * half > 1e-9 * abs(centre):
            assert abs(value(shown.centre)) > value(shown.half)
            assert value(shown.low) * value(shown.high) > 0
        if low < 0 < high:
            assert value(shown.low) <= 0 <= value(shown.high)


@given(st.lists(sizes, min_size=1))
def test_those_that_decide_are_alike_and_never_none(found: list[float]) -> None:
    kept = like(found)
    assert kept
    assert set(kept) <= set(found)
    assert all(big < 1e5 * small for small, big in pairwise(kept))


@pytest.mark.parametrize(("size", "power"), [(9.94, 0), (9.96, 1), (0.0996, -1), (1.0, 0)])
def test_a_size_has_the_power_of_its_two_digits(size: float, power: int) -> None:
    assert exponent(size) == power
    assert math.isfinite(size)
