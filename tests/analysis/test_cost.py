"""What a plan still costs, told by the ledger's own times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cbablate.analysis.cost import cost
from cbablate.planning.plan import Plan
from cbablate.records.facts import ArmFact, Ended, Measured, Started, TrialFact
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record
from tests.toys import toy_plan


def trained(plan: Plan, *, per_epoch: dict[str, float], replicates: int = 1) -> list[Record]:
    """The facts of the first replicates of some arms, at so many seconds an epoch by arm name."""
    facts = [ArmFact("toy", arm.name).record(arm.id, 0.0) for arm in plan.arms]
    for trial in plan.trials:
        budget = {"epochs": trial.budget.amount}
        facts.append(TrialFact(trial.arm, budget).record(trial.id, 0.0))
        pace = per_epoch.get(plan.arm_of[trial.arm].name)
        if pace is None or trial.replicate >= replicates:
            continue
        spent = trial.budget.amount
        last = Measurement(spent=spent, metrics={"val/score": 1.0}, seconds=pace * spent)
        facts += [
            Started(1, "s").record(trial.id, 0.0),
            Measured(last).record(trial.id, 0.0),
            Ended("complete").record(trial.id, 0.0),
        ]
    return facts


def test_nothing_tells_before_the_first_trial() -> None:
    price = cost(toy_plan({"ceiling": 2.0}, epochs=5, replicates=3), [])
    assert (price.trials, price.left, price.budget, price.budget_left) == (6, 6, 30, 30)
    assert price.seconds is None
    assert "no completed trial of toy" in price.basis


def test_each_arm_goes_on_at_its_own_pace_and_a_new_one_at_the_median() -> None:
    plan = toy_plan({"ceiling": 2.0}, {"ceiling": 3.0}, {"ceiling": 4.0}, epochs=10, replicates=2)
    pace = {"baseline": 1.0, "level 1": 2.0, "level 2": 4.0}
    price = cost(plan, trained(plan, per_epoch=pace))
    assert price.left == 5
    assert price.seconds == pytest.approx(10 * (1 + 2 + 4 + 2 + 2))
    assert price.basis == "from completed trials of 3 of the 4 arms concerned"


def test_another_study_of_the_same_workload_tells_too_but_for_other_units() -> None:
    known = toy_plan(epochs=10, replicates=1)
    facts = trained(known, per_epoch={"baseline": 3.0})
    price = cost(toy_plan(epochs=4, replicates=2, ceiling=7.0), facts)
    assert price.seconds == pytest.approx(2 * 4 * 3.0)
    assert price.basis == "from completed trials of other arms of toy"
    in_steps = [
        replace(TrialFact.of(f), budget={"steps": 10}).record(f.subject, f.at)
        if f.kind == "trial"
        else f
        for f in facts
    ]
    assert cost(toy_plan(epochs=4, ceiling=7.0), in_steps).seconds is None


def test_a_finished_plan_costs_nothing() -> None:
    plan = toy_plan(replicates=1)
    price = cost(plan, trained(plan, per_epoch={"baseline": 1.0}))
    assert (price.left, price.budget_left, price.seconds) == (0, 0, 0.0)
    assert price.basis == "nothing is left to train"


def _clocked(plan: Plan, *, reached: int, began: float, ended: float) -> list[Record]:
    """The facts of a trial whose workload measured no seconds, its last attempt at these times."""
    (arm,), trial = plan.arms, plan.trials[0]
    facts = [ArmFact("toy", arm.name).record(arm.id, 0.0)]
    facts.append(TrialFact(arm.id, {"epochs": trial.budget.amount}).record(trial.id, 0.0))
    way = [*([reached] if reached else []), trial.budget.amount]
    if reached:
        facts.append(Started(1, "s").record(trial.id, 0.0))
        facts.append(Measured(Measurement(reached, {"x": 1.0}), 1, "s").record(trial.id, 0.0))
    number = len(way)
    facts.append(Started(number, "s", reached=reached).record(trial.id, began))
    last = Measurement(trial.budget.amount, {"x": 1.0})
    facts.append(Measured(last, number, "s").record(trial.id, ended))
    facts.append(Ended("complete", attempt=number, session="s").record(trial.id, ended))
    return facts


def test_a_workload_that_measures_no_time_is_timed_by_the_drivers_clock() -> None:
    plan = toy_plan(epochs=10, replicates=3)
    assert cost(plan, _clocked(plan, reached=0, began=100.0, ended=130.0)).seconds == 60.0


def test_an_attempt_that_went_on_from_a_checkpoint_is_timed_for_what_it_spent() -> None:
    plan = toy_plan(epochs=10, replicates=3)
    assert cost(plan, _clocked(plan, reached=5, began=100.0, ended=130.0)).seconds == 120.0


def test_a_clock_that_was_set_back_tells_nothing() -> None:
    plan = toy_plan(epochs=10, replicates=3)
    assert cost(plan, _clocked(plan, reached=0, began=100.0, ended=40.0)).seconds is None
