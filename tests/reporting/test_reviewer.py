"""What a reviewer would ask: each gap is found where it is, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from cbablate.analysis.summary import summarize
from cbablate.analysis.trial_outcome import outcomes
from cbablate.planning.plan import Plan, plan
from cbablate.records.record import Record
from cbablate.reporting.sentences.reviewer import CHECKS, Case, Question, questions
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.sweep import Parameter, Sweep
from tests.analysis.fabrication import SESSION, Telling, patchy, placement, sizes, told


def asked(planned: Plan, facts: Sequence[Record], **efforts: int) -> dict[str, Question]:
    case = Case(planned, summarize(planned, facts), outcomes(planned, facts), efforts)
    return {question.topic: question for question in questions(case)}


def changed(planned: Plan, **changes: Any) -> Plan:
    return plan(planned.study.model_copy(update=changes), planned.description)


def with_level(planned: Plan, name: str, **changes: Any) -> Plan:
    (factor,) = planned.study.factors
    level = Level(name=name, changes=changes)
    more = Factor(name=factor.name, levels=(*factor.levels, level))
    return changed(planned, factors=(more,))


def test_an_operator_without_a_placebo_is_asked_about_and_one_with_a_control_is_not() -> None:
    planned = placement()
    found = asked(planned, told(planned))["control"]
    assert "(cb)" in found.found
    assert "halve" in found.help
    halved = {"context": {"operator": "halve", "place": "mlp.end"}}
    assert "control" not in asked(with_level(planned, "halving", **halved), [])
    assert "control" not in asked(changed(planned, factors=()), [])


@pytest.mark.parametrize(
    ("replicates", "words"), [(5, "no arm can be found to differ"), (6, "one sign"), (8, "")]
)
def test_seeds_that_cannot_reach_the_corrected_floor_are_asked_about(
    replicates: int, words: str
) -> None:
    found = asked(placement(replicates=replicates), []).get("seeds")
    assert (words in found.found) if found else not words


def test_trials_that_are_missing_are_counted_with_their_reasons() -> None:
    planned = placement()
    found = asked(planned, told(planned, skip=patchy))["missing trials"]
    assert "MLP middle (4/6)" in found.found
    assert "Ended early: 4 (diverged, error, lost, pruned)" in found.found
    assert "favour an arm that diverges" in found.found
    assert "missing trials" not in asked(planned, told(planned))


def test_uncommitted_changes_and_no_commit_are_two_questions() -> None:
    planned = placement(replicates=1)
    for session, topic in (
        ({"dirty": True}, "uncommitted changes"),
        ({"commit": ""}, "commit"),
        ({}, None),
    ):
        telling = Telling()
        telling.session(**session)
        for trial in planned.trials:
            telling.complete(trial, {"test/top1": 1.0})
        found = asked(planned, telling.facts)
        assert {"uncommitted changes", "commit"} & found.keys() == ({topic} if topic else set())


def test_mixed_commits_and_hardware_are_told_but_not_mixed_mlflow() -> None:
    planned = placement(replicates=2)
    telling = Telling()
    telling.session("one")
    other = {**SESSION.versions, "mlflow": "3", "torch": "2.16"}  # type: ignore[dict-item]
    telling.session("two", commit="f" * 40, versions=other, host={"processor": "Other"})
    for trial in planned.trials:
        session = "one" if trial.replicate else "two"
        telling.complete(trial, {"test/top1": float(trial.replicate)}, session=session)
    found = asked(planned, telling.facts)["mixed origins"].found
    assert "commit: 0123456789ab; ffffffffffff" in found
    assert "processor" in found
    assert "torch: 2.15.0; 2.16" in found
    assert "mlflow" not in found
    assert "mixed origins" not in asked(planned, told(planned))


def test_an_untuned_study_and_a_less_tuned_baseline_are_asked_about() -> None:
    planned = placement(replicates=6)
    assert "tuning" in asked(planned, [])
    sweep = Sweep(
        name="s", space={"optimizer.lr": Parameter(kind="float", low=0.1, high=1)}, trials=9
    )
    tuned = changed(planned, tune=sweep)
    efforts = {arm.id: 9 for arm in tuned.arms}
    assert not {"tuning", "tuning effort"} & asked(tuned, [], **efforts).keys()
    efforts[tuned.arms[0].id] = 3
    assert "none (3)" in asked(tuned, [], **efforts)["tuning effort"].found


def test_an_undecided_comparison_without_a_margin_is_asked_about() -> None:
    planned = placement()
    facts = told(planned)
    undecided = asked(planned, facts)
    if "margin" in undecided:
        assert "states no margin" in undecided["margin"].found
    else:
        pytest.fail("some arm of the made-up study is undecided")
    assert "margin" not in asked(changed(planned, margin=0.5), facts)


def test_a_table_of_the_objective_itself_is_asked_about() -> None:
    planned = placement()
    objective = Objective(metric="test/top1", direction="maximize")
    assert "split" not in asked(planned, [])
    # Reading a file refuses this; a plan made in Python may still say it.
    assert "split" in asked(changed(planned, objective=objective), [])


def test_few_rounds_and_several_stages_of_timing_are_asked_about() -> None:
    planned = placement(replicates=6)
    telling = Telling()
    telling.session()
    for index, arm in enumerate(planned.arms):
        telling.time(arm.id, [100.0, 101.0, 102.0], batch=f"stage {index % 2}")
    found = asked(planned, telling.facts)["timing"].found
    assert "3 rounds at the least, from 2 timing stages" in found
    assert "timing" not in asked(planned, told(planned))


def test_one_model_size_is_asked_about_and_two_are_not() -> None:
    found = asked(placement(), [])
    assert "embed_dim 48, depth 4, num_heads 2" in found["one model"].found
    assert "one data set" in found
    assert "one model" not in asked(sizes(), [])


def test_a_workload_that_says_nothing_of_its_configs_is_asked_nothing_of_them() -> None:
    planned = placement()
    silent = replace(planned.description, mechanism=None, shared=())
    found = asked(plan(planned.study, silent), told(planned))
    assert found.keys() == asked(planned, told(planned)).keys() - {
        *("control", "one model", "one data set")
    }


def test_every_check_has_a_study_that_it_says_nothing_of() -> None:
    alone = changed(placement(report=("test/top1",)), factors=())
    case = Case(alone, summarize(alone, []), outcomes(alone, []), {})
    silent = [check for check in CHECKS if not list(check(case))]
    assert len(silent) >= len(CHECKS) - 2
