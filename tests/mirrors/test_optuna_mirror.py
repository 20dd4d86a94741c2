from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import optuna
import pytest

from cbablate.mirrors.optuna_mirror import OptunaMirror
from cbablate.mirrors.port import MirrorUnreachable, StudyState
from cbablate.testing.mirror import MirrorContract
from cbablate.testing.mirror_facts import Story, toy_plan
from tests.contracts.mirror_stores import empty_optuna_storage

STATES = {"COMPLETE": "complete", "FAIL": "failed", "PRUNED": "pruned"}


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[[], Path]:
    numbers = itertools.count()

    def make() -> Path:
        folder = tmp_path / f"results-{next(numbers)}"
        folder.mkdir()
        shutil.copy(empty_optuna_storage(), OptunaMirror(folder).path)
        return folder

    return make


@pytest.fixture
def folder(make_folder: Callable[[], Path]) -> Path:
    return make_folder()


@pytest.fixture
def other_folder(make_folder: Callable[[], Path]) -> Path:
    return make_folder()


def opened(folder: Path, study: str = "pace") -> optuna.Study:
    return optuna.load_study(study_name=study, storage=OptunaMirror(folder).address)


@pytest.mark.slow
class TestContract(MirrorContract):
    writes: ClassVar = [
        (optuna, "create_study"),
        (optuna, "delete_study"),
        (optuna.Study, "set_user_attr"),
        (optuna.storages.RDBStorage, "create_new_trial"),
    ]

    def mirror(self, folder: Path) -> OptunaMirror:
        return OptunaMirror(folder)

    def trials(self, folder: Path, study: str) -> dict[str, dict[str, Any]]:
        return {
            trial.user_attrs["trial"]: {
                "number": trial.number,
                "state": trial.state.name,
                "value": trial.value,
                "params": trial.params,
                "distributions": trial.distributions,
                "curve": trial.intermediate_values,
                "attributes": trial.user_attrs,
                "began": trial.datetime_start,
                "ended": trial.datetime_complete,
            }
            for trial in opened(folder, study).trials
        }

    def state(self, shown: dict[str, Any]) -> str:
        return STATES[shown["state"]]

    def lose(self, folder: Path) -> None:
        OptunaMirror(folder).path.unlink()


@pytest.mark.slow
def test_each_factor_is_one_parameter_whatever_keys_its_levels_change(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    OptunaMirror(folder).sync(plan, Story().complete(*plan.trials).facts, state=StudyState.COMPLETE)
    first, second = opened(folder).trials
    assert first.params == {"pace": "slow"}
    assert second.params == {"pace": "brisk"}
    assert first.distributions["pace"].to_internal_repr("brisk") == 1


def test_the_objective_is_the_value_and_its_curve_the_intermediate_values(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    story = Story().complete(plan.trials[0])
    OptunaMirror(folder).sync(plan, story.facts, state=StudyState.COMPLETE)
    (trial,) = opened(folder).trials
    curve = [f.body["metrics"]["val/score"] for f in story.facts if f.kind == "measured"]
    assert trial.intermediate_values == dict(enumerate(curve, start=1))
    assert trial.value == curve[-1]
    assert opened(folder).user_attrs["objective"] == "maximize val/score"


def test_accuracy_entropy_and_throughput_are_user_attributes(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    story = Story().complete(*plan.trials).timed(plan)
    OptunaMirror(folder).sync(plan, story.facts, state=StudyState.COMPLETE)
    told = opened(folder).trials[1].user_attrs
    assert told["throughput/train"] == 101.0
    assert told["attention/entropy by layer"] == [1.85, 1.75, 1.65]
    assert {"test/score", "attention/entropy", "arm", "replicate", "seed"} <= set(told)


def test_a_factor_is_one_parameter_also_where_the_key_that_it_changes_is_called_alike(
    folder: Path,
) -> None:
    plan = toy_plan(replicates=1)
    factor = plan.study.factors[0].model_copy(update={"name": "rate"})
    study = plan.study.model_copy(update={"factors": (factor,)})
    from cbablate.planning.plan import plan as planned

    renamed = planned(study, plan.description)
    story = Story().complete(*renamed.trials)
    OptunaMirror(folder).sync(renamed, story.facts, state=StudyState.COMPLETE)
    assert opened(folder).trials[0].params == {"rate": "slow"}


def test_the_objective_is_called_by_its_metric_in_storages_of_old_too(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    story = Story().complete(*plan.trials)
    mirror = OptunaMirror(folder)
    mirror.sync(plan, story.facts, state=StudyState.COMPLETE)
    assert opened(folder).metric_names == ["val/score"]
    storage = opened(folder)._storage
    storage.set_study_system_attr(opened(folder)._study_id, "study:metric_names", [])
    mirror.sync(plan, story.facts, state=StudyState.COMPLETE)
    assert opened(folder).metric_names == ["val/score"]


def test_a_damaged_storage_is_a_sentence_and_left_as_it_is(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    path = OptunaMirror(folder).path
    path.write_bytes(b"no database" * 100)
    with pytest.raises(MirrorUnreachable, match="remove it"):
        OptunaMirror(folder).sync(plan, Story().facts, state=StudyState.RUNNING)
    assert path.read_bytes() == b"no database" * 100


def test_a_new_storage_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    plan, folder = toy_plan(replicates=1), tmp_path / "results"
    OptunaMirror(folder).sync(plan, Story().facts, state=StudyState.RUNNING)
    assert OptunaMirror(folder).path.stat().st_mode & 0o777 == 0o600


def test_without_optuna_installed_it_is_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MirrorUnreachable, match="pip install optuna"):
        OptunaMirror(folder).sync(toy_plan(), Story().facts, state=StudyState.COMPLETE)


def test_a_complete_trial_without_the_objective_fails_in_optuna_and_says_why(
    folder: Path,
) -> None:
    plan = toy_plan(replicates=1)
    story = Story()
    story.started(plan.trials[0])
    story.ended(plan.trials[0])
    OptunaMirror(folder).sync(plan, story.facts, state=StudyState.COMPLETE)
    (trial,) = opened(folder).trials
    assert trial.state.name == "FAIL"
    assert trial.user_attrs["reason"] == "no val/score was measured at the end"


@pytest.mark.slow
def test_an_edited_level_makes_the_distributions_anew(folder: Path) -> None:
    for levels in (("slow", "brisk"), ("slow", "brisk", "steep")):
        plan = toy_plan(levels=levels, replicates=1)
        story = Story().complete(*plan.trials)
        OptunaMirror(folder).sync(plan, story.facts, state=StudyState.COMPLETE)
    shown = opened(folder).trials
    assert [trial.params["pace"] for trial in shown] == ["slow", "brisk", "steep"]
    assert {trial.distributions["pace"].choices for trial in shown} == {("slow", "brisk", "steep")}
