"""A program that ignores its seed, or what an arm changes, is told by its numbers."""

from __future__ import annotations

from dataclasses import replace

from cbablate.analysis.outcome import outcome
from cbablate.planning.plan import Plan
from cbablate.reporting.tables.arms import outcome_table
from cbablate.spec.code import Code
from cbablate.spec.metric import DeclaredMetric
from cbablate.spec.sequential import Sequential
from tests.analysis.fabrication import FROZEN, Telling, placement
from tests.analysis.tuned import places_told, tuned_places

IS_OWN = replace(FROZEN, code=Code(module="train", folder=".", modules=()))


def notes(plan: Plan, *, of_seed: float, of_arm: float) -> list[str]:
    """What short and full notes say of numbers that depend so much on seed and arm."""
    telling = Telling()
    telling.session()
    place = {arm.id: number for number, arm in enumerate(plan.arms)}
    for trial in plan.trials:
        value = 50 + of_seed * trial.replicate + of_arm * place[trial.arm]
        metrics = dict.fromkeys(("val/top1", "test/top1"), value)
        telling.complete(trial, {**metrics, "params": 1.0})
    table = outcome_table(outcome(plan, telling.facts))
    short, full = (
        " ".join(note for note in table.noted(how).shown if "used?" in note)
        for how in ("short", "full")
    )
    assert short == full
    return short.replace("? ", "?\n").splitlines()


def own(replicates: int = 6) -> Plan:
    report = ("test/top1", "params")
    return placement(replicates=replicates, names=("one",), report=report, description=IS_OWN)


def test_a_seed_that_changes_nothing_is_told() -> None:
    assert notes(own(), of_seed=0, of_arm=1) == [
        "All seeds have the same numbers in none; one: is the seed used?"
    ]


def test_an_arm_that_changes_nothing_is_told() -> None:
    assert notes(own(), of_seed=1, of_arm=0) == [
        "one has the numbers of none at every seed: are context.operator and context.place used?"
    ]


def test_numbers_that_depend_on_both_and_single_trials_are_not_doubted() -> None:
    assert not notes(own(), of_seed=1, of_arm=1)
    assert not notes(own(replicates=1), of_seed=0, of_arm=0)
    assert not notes(placement(description=FROZEN), of_seed=0, of_arm=0), "its code is known"


def test_a_declared_metric_that_no_trial_reports_is_told_with_the_one_that_is_meant() -> None:
    def said(*names: str) -> str:
        plan = own()
        metrics = {name: DeclaredMetric(label=name.upper()) for name in names}
        telling = Telling()
        telling.session()
        for trial in plan.trials:
            values = {"val/top1": 50.0, "test/top1": 50.0, "params": 1.0, "loss": 2.0}
            telling.complete(trial, values | {"test/f1": 1.0})
        plan = replace(plan, study=plan.study.model_copy(update={"metrics": metrics}))
        shown = (
            outcome_table(outcome(plan, telling.facts)).noted(how).shown
            for how in ("short", "full")
        )
        short, full = (" ".join(note for note in notes if "declared" in note) for notes in shown)
        assert short == full
        return short

    told = "is declared under metrics, and no trial reports it"
    assert said("los") == f"'los' {told}: did you mean 'loss'?"
    assert said("other") == f"'other' {told}."
    assert not said("loss", "val/top1", "val/f1"), "of which the last lends its label to test/f1"


def test_only_a_study_that_chooses_says_that_it_decided_on_what_it_reports() -> None:
    words = "is what decisions were made on, too"

    def said(plan: Plan) -> str:
        telling = Telling()
        telling.session()
        for number, trial in enumerate(plan.trials):
            telling.complete(trial, {"val/top1": 50.0 + number % 7})
        return " ".join(outcome_table(outcome(plan, telling.facts)).noted("short").shown)

    fixed = placement(report=("val/top1",), description=FROZEN)
    grows = fixed.study.model_copy(
        update={"replicates": Sequential(min=6, max=12, until="decided")}
    )
    assert words not in said(fixed)
    assert words in said(replace(fixed, study=grows))
    tuned = tuned_places()
    study = tuned.study.model_copy(update={"report": ("val/top1",)})
    tuned = replace(tuned, study=study)
    assert words in " ".join(outcome_table(outcome(tuned, places_told(tuned))).noted("short").shown)
