"""Constraints: comparisons that are read by us and never evaluated as Python."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.spec.constraint import parsed

NUMBERS = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("text", "values", "violation"),
    [
        ("optimizer.lr * batch_size <= 1", {"optimizer.lr": 0.01, "batch_size": 64}, -0.36),
        ("params <= 1e6", {"params": 2e6}, 1e6),
        ("90 <= val/top1", {"val/top1": 88.5}, 1.5),
        ("a / b >= 2", {"a": 4.0, "b": 2.0}, 0.0),
        ("0.1 <= a <= 1", {"a": 3.0}, 2.0),
        ("-a ** 2 < 0", {"a": 3.0}, -9.0),
        ("(a + b) * 2 - 1 > .5", {"a": 1.0, "b": 1.0}, -2.5),
    ],
)
def test_a_violation_is_how_far_it_is_from_holding(
    text: str, values: dict[str, float], violation: float
) -> None:
    assert parsed(text).violation(values) == pytest.approx(violation)


@given(NUMBERS, NUMBERS)
def test_it_agrees_with_the_comparison_it_writes(a: float, b: float) -> None:
    values = {"a": a, "b": b}
    for sign, holds in (("<=", a <= b), ("<", a < b), (">=", a >= b), (">", a > b)):
        assert (parsed(f"a {sign} b").violation(values) <= 0) == holds


@pytest.mark.parametrize("text", ["a / b <= 1", "a ** b <= 1", "b ** 1e300 * a ** -1 < 1"])
def test_what_is_undefined_is_broken_beyond_measure(text: str) -> None:
    values = {"a": -8.0, "b": 0.0} if "/" in text else {"a": -8.0, "b": 0.5}
    if "1e300" in text:
        values = {"a": 0.0, "b": 10.0}
    assert parsed(text).violation(values) == math.inf


def test_a_slash_between_words_belongs_to_a_name_and_one_with_spaces_divides() -> None:
    assert parsed("val/top1 >= 90").names == ("val/top1",)
    assert parsed("val / top1 >= 90").names == ("val", "top1")


def test_it_applies_only_where_every_name_has_a_number() -> None:
    found = parsed("a + b <= 1")
    assert found.applies({"a": 1, "b": 2.0})
    for missing in ({"a": 1}, {"a": 1, "b": "x"}, {"a": 1, "b": None}, {"a": 1, "b": True}):
        assert not found.applies(missing)
        with pytest.raises(KeyError, match="b"):
            found.violation(missing)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a +", "a == 1", "a != 1", "a = 1", "max(a, b) < 1", "a and b < 1"),
        *("(a < b) < 1", "a[0] < 1", "__import__('os').system('x') < 1", "a.b() < 1", "a; b < 1"),
        *("a < 1e999", "a < 'x'", "lambda: a < 1", "a if b else c < 1", "a < b\n< ", "[a] < 1"),
        *("a % 2 < 1", "a // 2 < 1", "a @ b < 1", "~a < 1", "not a < 1", "a <= ...", "a" * 300),
    ],
)
def test_what_is_no_comparison_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(text)


@given(st.text(alphabet="ab.1/ ()<>=+-*e_,'\"[]:\\", max_size=30))
def test_any_text_is_a_constraint_or_refused(text: str) -> None:
    try:
        found = parsed(text)
    except ValueError:
        return
    assert isinstance(found.violation(dict.fromkeys(found.names, 0.5)), float)
