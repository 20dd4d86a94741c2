from __future__ import annotations

import random
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.replicates import Values
from cbablate.analysis.sequential import Decision, Looks, decisions, more, nominal_levels, spent
from tests.analysis.grid import facts_of, grid, laid

FIFTHS = (0.2, 0.4, 0.6, 0.8, 1.0)


def test_bounds_are_lan_and_demets_published_ones() -> None:
    bounds = [NormalDist().inv_cdf(1 - level / 2) for level in nominal_levels(FIFTHS)]
    assert bounds == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)


def test_all_of_alpha_is_spent_at_the_end_and_one_look_is_the_plain_test() -> None:
    assert spent(1.0) == pytest.approx(0.05)
    assert nominal_levels((1.0,)) == pytest.approx((0.05,), abs=1e-9)
    assert nominal_levels((1.0,), 0.01) == pytest.approx((0.01,), abs=1e-9)


def test_a_random_walk_leaves_the_bounds_as_often_as_alpha_says() -> None:
    levels = Looks(5, 15).levels()
    draw = np.random.default_rng(1)
    walks = np.cumsum(draw.standard_normal((40_000, 15)), axis=1)[:, 4:]
    z = np.abs(walks) / np.sqrt(np.arange(5, 16))
    bounds = [NormalDist().inv_cdf(1 - level / 2) for level in levels]
    assert np.mean((z >= bounds).any(axis=1)) == pytest.approx(0.05, abs=0.004)


@settings(deadline=None, max_examples=15)
@given(st.integers(2, 6), st.integers(2, 8), st.integers(2, 10))
def test_levels_grow_from_look_to_look_and_shrink_with_the_family(
    fewest: int, further: int, family: int
) -> None:
    looks = Looks(fewest, fewest + further)
    alone, shared = looks.levels(), looks.levels(0.05 / family)
    assert all(a < b for a, b in pairwise(alone))
    assert all(one <= other for one, other in zip(shared, alone, strict=True))
    assert alone[-1] < 0.05


def test_looks_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="not 1 to 5"):
        Looks(1, 5).levels()


def study(arms: int, n: int, seed: int, shift: float = 0.0, spread: float = 1.0) -> Values:
    draw = random.Random(seed)
    return {
        str(arm): {r: draw.gauss(shift * bool(arm), spread) for r in range(n)}
        for arm in range(arms + 1)
    }


def pairs(arms: int) -> list[tuple[str, str]]:
    return [(str(arm), "0") for arm in range(1, arms + 1)]


def test_null_studies_are_seldom_decided_though_they_are_looked_at_after_every_seed() -> None:
    looks, wrong, studies = Looks(5, 12), 0, 250
    for seed in range(studies):
        said = decisions(study(3, 12, seed), pairs(3), looks)
        wrong += any(one.claim for one in said.values())
    assert wrong / studies <= 0.05 + 2 * (0.05 * 0.95 / studies) ** 0.5


def test_a_large_effect_ends_early_and_a_decision_is_never_taken_back() -> None:
    looks = Looks(5, 20)
    for seed in range(20):
        found = study(2, 20, seed, shift=4.0)
        said = decisions(found, pairs(2), looks)
        assert {one.claim for one in said.values()} == {"differs"}
        assert max(one.pairs for one in said.values()) < 16
        for n in (said["1"].pairs, 14):
            early = {arm: {r: v for r, v in one.items() if r < n} for arm, one in found.items()}
            if said["1"].pairs <= n:
                assert decisions(early, pairs(2), looks)["1"] == said["1"]


def test_a_margin_decides_for_equivalence() -> None:
    said = decisions(study(2, 15, 1, spread=0.1), pairs(2), Looks(5, 15), margin=2.0)
    assert {one.claim for one in said.values()} == {"equivalent"}


def test_nothing_is_looked_at_before_all_open_arms_have_their_pairs() -> None:
    found = {arm: dict(one) for arm, one in study(2, 10, 1, shift=50.0).items()}
    found["2"] = {r: v for r, v in found["2"].items() if r < 4}
    said = decisions(found, pairs(2), Looks(5, 10))
    assert said == {"1": Decision(None, 10), "2": Decision(None, 4)}


def test_more_replicates_go_to_open_arms_and_their_reference_only() -> None:
    plan = grid(3, replicates=8, design="one_at_a_time")
    looks = Looks(5, 20)
    draw = random.Random(2)
    values = laid(plan, lambda at, _r: 300.0 * (at[0] == 1) + draw.gauss(0, 1))
    reference, large, none = (arm.id for arm in plan.arms)
    assert more(plan, [], looks) == dict.fromkeys((reference, large, none), 5)
    said = more(plan, facts_of(plan, values), looks)
    assert said == {reference: 9, large: 8, none: 9}
    assert more(plan, facts_of(plan, values), Looks(5, 8)) == {reference: 8, large: 8, none: 8}
