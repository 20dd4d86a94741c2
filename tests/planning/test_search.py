"""Several searches of an arm: whose seeds are whose, and which replicate is at what was chosen."""

from __future__ import annotations

import pytest

from cbablate.errors import StudyError
from cbablate.planning.plan import Plan
from cbablate.planning.search import searches
from cbablate.planning.trial import replicate_seed, tuning_seed
from cbablate.planning.tuned_plan import confirmed, tuned_rows, versus_fixed
from cbablate.spec.analysis import Analysis
from cbablate.spec.sweep import Stop
from tests.analysis.tuned import sweep, tuned, tuned_toys
from tests.toys import toy_plan

FLIPS = Analysis(test="sign_flip")


def asked(many: int, *levels: dict[str, object], replicates: int = 12) -> Plan:
    return tuned_toys(*(levels or ({"ceiling": 2.0},)), searches=many, replicates=replicates)


def chosen(plan: Plan) -> dict[str, dict[str, float]]:
    """A proposal for each search, of a rate of its own."""
    return {one.id: {"rate": 0.1 + place / 100} for place, one in enumerate(searches(plan))}


def test_the_first_of_several_searches_is_the_one_that_an_arm_has_alone() -> None:
    alone, three = searches(asked(1)), searches(asked(3))
    assert [one.id for one in three if one.index == 0] == [one.id for one in alone]
    assert [one.seed for one in three if one.index == 0] == [one.seed for one in alone]
    assert len({one.id for one in three}) == 6


def test_searches_share_their_seeds_across_arms_and_with_no_other_search() -> None:
    plan = asked(3)
    by_index: dict[int, set[tuple[int, ...]]] = {}
    for one in searches(plan):
        drawn = (one.trial(n, {"rate": 0.5}, plan.description).seed for n in range(6))
        by_index.setdefault(one.index, set()).add((one.seed, *drawn))
    assert [len(seeds) for seeds in by_index.values()] == [1, 1, 1]
    every = [seed for seeds in by_index.values() for drawn in seeds for seed in drawn]
    assert len(set(every)) == len(every) == 3 * 7
    assert not set(every) & {trial.seed for trial in plan.trials}
    assert tuning_seed(0, 4, 2) != tuning_seed(0, 4) != replicate_seed(0, 4)


def test_one_search_leaves_no_trace_in_what_is_recorded_of_a_study() -> None:
    assert "searches" not in asked(1).study.model_dump(mode="json")
    assert asked(3).study.model_dump(mode="json")["searches"] == 3


def test_replicates_are_shared_out_over_searches_and_no_trial_is_added() -> None:
    plan = asked(3)
    shared = confirmed(plan, chosen(plan))
    assert len(shared.trials) == len(plan.trials) == 24
    assert [trial.seed for trial in shared.trials] == [trial.seed for trial in plan.trials]
    assert [arm.name for arm in shared.arms][:2] == ["baseline, search #0", "baseline, search #1"]
    rates = [trial.config["rate"] for trial in shared.trials]
    assert rates[:6:2] == pytest.approx([0.1, 0.11, 0.12])
    assert rates[1:6:2] == pytest.approx([0.13, 0.14, 0.15])
    assert rates[6:] == rates[:18]


def test_the_rows_are_the_arms_as_planned_with_the_same_trials() -> None:
    plan = asked(3)
    rows, trained = tuned_rows(plan, chosen(plan)), confirmed(plan, chosen(plan))
    assert rows.arms == plan.arms and rows.searches == 3
    assert [trial.id for trial in rows.trials] == [trial.id for trial in trained.trials]
    assert [trial.arm for trial in rows.trials] == [trial.arm for trial in plan.trials]


def test_of_one_search_rows_and_confirmations_are_one_plan() -> None:
    plan = asked(1)
    assert tuned_rows(plan, chosen(plan)) == confirmed(plan, chosen(plan))


def test_replicates_wait_for_their_own_search_alone() -> None:
    plan = asked(3)
    second = {one.id: {"rate": 0.3} for one in searches(plan)[1:2]}
    assert [trial.replicate for trial in confirmed(plan, second).trials] == [1, 4, 7, 10]


def test_searches_that_chose_alike_share_an_arm_and_no_trial() -> None:
    plan = asked(2)
    same = confirmed(plan, {one.id: {"rate": 0.3} for one in searches(plan)[:2]})
    assert [arm.name for arm in same.arms] == ["baseline, search #0 and #1"]
    assert len({trial.id for trial in same.trials}) == 12


def test_a_single_arm_is_compared_at_what_each_search_chose_with_itself_as_written() -> None:
    plan = tuned_toys(searches=2, replicates=4)
    assert [arm.name for arm in versus_fixed(plan, {}).arms] == ["fixed"]
    rows = versus_fixed(plan, chosen(plan))
    assert [arm.name for arm in rows.arms] == ["fixed", "tuned"]
    assert rows.searches == 2 and len(rows.trials) == 8
    assert versus_fixed(tuned_toys(), chosen(tuned_toys())).searches == 0


def test_replicates_that_cannot_be_shared_out_evenly_are_refused() -> None:
    with pytest.raises(
        StudyError, match="6 replicates cannot be shared out evenly over 4 searches"
    ):
        asked(4, replicates=6)


def test_a_total_of_trials_is_one_for_each_search_at_least() -> None:
    with pytest.raises(StudyError, match="less than one for each of 3 searches of 2 arms"):
        tuned_toys({"ceiling": 2.0}, how=sweep(stop=Stop(trials=5)), searches=3)


def test_a_sign_flip_test_of_too_few_searches_is_refused() -> None:
    with pytest.raises(StudyError, match="no data can find a difference"):
        tuned(toy_plan({"ceiling": 2.0}, replicates=6), searches=3, analysis=FLIPS)
