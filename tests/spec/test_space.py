"""Spaces: which values there are, as the decimal numbers that a sweep file says."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.fingerprint import canonical
from cbablate.spec.space import active, among, cells, count, draw, nearest, value_at, values_of
from cbablate.spec.sweep import Parameter


def stepped(low: str, step: str, number: int) -> tuple[Parameter, list[float]]:
    """A parameter of so many steps, and its values by pen and paper."""
    by_hand = [Decimal(low) + index * Decimal(step) for index in range(number + 1)]
    parameter = Parameter(
        kind="float", low=float(low), high=float(by_hand[-1]), step=float(Decimal(step))
    )
    return parameter, [float(one) for one in by_hand]


SHORT = st.integers(-(10**6), 10**6).map(lambda n: str(Decimal(n) / 1000))
STEP = st.integers(1, 10**5).map(lambda n: str(Decimal(n) / 1000))


@given(SHORT, STEP, st.integers(1, 400))
def test_every_step_lies_at_the_decimal_number_that_a_person_would_write(
    low: str, step: str, number: int
) -> None:
    parameter, by_hand = stepped(low, step, number)
    assert values_of(parameter) == by_hand
    assert count(parameter) == number + 1
    assert by_hand[-1] == parameter.high


@given(SHORT, STEP, st.integers(1, 400), st.integers(0, 400), st.integers(0, 2**32))
def test_a_value_that_floating_point_put_beside_its_step_is_put_on_it(
    low: str, step: str, number: int, index: int, seed: int
) -> None:
    parameter, by_hand = stepped(low, step, number)
    index = min(index, number)
    assert nearest(parameter, float(low) + index * float(step)) == by_hand[index]
    assert value_at(parameter, index) == by_hand[index]
    assert draw({"a": parameter}, random.Random(seed))["a"] in by_hand


def test_three_steps_of_a_fifth_are_at_six_tenths() -> None:
    parameter = Parameter(kind="float", low=0.0, high=0.6, step=0.2)
    assert values_of(parameter) == [0.0, 0.2, 0.4, 0.6]
    assert [cell["a"] for cell in cells({"a": parameter})] == [0.0, 0.2, 0.4, 0.6]


def test_a_step_that_no_decimal_number_ends_still_ends_at_the_upper_end() -> None:
    parameter = Parameter(kind="float", low=0.0, high=1.0, step=0.3333333333)
    assert values_of(parameter) == [0.0, 0.3333333333, 0.6666666666, 1.0]


def test_the_least_and_the_largest_numbers_have_steps_too() -> None:
    tiny = Parameter(kind="float", low=0.0, high=1.5e-323, step=5e-324)
    assert values_of(tiny) == [0.0, 5e-324, 1e-323, 1.5e-323]
    huge = Parameter(kind="float", low=-1e308, high=0.5e308, step=0.5e308)
    assert values_of(huge) == [-1e308, -0.5e308, 0.0, 0.5e308]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 0.5, "1", "true"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)


@given(PLAIN, st.lists(PLAIN, max_size=4))
def test_values_are_told_apart_as_a_config_tells_them(value: object, others: list[object]) -> None:
    assert among(value, others) == (canonical(value) in map(canonical, others))


@pytest.mark.parametrize(
    ("one", "other"), [*itertools.permutations([0, False, "0", [0], [False]], 2)]
)
def test_a_condition_on_one_value_does_not_hold_at_another_that_python_calls_equal(
    one: object, other: object
) -> None:
    dependent = Parameter(kind="int", low=1, high=2, when={"a": (one,)})
    assert active(dependent, {"a": one})
    assert not active(dependent, {"a": other})
