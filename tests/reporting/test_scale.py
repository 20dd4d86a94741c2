"""Scales: how a column writes its numbers."""

# ruff: noqa: RUF001 - the dash is what is printed

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cbablate.reporting.model.scale import Scale, scale_of, scale_of_means
from cbablate.spec.metric import Metric
from cbablate.statistics.estimate import estimate
from tests.analysis.fabrication import placement

TOP1 = Metric("top1", "Top-1", "%", 2)


@pytest.mark.parametrize(
    ("values", "known", "scale"),
    [
        ([96.2, 95.1], True, Scale(2)),
        ([], True, Scale(2)),
        ([0.0], True, Scale(2)),
        ([0.001, 0.002], True, Scale(6)),  # two decimals would print nothing but zeros
        ([1e-7], True, Scale(3, -7)),
        ([3.2e15], True, Scale(3, 15)),
        ([], False, Scale(0)),
        ([0.0, None, math.nan], False, Scale(0)),
        ([12.345, 1.0], False, Scale(2)),
        ([1234.5], False, Scale(0)),
        ([0.012345], False, Scale(5)),
        ([5.0, 7.0], False, Scale(0)),
        ([123456789.5], False, Scale(3, 8)),
        ([2.5e-9, 1e-12], False, Scale(3, -9)),
    ],
)
def test_a_scale_is_chosen(values: list[float | None], known: bool, scale: Scale) -> None:
    assert scale_of(TOP1 if known else replace(TOP1, decimals=None), values) == scale


def test_means_that_happen_to_be_whole_numbers_keep_the_decimals_of_their_differences() -> None:
    whole = [estimate([11.0, 13.0], 2), estimate([12.0, 12.0], 2)]
    assert scale_of_means(placement(), whole, "tokens") == Scale(2)
    counts = [estimate([12.0, 12.0], 2), estimate([15.0, 15.0], 2), estimate([], 2)]
    assert scale_of_means(placement(), counts, "tokens") == Scale(0)


def test_a_column_of_means_has_decimals_enough_for_its_widest_interval() -> None:
    sharp = [estimate([96.20, 96.201, 96.202], 3), estimate([95.1, 95.1005, 95.101], 3)]
    scale = scale_of_means(placement(), sharp, "test/top1")
    assert scale == Scale(4)
    assert scale.number(sharp[0].half_width).digits == "0.0025"
    usual = [estimate([96.2, 96.4, 96.6], 3), sharp[1]]
    assert scale_of_means(placement(), usual, "test/top1") == Scale(2)


def test_a_power_of_ten_stands_in_the_unit() -> None:
    scale = Scale(3, -9)
    assert scale.unit("s") == "10⁻⁹ s"
    assert scale.unit("") == "10⁻⁹"
    assert scale.number(2.5e-9).digits == "2.500"
    assert Scale(3, 15).number(-3.2e15).digits == "-3.200"
    assert Scale(2).unit("img/s") == "img/s"
    assert Scale(2).number(None).digits == "–"


def test_the_smallest_and_the_largest_floats_are_written() -> None:
    for value in (5e-324, 1.7e308):
        scale = scale_of(replace(TOP1, decimals=None), [value])
        assert math.isfinite(float(scale.number(value).digits))
