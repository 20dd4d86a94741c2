"""Notes: each says what is so, and only then."""

from __future__ import annotations

from cbablate.analysis.summary import summarize
from cbablate.phrases import first_few
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from cbablate.reporting.sentences.note import comment, method, notes
from cbablate.reporting.tables.arms import ablation_table
from tests.analysis.fabrication import SESSION, Telling, patchy, placement, sizes, told


def said(plan: Plan, facts: list[Record]) -> str:
    return " ".join(notes(plan, summarize(plan, facts)))


def test_the_head_says_study_trials_versions_and_method() -> None:
    plan = placement()
    summary = summarize(plan, told(plan, skip=patchy))
    assert comment(plan, summary) == (
        "Study placement: Where in a transformer block should context be broadcast?",
        "5 arms x 6 replicates of 20 epochs from seed 0: 26 of 30 trials complete",
        "Workload image_classification, version 1",
        "Made with cbablate 0.1.0, timm 1.0.31, torch 2.15.0, commit 0123456789ab",
    )
    assert method(summary) == (
        "Differences paired by replicate; two-sided paired t test; Sidak over the metric's "
        "comparisons, 4 of them; simultaneous 95 % t-intervals",
    )


def test_test_family_and_mark_are_named() -> None:
    text = said(placement(), told(placement()))
    assert "Δ: difference from “none”, paired by seed." in text
    assert "Šidák-adjusted over 4 comparisons" in text
    assert "†: adjusted p < 0.05, and the exact sign-flip test agrees." in text


def test_a_family_of_one_is_not_called_several() -> None:
    plan = placement(names=("one",))
    assert "paired t test, one comparison." in said(plan, told(plan))


def test_in_a_factorial_the_reference_is_told() -> None:
    assert "difference from the arm that differs in context only" in said(sizes(), told(sizes()))


def test_one_replicate_is_said_to_prove_nothing() -> None:
    plan = placement(replicates=1)
    text = said(plan, told(plan))
    assert "neither an interval nor a p value" in text
    assert "†" not in text
    assert "Holm" not in text


def test_missing_trials_are_told_with_their_reasons() -> None:
    plan = placement()
    text = said(plan, told(plan, skip=patchy))
    assert "MLP middle (1 failed: diverged, 1 failed: error); MLP end (1 pruned)" in text


def test_only_some_of_many_arms_are_named() -> None:
    assert first_few([str(i) for i in range(20)]).endswith("11; and 8 more")


def test_fewer_pairs_than_n_are_told() -> None:
    plan = placement()
    text = said(
        plan, told(plan, skip=lambda t, arm: "lost" if (arm, t.replicate) == (0, 0) else "")
    )
    assert "Pairs behind Δ, where fewer than n: MLP front (5); MLP middle (5)" in text


def test_a_metric_with_fewer_values_than_the_row_says_so() -> None:
    plan = placement(replicates=2)
    telling = Telling()
    for trial in plan.trials:
        metrics = {"test/top1": 90.0 + trial.replicate}
        entropy = {"attention/entropy": 1.0} if trial.replicate or trial is plan.trials[0] else {}
        telling.complete(trial, {**metrics, **entropy})
    text = said(plan, telling.facts)
    assert "Entropy has another n in MLP front (1); MLP middle (1)" in text


def test_equal_differences_are_explained() -> None:
    plan = placement(replicates=3, names=("one",))
    telling = Telling()
    for trial in plan.trials:
        telling.complete(trial, {"test/top1": 90.0 + trial.replicate})
    assert "Where all paired differences are equal" in said(plan, telling.facts)


def test_timings_of_different_stages_are_told() -> None:
    plan = placement(names=("one",))
    telling = Telling()
    telling.session()
    telling.time(plan.arms[0].id, [1.0, 2.0], batch="a")
    telling.time(plan.arms[1].id, [1.0], batch="b")
    text = said(plan, telling.facts)
    assert "of 1 to 2 rounds, each arm alone and all in turns on Some Processor at 2 GHz." in text
    assert "The training timings come from different timing stages" in text
    assert "different timing stages" not in said(placement(), told(placement()))


def test_timings_that_were_made_otherwise_than_the_trials_are_told() -> None:
    plan = placement(names=("one",))
    telling = Telling()
    telling.session("trials")
    telling.session("timings", commit="f" * 40)
    for trial in plan.trials:
        telling.complete(trial, {"test/top1": 1.0}, session="trials")
    for arm in plan.arms:
        telling.time(arm.id, [1.0, 2.0], session="timings")
    assert f"Not as the trials were, timings were made with commit {'f' * 12}." in said(
        plan, telling.facts
    )
    assert "Not as the trials" not in said(placement(), told(placement()))


def test_trials_of_different_making_are_told_but_not_of_different_servers() -> None:
    plan = placement(replicates=1)
    telling = Telling()
    telling.session("one")
    versions = {**SESSION.versions, "torch": "2.16.0", "ray": "3.0"}
    telling.session("two", versions=versions)
    for index, trial in enumerate(plan.trials):
        telling.complete(trial, {"test/top1": 1.0}, session="one" if index else "two")
    text = said(plan, telling.facts)
    assert "The trials differ in torch: 2.15.0, 2.16.0." in text
    assert "ray" not in text
    assert "differ in" not in said(placement(), told(placement()))


def test_the_table_has_the_notes_of_its_primary_metric() -> None:
    plan = placement()
    summary = summarize(plan, told(plan))
    assert ablation_table(plan, summary).notes == notes(plan, summary)


def test_a_metric_that_a_network_does_not_have_is_told_with_the_reason_and_is_no_mixture() -> None:
    plan = placement(replicates=2)
    telling = Telling()
    telling.session()
    for trial in plan.trials:
        notes_ = {} if trial.replicate else {"absent.attention/entropy": "the model has no heads"}
        telling.complete(trial, {"test/top1": 90.0 + trial.replicate}, notes=notes_)
    text = said(plan, telling.facts)
    assert "Entropy does not exist where the model has no heads." in text
    assert "differ in" not in text
