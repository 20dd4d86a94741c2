from __future__ import annotations

import math
import random
from collections.abc import Sequence

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


def by_seed(scores: Sequence[Sequence[float]]) -> list[dict[int, float]]:
    return [dict(enumerate(task)) for task in scores]


def test_the_interquartile_mean_by_hand() -> None:
    assert interquartile_mean([1, 2, 3, 100]) == 2.5
    assert interquartile_mean([5.0]) == 5.0
    assert interquartile_mean([-1000, 1, 2, 3, 4, 5, 6, 1000]) == pytest.approx(3.5)


@given(st.lists(numbers, min_size=1, max_size=40))
def test_the_interquartile_mean_is_scipys_trimmed_mean(values: list[float]) -> None:
    assert interquartile_mean(values) == pytest.approx(scipy.stats.trim_mean(values, 0.25))


def test_one_broken_task_hardly_moves_the_robust_mean() -> None:
    draw = random.Random(1)
    scores = by_seed([[draw.gauss(70, 1) for _ in range(5)] for _ in range(8)])
    broken = [*scores[:-1], dict.fromkeys(range(5), 0.0)]
    whole, hurt = robust_mean(scores), robust_mean(broken)
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
    mine, theirs = by_seed(one[:count]), by_seed(other[:count])
    there = probability_of_improvement(mine, theirs)
    back = probability_of_improvement(theirs, mine)
    assert there.value + back.value == pytest.approx(1.0)
    assert (there.low is None) == (back.low is None)
    if there.low is not None and back.high is not None:
        assert there.low + back.high == pytest.approx(1.0)


def test_a_profile_by_hand_weighs_tasks_alike_and_never_rises() -> None:
    said = performance_profile(by_seed([[1, 2, 3, 4], [10]]), [0, 2, 3.5, 20])
    assert [one.value for one in said.shares] == [1.0, 0.75, 0.625, 0.0]
    draw = random.Random(4)
    scores = by_seed([[draw.gauss(0, 1) for _ in range(4)] for _ in range(3)])
    values = [s.value for s in performance_profile(scores, [-2, -1, 0, 1, 2]).shares]
    assert values == sorted(values, reverse=True)


def test_a_seed_is_left_out_of_all_tasks_at_once() -> None:
    """Where all tasks are one training's, they tell as much as one of them."""
    of_seed = [59.1, 60.3, 61.0, 59.8, 60.6, 58.9]
    one, eight = robust_mean(by_seed([of_seed])), robust_mean(by_seed([of_seed] * 8))
    assert one.low is not None
    assert one.high is not None
    assert eight.low is not None
    assert eight.high is not None
    assert eight.high - eight.low > 0.8 * (one.high - one.low)


def test_seeds_that_all_say_the_same_have_no_interval() -> None:
    mine, theirs = by_seed([[1.0, 2.0], [10.0, 11.0]]), by_seed([[0.0, 0.5], [12.0, 13.0]])
    said = probability_of_improvement(mine, theirs)
    assert (said.value, said.low, said.high) == (0.5, None, None), "each task is won or lost surely"


def drawn(draw: random.Random, n: int, tasks: int, shared: list[float]) -> list[dict[int, float]]:
    """Scores of which half of the variance is the training's own, and a part is of its seed."""
    own = [s + draw.gauss(0, 1) for s in shared]
    return [{r: own[r] + draw.gauss(0, 1) for r in range(n)} for _ in range(tasks)]


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 6, 10])
def test_intervals_hold_where_one_training_gives_all_tasks(n: int) -> None:
    draw, studies = random.Random(6), 400
    held, seen = [0, 0], 0
    for _ in range(studies):
        shared = [draw.gauss(0, 0.5) for _ in range(n)]
        one, other = (drawn(draw, n, 8, shared) for _ in range(2))
        mean, wins = robust_mean(one), probability_of_improvement(one, other)
        assert mean.low is not None
        assert mean.high is not None
        held[0] += mean.low <= 0 <= mean.high
        if wins.low is not None and wins.high is not None:
            seen += 1
            held[1] += wins.low <= 0.5 <= wins.high
    assert held[0] / studies >= 0.92
    assert held[1] / seen >= 0.92


def test_what_cannot_be_summarised_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        robust_mean(by_seed([[1.0], []]))
    with pytest.raises(ValueError, match="not finite"):
        robust_mean(by_seed([[math.nan]]))
    with pytest.raises(ValueError, match="2 tasks cannot be compared with 1"):
        probability_of_improvement(by_seed([[1.0], [1.0]]), by_seed([[1.0]]))
    assert robust_mean(by_seed([[1.0], [2.0]])).low is None, "one seed a task tells no spread"


def test_scores_of_an_arm_come_out_of_a_matrix_of_tasks_arms_and_seeds() -> None:
    matrix = {"b": {"x": {1: 2.0, 0: 1.0}}, "a": {"x": {0: 9.0}, "y": {0: 3.0}}}
    assert of_arm(matrix, "x") == [{0: 9.0}, {1: 2.0, 0: 1.0}]
    with pytest.raises(LookupError, match="'y' has no value of b"):
        of_arm(matrix, "y")
