from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.planning.design import cells, count
from cbablate.planning.screening import aliases, columns, fractional, plackett_burman, runs


def signs(drawn: list[tuple[int, ...]]) -> list[list[int]]:
    """One column of +1 and -1 a factor."""
    return [[2 * cell[i] - 1 for cell in drawn] for i in range(len(drawn[0]))]


def product(*several: list[int]) -> int:
    total = 0
    for row in zip(*several, strict=True):
        value = 1
        for one in row:
            value *= one
        total += value
    return total


@pytest.mark.parametrize("make", [fractional, plackett_burman])
@pytest.mark.parametrize("factors", [1, 2, 3, 4, 5, 7, 8, 11, 16, 19, 23, 32, 47])
def test_every_factor_is_on_in_half_of_the_arms_and_all_pairs_of_factors_are_orthogonal(
    make: object, factors: int
) -> None:
    drawn = make(factors)  # type: ignore[operator]  # one of the two
    design = "fractional" if make is fractional else "plackett_burman"
    assert len(drawn) == len({*drawn}) == runs(design, factors) == count(design, [2] * factors)
    assert drawn[0] == (0,) * factors, "the baseline comes first"
    columns_ = signs(drawn)
    assert all(sum(column) == 0 for column in columns_)
    assert all(product(a, b) == 0 for a, b in itertools.combinations(columns_, 2))


@pytest.mark.parametrize(
    ("factors", "arms"), [(3, 8), (4, 8), (5, 16), (6, 16), (8, 16), (9, 32), (16, 32)]
)
def test_a_fraction_is_as_small_as_resolution_four_allows(factors: int, arms: int) -> None:
    assert runs("fractional", factors) == arms


@pytest.mark.parametrize(
    ("factors", "arms"), [(2, 4), (3, 4), (7, 8), (8, 12), (11, 12), (12, 20), (19, 20), (23, 24)]
)
def test_plackett_and_burmans_arms_are_a_multiple_of_four(factors: int, arms: int) -> None:
    assert runs("plackett_burman", factors) == arms


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 20))
def test_in_a_fraction_no_factor_is_aliased_with_a_pair_of_others(factors: int) -> None:
    by_factor = signs(fractional(factors))
    for one, (a, b) in itertools.product(
        range(min(factors, 8)), itertools.combinations(range(factors), 2)
    ):
        if one not in (a, b):
            assert product(by_factor[one], by_factor[a], by_factor[b]) == 0


def test_a_half_fraction_of_five_has_resolution_five() -> None:
    assert columns(5) == (1, 2, 4, 8, 15)
    assert "resolution V or more" in next(iter(aliases("fractional", "abcde")))


def test_the_quarter_fraction_of_six_has_the_three_words_of_least_aberration() -> None:
    by_factor = signs(fractional(6))
    words = [
        four
        for four in itertools.combinations(range(6), 4)
        if abs(product(*(by_factor[i] for i in four))) == 16
    ]
    assert len(words) == 3


def test_the_aliases_that_are_said_are_those_of_the_arms() -> None:
    names = ["a", "b", "c", "d"]
    said = " ".join(aliases("fractional", names))
    assert "2^(4-1), resolution IV: 8 of 16" in said
    assert "d is on where an odd number of a, b and c are" in said
    assert "a \u00d7 b = c \u00d7 d" in said
    a, b, c, d = signs(fractional(4))
    assert product(a, b, c, d) == 8


def test_plackett_and_burmans_design_says_how_much_is_mixed() -> None:
    names = [f"f{i}" for i in range(9)]
    (said,) = aliases("plackett_burman", names)
    assert "12 arms" in said
    assert "at most 0.33 of each" in said
    by_factor = signs(plackett_burman(9))
    largest = max(abs(product(*three)) for three in itertools.combinations(by_factor, 3))
    assert largest / 12 == pytest.approx(1 / 3)


def test_few_factors_are_a_full_factorial_and_nothing_is_aliased() -> None:
    assert sorted(cells("fractional", [2, 2, 2])) == sorted(itertools.product((0, 1), repeat=3))
    assert list(aliases("fractional", ["a", "b", "c"])) == [
        "All combinations are arms: nothing is aliased."
    ]
