from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cbablate.planning.search_turns import most_each, turn, wanted
from cbablate.spec.sweep import Parameter, Stop, Sweep


def sweep(trials: int, stop: Stop | None = None) -> Sweep:
    space = {"x": Parameter(kind="float", low=0.0, high=1.0)}
    return Sweep(name="s", space=space, trials=trials, stop=stop)


@given(st.integers(1, 9), st.integers(1, 7), st.integers(1, 40))
def test_arms_take_turns_until_each_has_all_and_a_total_is_never_exceeded(
    trials: int, arms: int, total: int
) -> None:
    asked = sweep(trials, Stop(trials=total))
    counts = [0] * arms
    while (index := turn(asked, counts)) is not None:
        counts[index] += 1
        assert max(counts) - min(counts) <= 1
    assert set(counts) == {most_each(asked, arms)}
    assert sum(counts) <= max(total, arms)
    assert counts[0] <= trials


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 30))
def test_when_the_hours_are_spent_every_arm_is_brought_to_the_same_number(
    trials: int, arms: int, spent_after: int
) -> None:
    asked = sweep(trials, Stop(hours=1.0))
    counts = [0] * arms
    while True:
        hours = 1.0 if sum(counts) >= spent_after else 0.5
        index = turn(asked, counts, hours=hours)
        if index is None:
            break
        counts[index] += 1
    assert len(set(counts)) == 1
    assert counts[0] == min(trials, -(-spent_after // arms))
    assert wanted(asked, counts, hours=1.0) == counts[0]


def test_gpu_hours_stop_a_search_and_hours_are_not_taken_for_them() -> None:
    asked = sweep(5, Stop(gpu_hours=1.0))
    assert turn(asked, [1, 1], hours=9.0, gpu_hours=0.0) == 0
    assert turn(asked, [1, 1], gpu_hours=1.0) is None
    assert turn(asked, [2, 1], gpu_hours=1.0) == 1
