from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.planning.design import cells, count
from cbablate.spec.design import DESIGNS

sizes = st.lists(st.integers(2, 4), max_size=5)
switches = st.integers(0, 7).map(lambda factors: [2] * factors)


def differing(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", DESIGNS)
@settings(deadline=None)
@given(switches)
def test_cells_are_distinct_levels_of_each_factor_and_counted_right(
    name: str, switched: list[int]
) -> None:
    drawn = cells(name, switched)
    assert len(set(drawn)) == len(drawn) == count(name, switched)
    assert all(len(cell) == len(switched) and set(cell) <= {0, 1} for cell in drawn)


@settings(deadline=None)
@given(sizes)
def test_a_factorial_has_every_combination_once_the_last_factor_fastest(
    levels: list[int],
) -> None:
    drawn = cells("factorial", levels)
    assert len(drawn) == math.prod(levels) == count("factorial", levels)
    assert drawn == sorted(set(drawn))
    assert all(index < size for cell in drawn for index, size in zip(cell, levels, strict=True))


@settings(deadline=None)
@given(sizes)
def test_one_at_a_time_changes_one_factor_of_the_baseline_in_each_arm(levels: list[int]) -> None:
    baseline, *changed = cells("one_at_a_time", levels)
    assert baseline == (0,) * len(levels)
    assert all(differing(baseline, cell) == 1 for cell in changed)
    assert len(set(changed)) == sum(size - 1 for size in levels)
    assert count("one_at_a_time", levels) == 1 + len(changed)


@settings(deadline=None)
@given(switches)
def test_leave_one_out_takes_each_factor_once_from_the_full_model(switched: list[int]) -> None:
    full, *others = cells("leave_one_out", switched)
    assert full == (1,) * len(switched)
    assert [cell.index(0) for cell in others] == list(range(len(switched)))
    assert all(differing(full, cell) == 1 for cell in others)


@settings(deadline=None)
@given(switches)
def test_cumulative_adds_one_factor_at_each_step_in_order(switched: list[int]) -> None:
    drawn = cells("cumulative", switched)
    assert [sum(cell) for cell in drawn] == list(range(len(switched) + 1))
    assert all(cell == tuple(sorted(cell, reverse=True)) for cell in drawn)


@pytest.mark.parametrize("name", DESIGNS)
def test_without_factors_there_is_one_cell(name: str) -> None:
    assert cells(name, []) == [()]
    assert count(name, []) == 1


@pytest.mark.parametrize("name", ["leave_one_out", "cumulative"])
def test_what_is_switched_has_two_levels(name: str) -> None:
    with pytest.raises(ValueError, match="exactly two levels"):
        cells(name, [2, 3])


def test_a_trillion_cells_are_counted_without_being_built() -> None:
    assert count("factorial", [10] * 12) == 10**12
