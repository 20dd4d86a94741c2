"""Summaries of arms in MLflow: one run an arm, found again, whose numbers are the table's."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from cbablate.analysis.outcome import outcome
from cbablate.mirrors.mlflow_mirror import STORE_FILE, MlflowMirror, experiment_of
from cbablate.mirrors.port import StudyState
from cbablate.planning.plan import Plan
from cbablate.planning.plan import plan as planned
from cbablate.records.record import Record
from cbablate.testing.mirror_facts import Story, toy_plan
from tests.analysis.fabrication import Telling
from tests.analysis.tuned import replicated, searched, sweep, tuned_toys
from tests.contracts.mirror_stores import empty_mlflow_store

pytestmark = pytest.mark.slow

COMPLETE, RUNNING = StudyState.COMPLETE, StudyState.RUNNING


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(empty_mlflow_store(), tmp_path / STORE_FILE)
    return tmp_path


def summaries(folder: Path, study: str = "pace", *, deleted: bool = False) -> dict[str, Run]:
    """Summaries by run name, in the order of the table."""
    client = MlflowClient(f"sqlite:///{folder / STORE_FILE}")
    experiment = client.get_experiment_by_name(experiment_of(study))
    view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
    clause = "tags.`cbablate.role` = 'summary'"
    found = client.search_runs(
        [experiment.experiment_id], clause, view, order_by=["tags.`cbablate.row` ASC"]
    )
    names = [run.info.run_name for run in found]
    assert len(names) == len(set(names)), "an arm is summed up twice"
    return dict(zip(names, found, strict=True))


def told_of(found: dict[str, Run]) -> dict[str, Any]:
    """What summaries say, without ids of the store's own."""
    return {
        name: (
            run.info.status,
            run.data.metrics,
            run.data.params,
            {key: tag for key, tag in run.data.tags.items() if key.startswith("cbablate.")},
        )
        for name, run in found.items()
    }


def shown(folder: Path, plan: Plan, facts: list[Record], state: StudyState = COMPLETE) -> None:
    MlflowMirror(None, folder).sync(plan, facts, state=state)


def test_each_arm_has_one_with_the_numbers_of_the_table(folder: Path) -> None:
    plan = toy_plan()
    facts = Story().complete(*plan.trials).timed(plan).facts
    shown(folder, plan, facts)
    found = summaries(folder)
    assert list(found) == ["slow summary", "brisk summary"]
    slow, brisk = (run.data for run in found.values())
    told = outcome(plan, facts).summary.arms[1]
    mean, contrast = told.estimates["test/score"], told.contrasts["test/score"]
    assert brisk.metrics["test/score/mean"] == mean.mean
    assert (brisk.metrics["test/score/low"], brisk.metrics["test/score/high"]) == (
        mean.low,
        mean.high,
    )
    assert (brisk.metrics["test/score/n"], brisk.metrics["test/score/sd"]) == (2, mean.sd)
    assert brisk.metrics["test/score/difference"] == contrast.difference
    assert brisk.metrics["throughput/train/median"] == 101.0
    assert "attention/entropy/layer.2/mean" in brisk.metrics
    assert brisk.tags["factor.pace"] == "brisk"
    assert (brisk.tags["cbablate.arm"], brisk.tags["cbablate.against"]) == ("brisk", "slow")
    assert brisk.tags["cbablate.finding"] == "too few"
    assert (slow.params["rate"], brisk.params["rate"]) == ("0.25", "1")
    assert not any("difference" in key for key in slow.metrics), "a reference has none"
    assert {run.info.status for run in found.values()} == {"FINISHED"}


def test_more_replicates_bring_the_same_run_up_to_date(folder: Path) -> None:
    few, many = toy_plan(replicates=3), toy_plan(replicates=3)
    story = Story().complete(*few.trials[:4])
    shown(folder, few, story.facts, StudyState.INTERRUPTED)
    before = summaries(folder)
    assert before["brisk summary"].data.metrics["test/score/n"] == 2
    story.complete(*many.trials[4:])
    shown(folder, many, story.facts)
    after = summaries(folder)
    assert {n: r.info.run_id for n, r in after.items()} == {
        n: r.info.run_id for n, r in before.items()
    }
    brisk = after["brisk summary"].data
    expected = outcome(many, story.facts).summary.arms[1]
    assert brisk.metrics["test/score/n"] == 3
    assert brisk.metrics["test/score/mean"] == expected.estimates["test/score"].mean
    assert not summaries(folder, deleted=True)


def test_an_edited_study_leaves_no_number_of_the_old_one(folder: Path) -> None:
    plan = toy_plan(replicates=2)
    story = Story().complete(*plan.trials)
    shown(folder, plan, story.facts)
    assert "test/score/sd" in summaries(folder)["brisk summary"].data.metrics
    fewer = toy_plan(levels=("slow", "brisk"), replicates=1)
    shown(folder, fewer, story.facts)
    once = summaries(folder)["brisk summary"].data.metrics
    assert once["test/score/n"] == 1
    assert "test/score/sd" not in once, "one value has no spread"
    other = toy_plan(levels=("slow", "steep"), replicates=1)
    shown(folder, other, story.facts)
    assert list(summaries(folder)) == ["slow summary"], "what has no complete trial has no mean"


def test_while_trials_run_nothing_is_summed_up_and_nothing_taken_away(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    story = Story().complete(*plan.trials)
    shown(folder, plan, story.facts, RUNNING)
    assert not summaries(folder)
    shown(folder, plan, story.facts)
    before = summaries(folder)
    shown(folder, plan, story.facts, RUNNING)
    assert summaries(folder).keys() == before.keys()


def test_syncing_again_writes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = toy_plan()
    facts = Story().complete(*plan.trials).timed(plan).facts
    shown(folder, plan, facts)
    for name in ("create_run", "log_batch", "set_tag", "delete_run", "set_terminated"):
        monkeypatch.delattr(MlflowClient, name)
    shown(folder, plan, facts)


def test_a_summary_killed_at_any_write_is_made_whole_by_the_next_sync(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = toy_plan(replicates=1)
    story = Story().complete(plan.trials[0])
    shown(folder, plan, story.facts, StudyState.RUNNING)
    store = (folder / STORE_FILE).read_bytes()
    shown(folder, plan, story.facts)
    expected = told_of(summaries(folder))
    for fatal in range(1, 20):
        (folder / STORE_FILE).write_bytes(store)
        left = itertools.count(1)

        def lethal(original: Any, left: Any = left, fatal: int = fatal) -> Any:
            def call(*args: Any, **named: Any) -> Any:
                if next(left) == fatal:
                    raise KeyboardInterrupt
                return original(*args, **named)

            return call

        with monkeypatch.context() as patch:
            for name in ("create_run", "log_batch", "set_terminated"):
                patch.setattr(MlflowClient, name, lethal(getattr(MlflowClient, name)))
            try:
                shown(folder, plan, story.facts)
            except KeyboardInterrupt:
                killed = True
            else:
                killed = False
        shown(folder, plan, story.facts)
        assert told_of(summaries(folder)) == expected, f"killed at write {fatal}"
        if not killed:
            break
    assert 3 < fatal < 19, "every write was tried"


def test_a_failing_analysis_leaves_trials_closed_and_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cbablate.mirrors import mlflow_mirror

    plan = toy_plan(replicates=1)
    story = Story().complete(*plan.trials)
    with monkeypatch.context() as patch:
        patch.setattr(mlflow_mirror, "outcome", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shown(folder, plan, story.facts)
    assert not summaries(folder)
    shown(folder, plan, story.facts)
    assert len(summaries(folder)) == 2


def test_a_tuned_arm_has_one_as_written_and_one_as_tuned(folder: Path) -> None:
    plan = tuned_toys({"ceiling": 2.0}, how=sweep(trials=2), replicates=2)
    telling = Telling()
    telling.session()
    searched(telling, plan, lambda s, n, _p: {"val/score": n + 10.0 * s})
    replicated(telling, plan, gain=1.0, primary="test/score")
    shown(folder, plan, telling.facts)
    found = summaries(folder, "toys")
    assert list(found) == [
        "baseline (fixed) summary",
        "baseline (tuned) summary",
        "level 1 (fixed) summary",
        "level 1 (tuned) summary",
    ]
    fixed, tuned = found["level 1 (fixed) summary"].data, found["level 1 (tuned) summary"].data
    assert tuned.metrics["test/score/mean"] > fixed.metrics["test/score/mean"] + 0.5
    assert (fixed.tags["cbablate.hyperparameters"], tuned.tags["cbablate.hyperparameters"]) == (
        "fixed",
        "tuned",
    )
    assert (fixed.tags["cbablate.arm"], tuned.tags["cbablate.arm"]) == (
        "level 1",
        "level 1 (tuned)",
    )
    assert tuned.tags["cbablate.against"] == "baseline (tuned)"
    assert fixed.params["rate"] != tuned.params["rate"]


def test_a_study_without_factors_sums_up_fixed_and_tuned(folder: Path) -> None:
    plan, telling = tuned_toys(how=sweep(trials=2), replicates=2), Telling()
    telling.session()
    searched(telling, plan, lambda _s, n, _p: {"val/score": float(n)})
    replicated(telling, plan, primary="test/score")
    shown(folder, plan, telling.facts)
    found = summaries(folder, "toys")
    assert list(found) == ["baseline (fixed) summary", "baseline (tuned) summary"]
    assert "test/score/difference" in found["baseline (tuned) summary"].data.metrics


def test_a_name_that_mlflow_would_not_take_is_summed_up_too(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    factor = plan.study.factors[0]
    levels = (factor.levels[0], factor.levels[1].model_copy(update={"name": "a_b & 50% #1 " * 8}))
    study = plan.study.model_copy(
        update={"factors": (factor.model_copy(update={"levels": levels}),)}
    )
    hostile = planned(study, plan.description)
    shown(folder, hostile, Story().complete(*hostile.trials).facts)
    assert len(summaries(folder)) == 2
