"""Searches as MLflow and Optuna's dashboard show them."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from cbablate.analysis.searches.tuning import tunings
from cbablate.mirrors.mlflow_mirror import STORE_FILE, MlflowMirror, experiment_of
from cbablate.mirrors.optuna_mirror import OptunaMirror
from cbablate.mirrors.port import StudyState
from cbablate.records.record import Record
from cbablate.spec.sweep import Parameter, Pruner
from tests.contracts.mirror_stores import empty_mlflow_store, empty_optuna_storage
from tests.running.bench import conducted
from tests.toys import tuned_plan

pytestmark = pytest.mark.slow

PLAN = tuned_plan(
    {"ceiling": 2.0},
    space={
        "rate": Parameter(kind="float", low=0.05, high=5.0, log=True),
        "fault": Parameter(kind="choice", choices=("none", "odd", "nan")),
    },
    trials=6,
    epochs=3,
    replicates=1,
    pruner=Pruner(name="successive_halving", options={"first_rung": 1, "reduction": 2}),
)
SESSION = Record("session", "abc", {"commit": ""}, 0.5)
FACTS = [SESSION, *conducted(PLAN)]


def shown(folder: Path) -> tuple[dict[str, list[Run]], dict[str, Run]]:
    """Runs by role, and every run by its id."""
    client = MlflowClient(f"sqlite:///{folder / STORE_FILE}")
    experiment = client.get_experiment_by_name(experiment_of("toys"))
    assert experiment is not None
    runs = list(client.search_runs([experiment.experiment_id], "", ViewType.ACTIVE_ONLY, 1000))
    by_role: dict[str, list[Run]] = {}
    for run in runs:
        by_role.setdefault(run.data.tags["cbablate.role"], []).append(run)
    return by_role, {run.info.run_id: run for run in runs}


def parent_of(run: Run, runs: dict[str, Run]) -> Run:
    return runs[run.data.tags["mlflow.parentRunId"]]


def states(facts: list[Record], search: int) -> Counter[str]:
    """How many trials ended in which state, without what the workload refused (an `error`)."""
    ended = (a for a in tunings(PLAN, facts)[search].attempts if a.state.ended)
    return Counter(attempt.state.value for attempt in ended if attempt.failure != "error")


def test_mlflow_shows_parent_searches_and_trials_in_states_that_are_true(tmp_path: Path) -> None:
    shutil.copy(empty_mlflow_store(), tmp_path / STORE_FILE)
    mirror = MlflowMirror(None, tmp_path)
    half = FACTS[: len(FACTS) // 2]
    mirror.sync(PLAN, half, state=StudyState.RUNNING)
    by_role, _ = shown(tmp_path)
    assert {run.info.status for run in by_role["search"]} == {"RUNNING"}
    mirror.sync(PLAN, FACTS, state=StudyState.COMPLETE)
    by_role, runs = shown(tmp_path)
    (parent,) = by_role["study"]
    assert parent.info.status == "FINISHED"
    assert [len(by_role[role]) for role in ("search", "trial")] == [2, 4]
    assert all(parent_of(run, runs) is parent for run in (*by_role["search"], *by_role["trial"]))
    names = {run.data.tags["cbablate.arm"] for run in by_role["trial"]}
    assert names == {"baseline", "level 1", "baseline (tuned)", "level 1 (tuned)"}
    meant = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
    found: dict[str, Counter[str]] = {}
    for run in by_role["tuning"]:
        state = run.data.tags["cbablate.state"]
        assert run.info.status == meant[state]
        above = parent_of(run, runs)
        found.setdefault(above.data.tags["cbablate.arm"], Counter())[state] += 1
    assert found == {"baseline": states(FACTS, 0), "level 1": states(FACTS, 1)}
    assert sum(map(Counter.total, found.values())) < 12, "what was refused is no run"
    assert sum(counts["pruned"] for counts in found.values()) > 0
    for run in by_role["search"]:
        assert run.info.status == "FINISHED"
        assert run.data.metrics["trials/wanted"] == 6
        assert "best/val/score" in run.data.metrics
    before = {run: (r.info.end_time, r.data.tags) for run, r in runs.items()}
    MlflowMirror(None, tmp_path).sync(PLAN, FACTS, state=StudyState.COMPLETE)
    _, again = shown(tmp_path)
    assert {run: (r.info.end_time, r.data.tags) for run, r in again.items()} == before


def test_optunas_dashboard_has_each_search_with_what_it_searched(tmp_path: Path) -> None:
    mirror = OptunaMirror(tmp_path)
    shutil.copy(empty_optuna_storage(), mirror.path)
    mirror.sync(PLAN, FACTS[: len(FACTS) // 2], state=StudyState.RUNNING)
    mirror.sync(PLAN, FACTS, state=StudyState.COMPLETE)

    def told(name: str) -> list[dict[str, Any]]:
        study = optuna.load_study(study_name=name, storage=mirror.address)
        return [
            {
                "state": trial.state.name,
                "values": trial.values,
                "params": trial.params,
                "steps": trial.intermediate_values,
                "trial": trial.user_attrs["trial"],
            }
            for trial in study.trials
        ]

    names = {study.study_name for study in optuna.get_all_study_summaries(mirror.address)}
    assert names == {"toys", "toys/baseline", "toys/level 1"}
    (first, _) = tunings(PLAN, FACTS)
    attempts = {attempt.trial: attempt for attempt in first.attempts}
    shown = told("toys/baseline")
    assert len(shown) == states(FACTS, 0).total()
    for trial in shown:
        attempt = attempts[trial["trial"]]
        assert trial["params"] == attempt.proposal
        assert trial["steps"] == dict(attempt.curve)
        assert trial["values"] == (None if attempt.values is None else list(attempt.values))
        names_of = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
        assert names_of[trial["state"]] == attempt.state.value
    assert len(told("toys")) == 4
    mirror.path.unlink()
    mirror.sync(PLAN, FACTS, state=StudyState.COMPLETE)
    assert told("toys/baseline") == shown, "a storage that was deleted is written anew"


TWICE = tuned_plan({"ceiling": 2.0}, trials=4, epochs=3, replicates=2, searches=2)


def test_several_searches_of_an_arm_are_shown_each_by_itself(tmp_path: Path) -> None:
    facts = [SESSION, *conducted(TWICE)]
    mirror = OptunaMirror(tmp_path)
    shutil.copy(empty_optuna_storage(), mirror.path)
    mirror.sync(TWICE, facts, state=StudyState.COMPLETE)
    names = {study.study_name for study in optuna.get_all_study_summaries(mirror.address)}
    of_arms = {f"toys/{arm}, search #{k}" for arm in ("baseline", "level 1") for k in (0, 1)}
    assert names == {"toys", *of_arms}
    shutil.copy(empty_mlflow_store(), tmp_path / STORE_FILE)
    MlflowMirror(None, tmp_path).sync(TWICE, facts, state=StudyState.COMPLETE)
    by_role, runs = shown(tmp_path)
    assert [len(by_role[role]) for role in ("search", "tuning", "trial")] == [4, 16, 8]
    told = {
        (run.data.tags["cbablate.arm"], run.data.tags["cbablate.search"])
        for run in by_role["search"]
    }
    assert told == {(arm, k) for arm in ("baseline", "level 1") for k in ("0", "1")}
    assert all(parent_of(run, runs) in by_role["search"] for run in by_role["tuning"])
    (tuned,) = (
        run for run in by_role["summary"] if run.data.tags["cbablate.arm"] == "level 1 (tuned)"
    )
    assert tuned.data.tags["cbablate.searches"] == "2"
    assert tuned.data.tags["cbablate.against"] == "baseline"
    assert "rate" not in tuned.data.params, "each search chose its own"


def test_what_breaks_a_constraint_is_not_the_best_in_optuna_either(tmp_path: Path) -> None:
    plan = tuned_plan(
        trials=8,
        epochs=2,
        replicates=1,
        sampler="random",
        sweep={"constraints": ("val/score <= 0.9",)},
    )
    facts = conducted(plan)
    mirror = OptunaMirror(tmp_path)
    shutil.copy(empty_optuna_storage(), mirror.path)
    mirror.sync(plan, facts, state=StudyState.COMPLETE)
    (tuning,) = tunings(plan, facts)
    assert tuning.best is not None
    assert any(not attempt.feasible for attempt in tuning.attempts)
    study = optuna.load_study(study_name="toys/baseline", storage=mirror.address)
    assert study.best_trial.user_attrs["trial"] == tuning.best.trial
