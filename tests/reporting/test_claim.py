"""Findings in words: each arm by name, with what its claim rests on."""

# ruff: noqa: RUF001 - the minus is what is printed

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from cbablate.analysis.summary import summarize
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.record import Record
from cbablate.reporting.forms.form import FORMS, render
from cbablate.reporting.sentences.claim import brief_claims, claims
from cbablate.reporting.tables.arms import ablation_table
from tests.analysis.fabrication import FROZEN, Telling, placement, sizes, told
from tests.toys import toy_plan

UP = (0.9, 1.1, 1.0, 1.2, 0.8, 1.05, 0.95)
NEAR = (0.02, -0.03, 0.01, -0.01, 0.03, 0.0, -0.02)
LOOSE = (0.9, -1.1, 1.0, -1.2, 0.8, 1.05, -0.95)
DOWN = tuple(-value for value in UP)


def planned(margin: float | None = None, **other: object) -> Plan:
    return placement(replicates=7, margin=margin, description=FROZEN, **other)  # type: ignore[arg-type]  # names and report only


def facts(
    plan: Plan,
    *shifts: Sequence[float],
    metric: str = "test/top1",
    skip: Callable[[Trial, int], bool] = lambda _trial, _arm: False,
) -> list[Record]:
    """Facts in which each arm after the first differs from it by these shifts."""
    telling = Telling()
    index = {arm.id: place for place, arm in enumerate(plan.arms)}
    for trial in plan.trials:
        arm = index[trial.arm]
        shift = shifts[arm - 1][trial.replicate] if arm else 0.0
        if not skip(trial, arm):
            telling.complete(trial, {metric: 90.0 + trial.replicate / 4 + shift})
    return telling.facts


def said(plan: Plan, told: list[Record]) -> list[str]:
    return list(claims(plan, summarize(plan, told)))


def test_every_finding_has_its_sentence_with_its_arms() -> None:
    plan = planned(0.5)
    assert said(plan, facts(plan, UP, DOWN, NEAR, LOOSE)) == [
        "Findings on Top-1, intervals in pp: helps or hurts: adjusted p < 0.05, and the exact "
        "sign-flip test agrees; no larger difference: two one-sided t tests, adjusted alike.",
        "Helps: MLP front (+0.82 to +1.18).",
        "Hurts: MLP middle (−1.18 to −0.82).",
        "No difference larger than 0.5 pp (simultaneous 90 % intervals): MLP end (−0.02 to +0.02).",
        "Undecided: after attention (−1.37 to +1.51).",
    ]


def test_a_margin_that_nothing_lies_within_is_named_and_not_rounded() -> None:
    plan = planned(0.001)
    first = said(plan, facts(plan, UP, DOWN, NEAR, LOOSE))[0]
    assert first.endswith("none is shown to lie within the margin of 0.001 pp.")


def test_a_sure_difference_within_the_margin_is_said_to_be_small() -> None:
    plan = planned(3.0, names=("one",))
    assert said(plan, facts(plan, UP))[1] == "Helps, by less than 3 pp: one (+0.88 to +1.12)."


def test_of_a_metric_without_direction_an_arm_only_differs() -> None:
    plan = planned(names=("one",), report=("attention/entropy",))
    lines = said(plan, facts(plan, UP, metric="attention/entropy"))
    assert lines[0].startswith("Findings on Entropy, intervals in nats: differs: adjusted p")
    assert lines[1] == "Differs: one (+0.88 to +1.12)."


def test_an_arm_with_too_few_pairs_has_no_claim_and_its_pairs_are_counted() -> None:
    plan = planned()
    lost = facts(plan, UP, UP, NEAR, LOOSE, skip=lambda t, arm: arm == 1 and t.replicate > 0)
    lines = said(plan, lost)
    assert "too few replicates: below 6 pairs an exact sign-flip test cannot reach 0.05" in lines[0]
    assert lines[1].startswith("Helps: MLP middle (")
    assert lines[-1] == "Too few replicates: MLP front (1 pair)."


def test_where_no_arm_has_enough_one_sentence_says_so() -> None:
    (line,) = said(sizes(), told(sizes()))
    assert line.startswith("Findings: none, for want of replicates; below 6 pairs")


def test_where_none_differs_it_is_said_with_the_rule() -> None:
    plan = planned(names=("one",))
    first, second = said(plan, facts(plan, LOOSE))
    assert "none differs for sure (that is: adjusted p < 0.05, and" in first
    assert second.startswith("Undecided: one (")


def test_an_interval_without_zero_that_the_sign_flip_test_doubts_is_unconfirmed() -> None:
    plan = planned(names=("one", "two"))
    lines = said(plan, facts(plan, (1.0, 1.1, 0.9, 1.2, 0.8, 1.0, -0.1), LOOSE))
    assert lines[1] == (
        "Unconfirmed, as the exact sign-flip test does not agree: one (its p = 0.062; +0.36 to "
        "+1.33)."
    )
    assert lines[2].startswith("Undecided: two (")


def test_equal_differences_have_no_interval_to_show() -> None:
    plan = planned(names=("one",))
    assert said(plan, facts(plan, (1.0,) * 7))[1] == "Undecided: one."


def test_beyond_twenty_pairs_the_sign_flip_test_is_said_to_be_missing() -> None:
    plan = placement(replicates=21, names=("one",), description=FROZEN)
    assert "beyond 20 pairs the t test decides alone" in said(plan, facts(plan, UP * 3))[0]


def test_of_many_arms_there_is_one_sentence_a_kind_of_finding() -> None:
    plan = toy_plan(*({"ceiling": 1.0 + i} for i in range(1, 16)), replicates=7)
    shifts = [UP] * 14 + [LOOSE]
    first, helping, open_ = said(plan, facts(plan, *shifts, metric="test/score"))
    assert first.startswith("Findings on ")
    assert helping.startswith("Helps, 14 of 15: level 1 (+")
    assert helping.endswith("; and 2 more.")
    assert open_.startswith("Undecided, 1 of 15: level 15 (")


def brief(plan: Plan, told: list[Record], *, shown: bool = True) -> list[str]:
    return list(brief_claims(plan, summarize(plan, told), shown=shown))


def test_in_brief_one_sentence_has_all_findings_and_no_interval_that_a_cell_shows() -> None:
    plan = planned(0.5)
    told = facts(plan, UP, UP, NEAR, LOOSE)
    assert brief(plan, told) == [
        "On Top-1, helps: MLP front, MLP middle; no difference larger than 0.5 pp (simultaneous "
        "90 % intervals): MLP end (−0.02 to +0.02); undecided: after attention."
    ]
    assert "undecided: after attention (−1.37 to +1.51)." in brief(plan, told, shown=False)[0]
    assert brief(plan, facts(plan, LOOSE, LOOSE, LOOSE, LOOSE)) == ["On Top-1, undecided: all 4."]
    two = planned(names=("one", "two"))
    assert brief(two, facts(two, LOOSE, LOOSE)) == ["On Top-1, undecided: both."]


def test_in_brief_a_doubt_keeps_its_p_value_and_a_comma_in_a_name_parts_no_arms() -> None:
    plan = planned(names=("one", "two, halved"))
    (line,) = brief(plan, facts(plan, (1.0, 1.1, 0.9, 1.2, 0.8, 1.0, -0.1), LOOSE))
    assert line == (
        "On Top-1, unconfirmed, as the exact sign-flip test does not agree: one (its p = 0.062; "
        "+0.36 to +1.33); undecided: “two, halved”."
    )


@pytest.mark.parametrize("plan", [placement(), toy_plan(), placement(report=("throughput/train",))])
def test_nothing_is_found_where_nothing_is_compared(plan: Plan) -> None:
    assert said(plan, []) == []


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_of_the_table_has_the_findings(form: str) -> None:
    plan = planned(0.5)
    summary = summarize(plan, facts(plan, UP, DOWN, NEAR, LOOSE))
    text = render(ablation_table(plan, summary), form)
    for word in ("helps", "hurts", "undecided", "equivalent" if form == "csv" else "larger than"):
        assert word in text
