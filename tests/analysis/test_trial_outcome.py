"""Outcomes, curves and data versions: what entered, what did not, and whether it is the same."""

from __future__ import annotations

from cbablate.analysis.measures.curve import curves
from cbablate.analysis.summary import summarize
from cbablate.analysis.trial_outcome import outcomes
from cbablate.records.book import Book
from tests.analysis.fabrication import Telling, patchy, placement, told


def test_a_trial_that_is_not_complete_has_no_value_and_says_why() -> None:
    plan = placement()
    found = {
        (one.arm.name, one.trial.replicate): one for one in outcomes(plan, told(plan, skip=patchy))
    }
    diverged = found["MLP middle", 1]
    assert diverged.value("test/top1") is None
    assert diverged.absence == "failed: diverged after 20 of 20 epochs"
    assert found["MLP end", 5].absence.startswith("pruned after")
    assert found["none", 0].absence == ""
    assert found["none", 0].value("test/top1") is not None
    assert found["none", 0].value("no such metric") is None


def test_a_trial_that_never_began_is_waiting_after_nothing() -> None:
    plan = placement(replicates=1)
    assert [one.absence for one in outcomes(plan, [])] == ["waiting"] * len(plan.trials)


def test_outcomes_do_not_depend_on_the_order_of_facts() -> None:
    plan = placement()
    facts = told(plan, skip=patchy)
    assert outcomes(plan, facts) == outcomes(plan, facts[::-1])


def test_a_curve_is_made_of_complete_trials_only() -> None:
    plan = placement(replicates=2)
    telling = Telling()
    first, second = (trial for trial in plan.trials if trial.arm == plan.arms[0].id)
    telling.complete(first, {"val/top1": 3.0})
    telling.measure(second, {"val/top1": 99.0})
    telling.end(second, "pruned")
    (arm,) = curves(outcomes(plan, telling.facts), "val/top1").items()
    assert arm[0] == plan.arms[0].id
    assert [(at, one.mean, one.n, one.planned) for at, one in arm[1]] == [
        (1, -1000.0, 1, 2),
        (20, 3.0, 1, 2),
    ]


def test_a_metric_that_nobody_measured_has_no_curve() -> None:
    plan = placement(replicates=1)
    assert curves(outcomes(plan, told(plan)), "val/loss") == {}


def test_the_data_version_changes_with_a_number_and_with_nothing_else() -> None:
    plan = placement(replicates=3)
    facts = told(plan)
    same = summarize(plan, facts).data
    assert len(same) == 12
    assert summarize(plan, facts[::-1]).data == same
    assert summarize(plan, Book.of(facts)).data == same
    assert summarize(plan, told(plan, seed=1)).data != same
    fewer = told(plan, skip=lambda trial, arm: "lost" if (arm, trial.replicate) == (1, 0) else "")
    assert summarize(plan, fewer).data != same
