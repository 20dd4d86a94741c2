"""Cells: numbers are formatted once, without surprises."""

# ruff: noqa: RUF001 - dashes and minus signs are what is printed

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.reporting.model.cell import (
    Count,
    Number,
    Probability,
    Range,
    Spread,
    hyphened,
    significant,
)


@pytest.mark.parametrize(
    ("value", "decimals", "signed", "digits", "plain"),
    [
        (-0.0, 3, False, "0.000", "0.000"),
        (-0.0004, 3, True, "0.000", "0.000"),
        (0.9999999, 3, False, "1.000", "1.000"),
        (0.42, 2, True, "+0.42", "+0.42"),
        (-0.42, 2, True, "-0.42", "−0.42"),
        (1234.0, 0, False, "1234", "1234"),
        (115210.0, 0, False, "115210", "115,210"),
        (-1234567.891, 1, False, "-1234567.9", "−1,234,567.9"),
        (math.nan, 2, False, "–", "–"),
        (math.inf, 2, True, "–", "–"),
        (None, 2, False, "–", "–"),
    ],
)
def test_a_number_is_written(
    value: float | None, decimals: int, signed: bool, digits: str, plain: str
) -> None:
    number = Number(value, decimals, signed)
    assert (number.digits, number.plain) == (digits, plain)


@given(st.floats(-1e12, 1e12), st.integers(0, 6), st.booleans())
def test_digits_read_back_as_the_rounded_value(value: float, decimals: int, signed: bool) -> None:
    number = Number(value, decimals, signed)
    assert float(number.digits) == pytest.approx(value, rel=1e-12, abs=0.5000001 * 10.0**-decimals)
    assert float(number.plain.replace(",", "").replace("−", "-")) == float(number.digits)
    assert not number.digits.startswith("-") or float(number.digits) < 0


@pytest.mark.parametrize(
    ("value", "plain"), [(3e7, "+3.0×10⁷"), (-1.27e-9, "−1.3×10⁻⁹"), (0.0, "0")]
)
def test_a_number_far_from_all_others_has_a_power_of_its_own(value: float, plain: str) -> None:
    number = Number(value, 1, signed=True, apart=True)
    assert number.plain == plain
    assert not number.aligned


def test_a_sentence_has_the_minus_of_the_table_and_programs_have_a_hyphen() -> None:
    assert significant(-0.03123, 3) == "−0.0312"
    assert significant(1.234e-7, 3, signed=True) == "+1.23×10⁻⁷"
    assert hyphened("undecided (−0.42 to −.1), a−b, − x") == "undecided (-0.42 to -.1), a−b, − x"


@pytest.mark.parametrize(
    ("p", "plain"),
    [
        (0.0, "<0.001"),
        (0.000999, "<0.001"),
        (0.001, "0.001"),
        (0.0123, "0.012"),
        (0.04996, "<0.050"),
        (0.05, "0.050"),
        (0.0501, "0.050"),
        (1.0, "1.000"),
    ],
)
def test_a_p_value_never_rounds_across_the_threshold(p: float, plain: str) -> None:
    assert Probability(p).plain == plain


def test_missing_replicates_are_visible() -> None:
    assert Count(3, 5).plain == "3/5"
    assert Count(5, 5).plain == "5"
    assert Count(0, 5).plain == "0/5"


def test_compound_cells_read_as_a_line() -> None:
    assert Spread(Number(96.2, 2), Number(0.314, 2), "†").plain == "96.20 ± 0.31 †"
    assert Spread(Number(7.0)).plain == "7"
    assert Range(Number(2134.0), Number(2101.0), Number(12160.0)).plain == "2134 (2101–12,160)"
