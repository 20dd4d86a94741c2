from __future__ import annotations

import itertools
import math
import random

import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.designs.components import components, pairs, ratio_interval, shapley
from cbablate.errors import CbablateError
from cbablate.statistics.estimate import estimate
from tests.analysis.grid import grid, laid


def subsets(players: int) -> list[frozenset[int]]:
    return [
        frozenset(one)
        for size in range(players + 1)
        for one in itertools.combinations(range(players), size)
    ]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.integers(0, 99))
def test_shapley_values_are_the_mean_addition_over_all_orders_and_add_up(
    players: int, seed: int
) -> None:
    draw = random.Random(seed)
    worth = {on: draw.gauss(0, 1) for on in subsets(players)}
    orders = [*itertools.permutations(range(players))]
    for player, value in enumerate(said := shapley(worth, players)):
        before = [frozenset(one[: one.index(player)]) for one in orders]
        added = [worth[others | {player}] - worth[others] for others in before]
        assert value == pytest.approx(math.fsum(added) / len(orders), abs=1e-12)
    whole = worth[frozenset(range(players))] - worth[frozenset()]
    assert math.fsum(said) == pytest.approx(whole, abs=1e-12)


def test_the_glove_game_gives_its_known_values() -> None:
    worth = {on: float(2 in on and len(on) > 1) for on in subsets(3)}
    assert shapley(worth, 3) == pytest.approx([1 / 6, 1 / 6, 2 / 3])


def test_a_factorial_tells_alone_left_out_and_shapley_with_the_interval_over_seeds() -> None:
    plan = grid(2, 2, replicates=5)
    draw = random.Random(1)
    found = laid(
        plan, lambda at, _r: 1.0 * at[0] + 0.5 * at[1] - 0.4 * at[0] * at[1] + draw.gauss(0, 0.1)
    )
    said = components(plan, found, "test/score")
    none, start, ceiling, both = (found[arm.id] for arm in plan.arms)
    first = said.components[0]
    own = [(ceiling[r] - none[r] + both[r] - start[r]) / 2 for r in range(5)]
    low, high = scipy.stats.ttest_1samp(own, 0).confidence_interval(0.95)
    assert first.shapley is not None
    assert first.shapley.mean == pytest.approx(math.fsum(own) / 5)
    assert (first.shapley.low, first.shapley.high) == pytest.approx((low, high), rel=1e-9)
    assert first.alone == estimate([ceiling[r] - none[r] for r in range(5)], 5)
    assert first.last == estimate([both[r] - start[r] for r in range(5)], 5)
    assert said.whole is not None
    assert said.whole.mean is not None
    total = [one.shapley.mean for one in said.components if one.shapley]
    assert math.fsum(one for one in total if one is not None) == pytest.approx(said.whole.mean)
    shares = [one.share[0] for one in said.components if one.share]
    assert math.fsum(shares) == pytest.approx(1.0)


def test_the_ends_of_fiellers_interval_are_the_ratios_that_a_t_test_just_allows() -> None:
    draw = random.Random(3)
    wholes = [draw.gauss(2, 0.5) for _ in range(6)]
    parts = [0.4 * whole + draw.gauss(0, 0.2) for whole in wholes]
    ends = ratio_interval(parts, wholes)
    assert ends is not None
    for end in ends:
        rest = [part - end * whole for part, whole in zip(parts, wholes, strict=True)]
        assert scipy.stats.ttest_1samp(rest, 0).pvalue == pytest.approx(0.05, abs=1e-9)
    assert ratio_interval(parts, [w - 2 for w in wholes]) is None, "a whole that may be zero"
    assert ratio_interval([1.0], [2.0]) is None


def test_leave_one_out_and_cumulative_say_only_what_they_can() -> None:
    worth = {(): 1.0, (1,): 1.5, (0,): 2.0, (0, 1): 2.25}
    value = lambda at, r: worth[tuple(i for i, on in enumerate(at) if on)] + r  # noqa: E731 - a table
    lost = components(
        grid(2, 2, design="leave_one_out"), laid(grid(2, 2, design="leave_one_out"), value), "m"
    )
    assert [one.last and one.last.mean for one in lost.components] == [0.75, 0.25]
    assert all(one.shapley is one.alone is one.next is None for one in lost.components)
    assert lost.whole is None
    plan = grid(2, 2, design="cumulative")
    steps = components(plan, laid(plan, value), "m")
    assert [one.next and one.next.mean for one in steps.components] == [1.0, 0.25]
    assert steps.whole is not None
    assert steps.whole.mean == 1.25


def test_what_has_no_components_is_refused_with_the_reason() -> None:
    for plan, reason in (
        (grid(2, 2, design="one_at_a_time"), "changes one thing at a time"),
        (grid(2, 2, 2, design="plackett_burman"), "changes several factors at once: .*--effects"),
        (grid(2, 2, 2, 2, design="fractional"), "changes several factors at once: .*--effects"),
        (grid(2, 3), "start has more"),
        (grid(2, factors=()), "none"),
    ):
        with pytest.raises(CbablateError, match=reason):
            components(plan, laid(plan, lambda _at, _r: 0.0), "m")
    plan = grid(2, 2)
    found = laid(plan, lambda _at, _r: 0.0)
    found[plan.arms[0].id].clear()
    with pytest.raises(CbablateError, match="no replicate has been completed in all 4 arms"):
        components(plan, found, "m")


def test_a_pairs_deviation_from_adding_up_is_tested_over_seeds_and_corrected_over_pairs() -> None:
    plan = grid(2, 2, 2, replicates=6)
    draw = random.Random(2)
    found = laid(plan, lambda at, _r: sum(at) - 0.8 * at[0] * at[2] + draw.gauss(0, 0.05))
    told = {one.names: one for one in pairs(plan, found, "m")}
    assert list(told) == [("ceiling", "start"), ("ceiling", "rate"), ("start", "rate")]
    cells = {tuple(level.split()[-1] for level in arm.levels.values()): arm.id for arm in plan.arms}
    none, a, c, both = (found[cells[tuple(at)]] for at in ("000", "100", "001", "101"))
    gaps = [both[r] - a[r] - c[r] + none[r] for r in range(6)]
    one = told["ceiling", "rate"].deviation
    assert one.difference == pytest.approx(math.fsum(gaps) / 6)
    assert one.p == pytest.approx(scipy.stats.ttest_1samp(gaps, 0).pvalue, rel=1e-9)
    assert one.p is not None
    assert one.p_adjusted == pytest.approx(1 - (1 - one.p) ** 3)
    assert one.family == 3


def test_levels_are_named_where_a_factor_has_more_than_two_and_one_factor_has_no_pair() -> None:
    plan = grid(3, 2)
    names = [one.names for one in pairs(plan, laid(plan, lambda _at, r: float(r)), "m")]
    assert names == [("ceiling ceiling 1", "start"), ("ceiling ceiling 2", "start")]
    with pytest.raises(CbablateError, match="no pair of two"):
        pairs(grid(2), laid(grid(2), lambda _at, r: float(r)), "m")
