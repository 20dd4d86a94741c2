from __future__ import annotations

import math
import random

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.statistics.robust import (
    improvement,
    interquartile_mean,
    of_arm,
    performance_profile,
    probability_of_improvement,
    robust_mean,
)

numbers = st.integers(-50, 50).map(float)
tasks = st.lists(st.lists(numbers, min_size=1, max_size=6), min_size=1, max_size=4)


def test_the_interquartile_mean_by_hand() -> None:
    assert interquartile_mean([1, 2, 3, 100]) == 2.5
    assert interquartile_mean([5.0]) == 5.0
    assert interquartile_mean([-1000, 1, 2, 3, 4, 5, 6, 1000]) == pytest.approx(3.5)


@given(st.lists(numbers, min_size=1, max_size=40))
def test_the_interquartile_mean_is_scipys_trimmed_mean(values: list[float]) -> None:
    assert interquartile_mean(values) == pytest.approx(scipy.stats.trim_mean(values, 0.25))


def test_one_broken_task_hardly_moves_the_robust_mean() -> None:
    draw = random.Random(1)
    scores = [[draw.gauss(70, 1) for _ in range(5)] for _ in range(8)]
    broken = [*scores[:-1], [0.0] * 5]
    whole, hurt = robust_mean(scores, 1), robust_mean(broken, 1)
    assert abs(whole.value - hurt.value) < 1.0
    assert whole.low is not None
    assert whole.high is not None
    assert whole.low < whole.value < whole.high


def test_improvement_by_hand_and_as_mann_and_whitney_count() -> None:
    assert improvement([1, 2, 3], [0, 2, 4]) == pytest.approx((1 + 1.5 + 2) / 9)
    draw = random.Random(2)
    one, other = ([draw.gauss(0, 1) for _ in range(n)] for n in (7, 5))
    u = scipy.stats.mannwhitneyu(one, other).statistic
    assert improvement(one, other) == pytest.approx(u / 35)


@settings(deadline=None, max_examples=20)
@given(tasks, tasks)
def test_improving_and_being_improved_on_add_up_to_one(
    one: list[list[float]], other: list[list[float]]
) -> None:
    count = min(len(one), len(other))
    there = probability_of_improvement(one[:count], other[:count], 3, resamples=20)
    back = probability_of_improvement(other[:count], one[:count], 3, resamples=20)
    assert there.value + back.value == pytest.approx(1.0)


def test_a_profile_by_hand_weighs_tasks_alike_and_never_rises() -> None:
    said = performance_profile([[1, 2, 3, 4], [10]], [0, 2, 3.5, 20], 1, resamples=50)
    assert [one.value for one in said.shares] == [1.0, 0.75, 0.625, 0.0]
    draw = random.Random(4)
    scores = [[draw.gauss(0, 1) for _ in range(4)] for _ in range(3)]
    values = [
        s.value for s in performance_profile(scores, [-2, -1, 0, 1, 2], 1, resamples=5).shares
    ]
    assert values == sorted(values, reverse=True)


def test_seeds_are_drawn_within_their_task() -> None:
    said = probability_of_improvement([[1.0, 2.0], [10.0, 11.0]], [[0.0, 0.5], [12.0, 13.0]], 5)
    assert (said.value, said.low, said.high) == (0.5, 0.5, 0.5), "each task is won or lost surely"


def test_the_same_seed_gives_the_same_interval_and_pythons_own_generator_is_left_alone() -> None:
    draw = random.Random(9)
    scores = [[draw.gauss(0, 1) for _ in range(9)] for _ in range(2)]
    random.seed(3)
    before = random.getstate()
    assert robust_mean(scores, 7) == robust_mean(scores, 7) != robust_mean(scores, 8)
    assert random.getstate() == before


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draw, held = random.Random(6), 0
    for seed in range(60):
        one, other = ([[draw.gauss(0, 1) for _ in range(8)] for _ in range(5)] for _ in range(2))
        said = probability_of_improvement(one, other, seed, resamples=100)
        assert said.low is not None
        assert said.high is not None
        held += said.low <= 0.5 <= said.high
    assert 0.85 <= held / 60 <= 1.0


def test_what_cannot_be_summarised_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        robust_mean([[1.0], []], 1)
    with pytest.raises(ValueError, match="not finite"):
        robust_mean([[math.nan]], 1)
    with pytest.raises(ValueError, match="2 tasks cannot be compared with 1"):
        probability_of_improvement([[1.0], [1.0]], [[1.0]], 1)
    assert robust_mean([[1.0], [2.0]], 1).low is None, "one seed a task tells no spread"


def test_scores_of_an_arm_come_out_of_a_matrix_of_tasks_arms_and_seeds() -> None:
    matrix = {"b": {"x": {1: 2.0, 0: 1.0}}, "a": {"x": {0: 9.0}, "y": {0: 3.0}}}
    assert of_arm(matrix, "x") == [[9.0], [1.0, 2.0]]
    with pytest.raises(LookupError, match="'y' has no value of b"):
        of_arm(matrix, "y")
