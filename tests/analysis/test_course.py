"""Sequential replicates: what a study asks for is a function of its facts, and what it claims."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.course import Course, course
from cbablate.analysis.designs.best import best_arms
from cbablate.analysis.outcome import outcome
from cbablate.analysis.standing import Standing
from cbablate.analysis.summary import Summary, summarize
from cbablate.cli.json_shape import status_shape
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.book import Book
from cbablate.records.facts import Ended, Started
from cbablate.records.record import Record
from cbablate.reporting.sentences.sequential_note import progress
from cbablate.spec.sequential import Sequential
from cbablate.statistics.sequential import Looks
from tests.analysis.fabrication import Telling
from tests.analysis.grid import facts_of, grid, laid

Values = Mapping[str, Mapping[int, float]]


def growing(least: int = 6, most: int = 12, *, arms: int = 3, **more: Any) -> Plan:
    replicates = Sequential(min=least, max=most, until="decided")
    return grid(arms, replicates=replicates, design="one_at_a_time", **more)


def drawn(plan: Plan, seed: int, shifts: Sequence[float], spread: float = 1.0) -> Values:
    """Normal values, an arm's moved by its shift."""
    draw = random.Random(seed)
    return laid(plan, lambda at, _r: shifts[at[0]] + draw.gauss(0.0, spread))


def lived(plan: Plan, values: Values, order: random.Random, failing: float = 0.0) -> list[Record]:
    """The facts of a study that is run to its end, in rounds whose trials end in any order."""
    telling, over = Telling(), set[str]()
    telling.session()
    while new := [t for t in Standing(plan, telling.facts).asked.trials if t.id not in over]:
        order.shuffle(new)
        for trial in new[: order.randint(1, len(new))]:  # then its driver is killed
            over.add(trial.id)
            _ended(telling, trial, values, failing)
    return telling.facts


def _ended(telling: Telling, trial: Trial, values: Values, failing: float) -> None:
    if random.Random(f"{trial.id}").random() < failing:
        telling.tell(trial.id, Started(1, "session 1"))
        telling.tell(trial.id, Ended("failed", failure="diverged"))
        return
    value = values[trial.arm][trial.replicate]
    telling.complete(trial, {"test/score": value, "val/score": value})


def at_end(plan: Plan, facts: Sequence[Record]) -> Course:
    found = course(plan, Book.of(facts).histories)
    assert found is not None
    return found


def test_a_replicate_is_the_same_trial_whether_their_number_is_fixed_or_grows() -> None:
    fixed = grid(3, replicates=12, design="one_at_a_time")
    assert growing(6, 12).trials == fixed.trials
    assert growing(6, 8).trials == fixed.trials[: 8 * 3]


def test_all_arms_start_with_the_fewest_and_none_is_looked_at_before_they_have_them() -> None:
    plan = growing(5, 12)
    assert {t.replicate for t in Standing(plan, []).asked.trials} == set(range(6)), (
        "5 cannot be claimed"
    )
    part = {arm: {r: float(r) for r in range(5)} for arm in plan.arm_of}
    found = at_end(plan, facts_of(plan, part))
    assert (found.made, found.spent) == (0, (0.0, 0.0))
    assert {*found.looked.values()} == {0}
    summary = summarize(plan, facts_of(plan, part))
    assert all(c.p is None and c.low is None for a in summary.arms for c in a.contrasts.values())


def test_more_replicates_go_to_open_arms_and_their_reference_only() -> None:
    plan = growing(6, 9)
    reference, large, none = (arm.id for arm in plan.arms)
    values = drawn(plan, 2, (0.0, 3000.0, 0.0))
    found = at_end(plan, lived(plan, values, random.Random(1)))
    assert found.decisions[large].claim == "differs"
    assert found.asked[large] < 9
    assert found.asked[reference] == found.asked[none] == 9
    assert found.open == ()


@settings(deadline=None, max_examples=12)
@given(
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.floats(0, 4),
    st.sampled_from([0.0, 0.15]),
    st.sampled_from([None, 1.5]),
)
def test_what_is_trained_is_a_function_of_what_was_found_however_often_it_is_killed(
    world: int, order: int, shift: float, failing: float, margin: float | None
) -> None:
    plan = growing(6, 10, margin=margin)
    values = drawn(plan, world, (0.0, shift, 0.0))
    one = lived(plan, values, random.Random(0), failing)
    other = lived(plan, values, random.Random(order), failing)
    ids = [{fact.subject for fact in facts if fact.kind == "ended"} for facts in (one, other)]
    assert ids[0] == ids[1]
    assert at_end(plan, one) == at_end(plan, other)
    assert at_end(plan, other).beyond == 0, "nothing is trained ahead of a look"


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10_000), st.floats(0, 3))
def test_trials_ahead_of_a_look_change_no_number(world: int, shift: float) -> None:
    plan = growing(6, 10)
    values = drawn(plan, world, (0.0, shift, 0.3))
    own = lived(plan, values, random.Random(0))
    shared = facts_of(plan, values)  # another study has asked for all replicates before
    said, told = summarize(plan, own), summarize(plan, shared)
    assert said.arms == told.arms
    assert said.data == told.data
    assert at_end(plan, shared).beyond == len(plan.trials) - len(Standing(plan, own).asked.trials)


def test_a_claim_is_never_taken_back_and_is_the_tables_own() -> None:
    for seed in range(12):
        plan = growing(6, 12)
        values = drawn(plan, seed, (0.0, 2.5, 1.2))
        claims: dict[str, str] = {}
        for most in range(6, 13):
            part = {arm: {r: v for r, v in one.items() if r < most} for arm, one in values.items()}
            summary = summarize(plan, facts_of(plan, part))
            assert summary.course is not None
            for arm, one in summary.course.decisions.items():
                found = summary.of[arm].findings["test/score"].claim
                assert (one.claim == "differs") == (found in ("helps", "hurts"))
                assert claims.get(arm) in (None, one.claim)
                if one.claim is not None:
                    claims[arm] = one.claim


def test_an_interval_excludes_zero_just_where_the_only_comparison_is_found() -> None:
    for seed in range(30):
        plan = growing(6, 12, arms=2)
        facts = facts_of(plan, drawn(plan, seed, (0.0, 1.0)))
        told = summarize(plan, facts).arms[1].contrasts["test/score"]
        assert told.low is not None
        assert told.high is not None
        assert told.p is not None
        assert (told.p < 0.05) == (told.low > 0 or told.high < 0)


def test_nothing_is_bold_where_comparisons_with_the_best_do_not_allow_for_looking() -> None:
    plan, fixed = growing(6, 8), grid(3, replicates=8, design="one_at_a_time")
    facts = facts_of(plan, drawn(plan, 1, (0.0, 50.0, 0.0)))
    assert best_arms(fixed, summarize(fixed, facts)) == {plan.arms[1].id}
    assert best_arms(plan, summarize(plan, facts)) == frozenset()


def test_a_margin_decides_for_equivalence_and_the_table_says_so() -> None:
    plan = growing(6, 15, margin=2.0)
    facts = lived(plan, drawn(plan, 1, (0.0, 0.0, 0.1), spread=0.3), random.Random(1))
    found = at_end(plan, facts)
    assert {one.claim for one in found.decisions.values()} == {"equivalent"}
    assert max(found.asked.values()) < 15
    claims = [one.findings["test/score"].claim for one in summarize(plan, facts).arms[1:]]
    assert claims == ["equivalent", "equivalent"]


def test_an_arm_whose_trials_fail_holds_nobody_up() -> None:
    plan = growing(6, 9)
    reference, broken, none = (arm.id for arm in plan.arms)
    values = drawn(plan, 3, (0.0, 0.0, 0.0))
    telling = Telling()
    telling.session()
    for trial in plan.trials:
        _ended(telling, trial, values, 1.0 if trial.arm == broken else 0.0)
    found = at_end(plan, telling.facts)
    assert found.looked == {reference: 9, broken: 9, none: 9}
    summary = summarize(plan, telling.facts)
    assert summary.of[broken].findings["test/score"].claim == "too few"
    assert summary.of[none].contrasts["test/score"].p is not None


def test_null_studies_are_seldom_decided_though_they_are_looked_at_after_every_seed() -> None:
    plan, wrong, studies = growing(6, 12, arms=4), 0, 120
    for seed in range(studies):
        facts = facts_of(plan, drawn(plan, seed, (0.0, 0.0, 0.0, 0.0)))
        said = at_end(plan, facts).decisions.values()
        wrong += any(one.claim for one in said)
    assert wrong / studies <= 0.05 + 2 * (0.05 * 0.95 / studies) ** 0.5


def test_a_fixed_number_has_no_course_and_its_plan_stays_as_it_is() -> None:
    plan = grid(3, replicates=4, design="one_at_a_time")
    assert course(plan, {}) is None
    assert Standing(plan, []).asked is plan
    assert outcome(plan, []).plan is plan


@pytest.mark.parametrize(
    ("report", "claim"),
    [(("test/score", "val/score"), "differs"), (("val/score", "test/score"), None)],
)
def test_looks_are_at_the_first_reported_metric(report: tuple[str, ...], claim: str | None) -> None:
    plan = growing(6, 12, arms=2, report=report)
    large, none = drawn(plan, 1, (0.0, 9.0)), drawn(plan, 2, (0.0, 0.0))
    telling = Telling()
    telling.session()
    for trial in plan.trials:
        at = (trial.arm, trial.replicate)
        far, near = (found[at[0]][at[1]] for found in (large, none))
        telling.complete(trial, {"test/score": far, "val/score": near})
    (decision,) = at_end(plan, telling.facts).decisions.values()
    assert decision.claim == claim


def lost(plan: Plan, values: Values, gone: Mapping[str, set[int]], failure: str) -> list[Record]:
    """The facts of a study whose trials with these replicates failed in this way."""
    telling = Telling()
    telling.session()
    for trial in plan.trials:
        if trial.replicate in gone.get(trial.arm, set()):
            telling.tell(trial.id, Started(1, "session 1"))
            telling.tell(trial.id, Ended("failed", failure=failure))
        else:
            value = values[trial.arm][trial.replicate]
            telling.complete(trial, {"test/score": value, "val/score": value})
    return telling.facts


def test_alpha_of_pairs_that_diverged_is_spent_at_the_last_look_and_of_others_it_waits() -> None:
    plan = growing(6, 12, arms=2)
    gone = {plan.arms[1].id: {2, 5, 9}}
    values = drawn(plan, 4, (0.0, 0.0))
    for failure, spent in (("diverged", 1.0), ("error", Looks(6, 12).spent(9))):
        found = at_end(plan, lost(plan, values, gone, failure))
        assert found.pairs == {plan.arms[1].id: 9}
        assert found.spent == (spent, spent)
        assert found.closed == ({plan.arms[1].id} if failure == "diverged" else set())
    assert Looks(6, 12).spent(9) < 0.5


def test_what_is_told_of_alpha_is_what_pairs_have_spent() -> None:
    plan = growing(6, 12)
    facts = lost(plan, drawn(plan, 4, (0.0, 0.0, 0.0)), {plan.arms[1].id: {2, 5, 9}}, "error")
    assert progress(at_end(plan, facts)).endswith("alpha spent: 1.9 % to 5 % of 5 %")


@pytest.mark.parametrize("left", [0, 4])
def test_a_comparison_that_was_never_tested_has_spent_nothing(left: int) -> None:
    plan = growing(6, 12)
    values = drawn(plan, 4, (0.0, 0.0, 0.0))
    found = at_end(plan, lost(plan, values, {plan.arms[1].id: {*range(left, 12)}}, "diverged"))
    assert found.spent == (0.0, 1.0)
    assert progress(found).endswith("alpha spent: 0 % to 5 % of 5 %")


def test_differences_that_are_all_equal_are_not_tested_and_spend_nothing() -> None:
    plan = growing(6, 12)
    facts = facts_of(plan, laid(plan, lambda at, r: float(at[0] + r)))
    assert at_end(plan, facts).spent == (0.0, 0.0)
    assert status_shape(plan, facts)["looks"]["alpha_spent"] == 0.0


def test_the_last_look_decides_what_an_interval_at_its_level_does() -> None:
    plan, said = growing(6, 10, arms=2), set()
    arm = plan.arms[1].id
    for seed in range(40):
        values = drawn(plan, seed, (0.0, 1.3))
        summary = summarize(plan, lost(plan, values, {arm: {6, 8}}, "diverged"))
        assert summary.course is not None
        one, finding = (of[arm]["test/score"] for of in _of(summary))
        differs = summary.course.decisions[arm].claim == "differs"
        assert differs == one.excludes_zero == finding.sure
        said.add(differs)
    assert said == {True, False}


def _of(summary: Summary) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {one.arm.id: one.contrasts for one in summary.arms},
        {one.arm.id: one.findings for one in summary.arms},
    )


@pytest.mark.slow
def test_null_studies_with_lost_trials_are_found_different_in_at_most_5_percent() -> None:
    plan, studies, wrong = growing(6, 12, arms=2), 600, 0
    for seed in range(studies):
        draw = random.Random(f"lost {seed}")
        gone = {arm.id: {r for r in range(12) if draw.random() < 0.2} for arm in plan.arms}
        facts = lost(plan, drawn(plan, seed, (0.0, 0.0)), gone, "diverged")
        wrong += any(
            one.sure for of in _of(summarize(plan, facts))[1].values() for one in of.values()
        )
    assert wrong / studies <= 0.05 + 3 * (0.05 / studies) ** 0.5
