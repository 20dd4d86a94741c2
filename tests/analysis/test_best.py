"""What may stand in bold: the best arm, and those that are not worse for sure."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.designs.best import best_arms
from cbablate.analysis.summary import summarize
from cbablate.planning.plan import Plan
from tests.analysis.fabrication import FROZEN, Telling, placement
from tests.analysis.grid import facts_of, grid, laid


def bold(values: Mapping[int, Sequence[float]], plan: Plan) -> list[int]:
    """The places of the arms that are bold, of arms with these values of the primary metric."""
    telling = Telling()
    telling.session()
    for trial in plan.trials:
        place = [arm.id for arm in plan.arms].index(trial.arm)
        if trial.replicate < len(values[place]) and not math.isnan(values[place][trial.replicate]):
            telling.complete(trial, {plan.study.report[0]: values[place][trial.replicate]})
    found = best_arms(plan, summarize(plan, telling.facts))
    return [place for place, arm in enumerate(plan.arms) if arm.id in found]


NOISE = (0.0, 0.3, -0.2, 0.1, -0.1, 0.25, -0.3)
OTHER = (0.1, -0.2, 0.2, -0.1, 0.3, -0.3, 0.05)
PLAN = placement(replicates=7, names=("a", "b"), report=("test/top1",), description=FROZEN)
LARGE = placement(replicates=7, report=("test/top1",), description=FROZEN)


def around(*means: float) -> dict[int, list[float]]:
    noises = (NOISE, OTHER, NOISE[::-1], OTHER[::-1], NOISE[3:] + NOISE[:3])
    return {place: [mean + noises[place][i] for i in range(7)] for place, mean in enumerate(means)}


def test_an_arm_that_is_worse_for_sure_is_not_bold_and_one_that_is_not_is() -> None:
    assert bold(around(90, 95, 95.02, 85, 90), LARGE) == [1, 2]
    assert bold(around(90, 93, 99), PLAN) == [2]


def test_of_two_arms_between_which_an_interval_leaves_out_0_only_the_better_one_may_be_bold() -> (
    None
):
    plan, some = grid(7, replicates=9, design="one_at_a_time"), 0
    for seed in (*range(20), 25, 122, 157):  # of the last three one had both bold
        draw = random.Random(seed)
        shifts = [draw.choice((0, 0, 1, 2, 3)) for _ in plan.arms]
        values = laid(plan, lambda at, _r: shifts[at[0]] + draw.gauss(0, 1))  # noqa: B023 - used at once
        summary = summarize(plan, facts_of(plan, values))
        shown = best_arms(plan, summary)
        some += bool(shown)
        for one in summary.arms[1:]:
            said = one.contrasts["test/score"]
            worse = one.arm.id if (said.difference or 0.0) < 0 else said.against
            assert not (said.excludes_zero and worse in shown)
    assert some


def test_where_more_than_half_would_be_bold_nothing_is() -> None:
    assert bold(around(90, 95, 95.02), PLAN) == []
    assert bold(around(95, 95.02, 90, 94.98, 95), LARGE) == []


def test_an_arm_with_too_few_pairs_is_never_bold() -> None:
    few = around(90, 92, 50, 85, 84)
    few[2] = few[2][:3]
    assert bold(few, LARGE) == [1]
    few[2] = [99.0] * 3  # nor is another the best while this one's mean is higher
    assert bold(few, LARGE) == []


def test_the_best_mean_is_not_bold_if_it_has_too_few_pairs_with_what_it_is_compared_with() -> None:
    values = around(90, 99, 80, 85, 84)
    assert bold(values, LARGE) == [1]
    values[0][0] = values[1][1] = math.nan  # six seeds each, and five of both
    assert bold(values, LARGE) == []


def test_nothing_is_bold_beside_findings_that_claim_no_difference() -> None:
    # the best and the worst differ for sure, none from the baseline between them
    noise = [[3.0 * one for one in noise] for noise in (NOISE, OTHER)]
    values = {0: [95 + one for one in noise[0]], 1: [95.4 + one for one in noise[1]]}
    values[2] = [one - 0.8 for one in values[1]]
    values[2][0] += 0.01
    assert bold(values, PLAN) == []


def test_nothing_is_bold_where_all_might_be_the_best() -> None:
    assert bold(around(95, 95.02, 95.01), PLAN) == []
    few = {place: values[:3] for place, values in around(90, 93, 99).items()}
    assert bold(few, PLAN) == []


def test_nothing_is_bold_without_a_direction_or_a_metric_of_trials() -> None:
    for report in ("attention/entropy", "throughput/train"):
        plan = placement(replicates=7, names=("a", "b"), report=(report,), description=FROZEN)
        assert bold(around(1, 2, 3), plan) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 9), min_size=3, max_size=3))
def test_the_best_mean_is_bold_if_anything_is_and_never_every_arm(means: list[float]) -> None:
    values = around(*means)
    found = bold(values, PLAN)
    best = max(values, key=lambda place: sum(values[place]))
    assert not found or best in found
    assert len(found) < 3


@pytest.mark.slow
@pytest.mark.parametrize(("arms", "n"), [(2, 6), (4, 20), (10, 8)])
def test_of_equal_arms_one_is_not_bold_in_at_most_5_percent_of_tables(arms: int, n: int) -> None:
    plan, studies, left_out = grid(arms + 1, replicates=n, design="one_at_a_time"), 300, 0
    for seed in range(studies):
        draw = random.Random(seed)
        shared = [draw.gauss(0, 1) for _ in range(n)]
        values = laid(plan, lambda _at, r: shared[r] + draw.gauss(0, 1))  # noqa: B023 - used at once
        left_out += bool(best_arms(plan, summarize(plan, facts_of(plan, values))))
    assert left_out / studies <= 0.05
