"""Summaries: which trials count, and that only what happened matters."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.summary import Counts, Summary, metric_of, summarize
from cbablate.records.record import Record
from tests.analysis.fabrication import FROZEN, Telling, patchy, placement, sizes, told


def top1(summary: Summary, arm: int) -> list[float]:
    one = summary.arms[arm].estimates["test/top1"]
    return [one.n, one.mean or 0.0]


def test_only_the_last_measurement_counts() -> None:
    plan = placement(replicates=1)
    telling = Telling()
    telling.complete(plan.trials[0], {"test/top1": 90.0})  # it measured -1000 before
    assert top1(summarize(plan, telling.facts), 0) == [1, 90.0]


@pytest.mark.parametrize("ending", ["pruned", "running", "error", "diverged", "lost"])
def test_a_trial_that_did_not_complete_never_enters_a_mean(ending: str) -> None:
    plan = placement(replicates=3)
    without = told(plan, skip=lambda t, arm: ending if (arm, t.replicate) == (1, 2) else "")
    summary = summarize(plan, without)
    kept = [
        fact.body["metrics"]["test/top1"]
        for fact in without
        if fact.kind == "measured" and fact.body["spent"] == 20
        for trial in [plan.trial_of[fact.subject]]
        if trial.arm == plan.arms[1].id and trial.replicate != 2
    ]
    assert top1(summary, 1) == [2, pytest.approx(sum(kept) / 2, rel=1e-15)]
    assert summary.arms[1].contrasts["test/top1"].n == 2


def test_a_value_that_is_not_finite_never_enters_a_mean() -> None:
    plan = placement(replicates=2)
    telling = Telling()
    telling.complete(plan.trials[0], {"test/top1": 90.0})
    other = next(t for t in plan.trials if t.replicate == 1 and t.arm == plan.arms[0].id)
    telling.complete(other, {"test/top1": float("nan")})
    assert top1(summarize(plan, telling.facts), 0) == [1, 90.0]


def test_trials_are_counted_by_state_and_failures_by_class() -> None:
    plan = placement()
    endings = ["pruned", "running", "waiting", "diverged", "lost", "lost"]
    facts = told(plan, skip=lambda t, arm: endings[t.replicate] if arm == 1 else "")
    assert summarize(plan, facts).arms[1].counts == Counts(
        planned=6, pruned=1, running=1, waiting=1, failed={"diverged": 1, "lost": 2}
    )


def test_a_second_attempt_replaces_the_first() -> None:
    plan = placement(replicates=1)
    telling = Telling()
    telling.measure(plan.trials[0], {"test/top1": 10.0})
    telling.end(plan.trials[0], "failed", "error")
    telling.complete(plan.trials[0], {"test/top1": 90.0})
    summary = summarize(plan, telling.facts)
    assert top1(summary, 0) == [1, 90.0]
    assert summary.arms[0].counts == Counts(planned=1, complete=1)


def test_nothing_run_is_a_summary_of_nothing() -> None:
    plan = placement()
    summary = summarize(plan, [])
    assert all(one.counts == Counts(planned=6, waiting=6) for one in summary.arms)
    assert all(one.estimates["test/top1"].mean is None for one in summary.arms)
    assert summary.vectors == ()


def test_arms_are_compared_with_their_own_reference() -> None:
    plan = sizes()
    summary = summarize(plan, told(plan))
    for one in summary.arms:
        if one.arm.levels["context"] == "none":
            assert one.contrasts == {}
            continue
        said = one.contrasts["test/top1"]
        reference = summary.of[said.against]
        levels = {**one.arm.levels, "context": "none"}
        assert reference.arm.levels == levels
        assert said.family == 4
        ours, theirs = one.estimates["test/top1"].mean, reference.estimates["test/top1"].mean
        assert said.difference == pytest.approx((ours or 0.0) - (theirs or 0.0), abs=1e-12)


def test_reported_trial_metrics_come_first_then_the_objective() -> None:
    plan = placement()
    assert summarize(plan, []).metrics == ("test/top1", "attention/entropy", "params", "val/top1")


def test_layers_are_estimated_one_by_one() -> None:
    plan = placement(replicates=2)
    telling = Telling()
    arm = [trial for trial in plan.trials if trial.arm == plan.arms[0].id]
    telling.complete(arm[0], {}, vectors={"v": [1.0, 5.0]})
    telling.complete(arm[1], {}, vectors={"v": [3.0]})
    layers = summarize(plan, telling.facts).arms[0].vectors["v"]
    assert [(layer.mean, layer.n, layer.planned) for layer in layers] == [(2.0, 2, 2), (5.0, 1, 2)]


def test_an_unknown_metric_is_its_own_label() -> None:
    assert metric_of(placement(), "my/thing").label == "my/thing"
    assert metric_of(placement(), "test/top1").unit == "%"


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_in_which_facts_are_handed_in_does_not_matter(turn: random.Random) -> None:
    plan = placement(replicates=3)
    facts = told(plan, skip=patchy)
    turned: list[Record] = list(facts)
    turn.shuffle(turned)
    assert summarize(plan, turned) == summarize(plan, facts)


def test_studies_share_the_trials_that_they_have_in_common() -> None:
    plan, other = placement(replicates=2), sizes()
    assert plan.arms[0].id == other.arms[0].id
    summary = summarize(plan, told(other))
    assert [one.counts.complete for one in summary.arms] == [2, 0, 0, 2, 0]


def test_facts_of_other_studies_do_not_matter() -> None:
    plan, other = placement(replicates=3), placement(description=FROZEN)
    facts = told(plan)
    assert summarize(plan, [*told(other), *facts]).arms == summarize(plan, facts).arms
