"""A study that tunes, driven whole: search, confirm, time, and what it comes to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cbablate.analysis.standing import Standing
from cbablate.errors import EnvironmentFault, StudyError
from cbablate.planning.plan import Plan
from cbablate.planning.search import searches
from cbablate.records.book import Book
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.records.state import TrialState
from cbablate.running.completion import Completion
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.executors.port import Executor
from cbablate.spec.metric import Objective
from cbablate.spec.sweep import Parameter, Pruner, Stop
from tests.toys import toy_plan, tuned_plan

HALVING = Pruner(name="successive_halving", options={"first_rung": 1, "reduction": 3})


def driven(
    plan: Plan, results: Path, executor: Callable[[], Executor] = LocalExecutor
) -> Completion:
    return drive(plan, results=results, executor=executor, publish=lambda f: [])


def told(results: Path) -> list[Record]:
    with Place(results).reading() as ledger:
        return ledger.records()


def said(facts: list[Record]) -> list[tuple[str, str, Any]]:
    """What a ledger says in its order, but for clocks, and which driver it was."""
    untimed = {"seconds": 0.0, "session": "", "executor": ""}
    return [
        (f.kind, f.subject, {k: untimed.get(k, v) for k, v in f.body.items()})
        for f in facts
        if f.kind != "session"
    ]


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_one_slot_of_ray_and_this_process_write_the_same_ledger(tmp_path: Path) -> None:
    from cbablate.running.executors.ray_executor import RayExecutor

    plan = tuned_plan({"ceiling": 2.0}, trials=4, epochs=3, replicates=1, pruner=HALVING)
    driven(plan, tmp_path / "local")
    driven(plan, tmp_path / "ray", lambda: RayExecutor(slots=1))
    assert said(told(tmp_path / "ray")) == said(told(tmp_path / "local"))


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_arms_are_searched_side_by_side_and_pruned_under_ray(tmp_path: Path) -> None:
    from cbablate.running.executors.ray_executor import RayExecutor

    plan = tuned_plan({"ceiling": 2.0}, trials=6, epochs=9, replicates=1, pruner=HALVING)
    done = driven(plan, tmp_path, lambda: RayExecutor(slots=2))
    assert done.exit_code == 0
    assert done.states == {TrialState.COMPLETE: 4}
    pruned = [h for h in Book.of(told(tmp_path)).histories.values() if h.state is TrialState.PRUNED]
    assert pruned
    assert all(h.last and h.last.spent < 9 for h in pruned), "they stopped where they were told"
    assert driven(plan, tmp_path, lambda: RayExecutor(slots=2)).trained == 0


@pytest.mark.slow
def test_a_tuned_study_confirms_each_arm_at_its_best_from_the_replicates_seeds(
    tmp_path: Path,
) -> None:
    plan = tuned_plan({"ceiling": 2.0}, trials=5, replicates=2)
    done = driven(plan, tmp_path)
    facts = told(tmp_path)
    assert (done.trained, done.exit_code) == (18, 0)
    best, tuned = Standing(plan, facts).proposals, Standing(plan, facts).confirmations
    for arm, written, search in zip(tuned.arms, plan.arms, searches(plan), strict=True):
        assert {key: arm.config[key] for key in ("rate", "start")} == best[search.id]
        assert arm.config["ceiling"] == written.config["ceiling"]
    past = Book.of(facts).histories
    assert {past[trial.id].state for trial in tuned.trials} == {TrialState.COMPLETE}
    assert [t.seed for t in tuned.trials] == [t.seed for t in plan.trials]
    declared = {fact.subject for fact in facts if fact.kind in ("arm", "trial")}
    assert {*tuned.arm_of, *tuned.trial_of} <= declared
    assert done.searched[0].startswith("Search of 'baseline': 5 trials (5 complete); best val/sco")
    again = driven(plan, tmp_path)
    assert (again.trained, again.exit_code) == (0, 0)
    assert told(tmp_path) == facts


@pytest.mark.slow
def test_several_searches_are_driven_whole_and_each_replicate_is_at_its_own_ones_best(
    tmp_path: Path,
) -> None:
    report = ("test/score", "throughput/train")
    plan = tuned_plan({"ceiling": 2.0}, trials=5, replicates=4, searches=2, report=report)
    done = driven(plan, tmp_path)
    assert (done.trained, done.exit_code) == (2 * 4 + 2 * 2 * 5 + 2 * 4, 0)
    now = Standing(plan, told(tmp_path))
    trials = {(trial.arm, trial.replicate): trial for trial in now.rows.trials}
    for search in searches(plan):
        for replicate in range(search.index, 4, 2):
            config = trials[search.arm.id, replicate].config
            assert {key: config[key] for key in ("rate", "start")} == now.proposals[search.id]
    assert done.searched[1].startswith("Search of 'baseline, search #1': 5 trials (5 complete)")
    timed = {fact.subject for fact in told(tmp_path) if fact.kind == "timed"}
    assert timed == set(plan.arm_of), "arms are timed as written, not at each choice"
    assert driven(plan, tmp_path).trained == 0


def test_a_search_that_finds_the_hyperparameters_as_written_trains_them_once(
    tmp_path: Path,
) -> None:
    plan = tuned_plan(
        space={"rate": Parameter(kind="choice", choices=(0.5,))}, trials=2, replicates=2
    )
    done = driven(plan, tmp_path)
    assert done.trained == 4
    assert Standing(plan, told(tmp_path)).whole == plan


def test_an_arm_whose_search_found_nothing_is_told_in_a_sentence(tmp_path: Path) -> None:
    plan = tuned_plan(
        {"ceiling": 2.0},
        space={"fault": Parameter(kind="choice", choices=("nan",))},
        trials=2,
        replicates=1,
    )
    done = driven(plan, tmp_path)
    assert done.exit_code == 3
    assert not done.failures, "tuning trials may fail"
    assert done.unanswered[0] == (
        "The search of arm 'baseline' ended without a proposal to confirm: of 2 trials 0 are "
        "complete (2 x diverged). Its tuned row stays empty."
    )
    assert done.states == {TrialState.COMPLETE: 2}


def test_arms_as_written_and_as_confirmed_are_timed_in_one_stage(tmp_path: Path) -> None:
    plan = tuned_plan(trials=3, replicates=1, report=("test/score", "throughput/train"))
    driven(plan, tmp_path)
    facts = told(tmp_path)
    timed = [fact for fact in facts if fact.kind == "timed"]
    assert {fact.subject for fact in timed} == set(Standing(plan, facts).whole.arm_of)
    assert len({fact.body["batch"] for fact in timed}) == 1
    assert len(timed) == 2


def test_a_search_without_its_objective_fails_its_trials_and_says_which_is_missing(
    tmp_path: Path,
) -> None:
    plan = tuned_plan(trials=2, replicates=1)
    assert plan.study.tune is not None
    objectives = (Objective(metric="val/loss", direction="minimize"),)
    tune = plan.study.tune.model_copy(update={"objectives": objectives})
    study = plan.study.model_copy(update={"tune": tune})
    done = driven(replace(plan, study=study), tmp_path)
    reasons = {h.reason for h in Book.of(told(tmp_path)).histories.values() if h.failure}
    assert reasons == {"no val/loss was measured at the end"}
    assert done.exit_code == 3


def test_the_time_that_stops_a_search_is_the_trials_own(tmp_path: Path) -> None:
    plan = tuned_plan(
        {"ceiling": 2.0},
        trials=500,
        epochs=1,
        replicates=1,
        seconds=0.01,
        sweep={"stop": Stop(hours=0.1 / 3600)},
    )
    driven(plan, tmp_path)
    facts = told(tmp_path)
    proposed = [fact.body["search"] for fact in facts if fact.kind == "proposed"]
    counts = {proposed.count(search) for search in proposed}
    assert len(counts) == 1, "every arm got as many"
    assert counts.pop() < 10
    assert driven(plan, tmp_path).trained == 0


def without_optuna(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    for name in ("cbablate.searching.optuna_sampler", "cbablate.searching.searches"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_without_optuna_only_a_study_that_tunes_cannot_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_optuna(monkeypatch)
    assert driven(toy_plan(), tmp_path).exit_code == 0
    with pytest.raises(EnvironmentFault, match="A study that tunes needs Optuna, which cannot be"):
        driven(tuned_plan(), tmp_path)


def test_a_sweep_that_optuna_refuses_is_refused_before_anything_trains(tmp_path: Path) -> None:
    pruner = Pruner(name="percentile", options={"percentile": 400.0})
    with pytest.raises(StudyError, match="Optuna cannot search as sweep 'sweep' says: Percentile"):
        driven(tuned_plan(pruner=pruner), tmp_path)
    several = {"objectives": (Objective(metric="val/score", direction="maximize"),) * 2}
    with pytest.raises(StudyError, match="a pruner judges by one objective"):
        driven(tuned_plan(pruner=HALVING, sweep=several), tmp_path)
    assert not told(tmp_path)
