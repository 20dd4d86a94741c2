from __future__ import annotations

import itertools
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from cbablate.errors import EnvironmentFault
from cbablate.mirrors.mlflow_mirror import (
    ARTIFACT_FOLDER,
    STORE_FILE,
    MlflowMirror,
    experiment_of,
    masked,
    store_address,
)
from cbablate.mirrors.port import MirrorUnreachable, StudyState
from cbablate.planning.plan import plan as planned
from cbablate.testing.mirror import MirrorContract
from cbablate.testing.mirror_facts import Story, toy_plan
from tests.contracts.mirror_stores import empty_mlflow_store

pytestmark = pytest.mark.slow

STATES = {"FINISHED": "complete", "FAILED": "failed", "KILLED": "pruned"}
COMPLETE = StudyState.COMPLETE
OF_THE_STORE = ("mlflow.parentRunId", "mlflow.user")


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[[], Path]:
    numbers = itertools.count()

    def make() -> Path:
        folder = tmp_path / f"results-{next(numbers)}"
        folder.mkdir()
        shutil.copy(empty_mlflow_store(), folder / STORE_FILE)
        return folder

    return make


@pytest.fixture
def folder(make_folder: Callable[[], Path]) -> Path:
    return make_folder()


@pytest.fixture
def other_folder(make_folder: Callable[[], Path]) -> Path:
    return make_folder()


def runs(folder: Path, study: str = "pace") -> tuple[MlflowClient, list[Run]]:
    client = MlflowClient(store_address(None, folder))
    found = client.get_experiment_by_name(experiment_of(study))
    return client, client.search_runs([found.experiment_id])


def parent_of(folder: Path, study: str = "pace") -> Run:
    (parent,) = (r for r in runs(folder, study)[1] if r.data.tags["cbablate.role"] == "study")
    return parent


def trials_of(folder: Path, study: str = "pace") -> list[Run]:
    return [r for r in runs(folder, study)[1] if r.data.tags["cbablate.role"] == "trial"]


class TestContract(MirrorContract):
    writes: ClassVar = [
        (MlflowClient, name)
        for name in (
            "create_experiment",
            "create_run",
            "log_batch",
            "set_terminated",
            "update_run",
            "delete_run",
            "restore_run",
            "delete_tag",
            "set_tag",
        )
    ]

    def mirror(self, folder: Path) -> MlflowMirror:
        return MlflowMirror(None, folder)

    def trials(self, folder: Path, study: str) -> dict[str, dict[str, Any]]:
        client, found = runs(folder, study)
        parents = [r.info.run_id for r in found if r.data.tags["cbablate.role"] == "study"]
        assert len(parents) == 1
        shown = {}
        for run in found:
            if run.info.run_id in parents or run.data.tags["cbablate.role"] == "summary":
                continue
            assert run.data.tags["mlflow.parentRunId"] == parents[0]
            trial = run.data.tags["cbablate.trial"]
            assert trial not in shown, "two runs show one trial"
            curves = {
                key: [
                    (p.step, p.value, p.timestamp)
                    for p in client.get_metric_history(run.info.run_id, key)
                ]
                for key in run.data.metrics
            }
            shown[trial] = {
                "name": run.info.run_name,
                "status": run.info.status,
                "span": (run.info.start_time, run.info.end_time),
                "params": run.data.params,
                "tags": {k: v for k, v in run.data.tags.items() if k not in OF_THE_STORE},
                "curves": curves,
            }
        return shown

    def state(self, shown: dict[str, Any]) -> str:
        return STATES[shown["status"]]

    def lose(self, folder: Path) -> None:
        shutil.rmtree(folder / ARTIFACT_FOLDER)
        (folder / STORE_FILE).unlink()


def test_a_trial_tells_its_arm_config_curve_layers_and_throughput(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    story = Story().complete(*plan.trials).timed(plan)
    MlflowMirror(None, folder).sync(plan, story.facts, state=COMPLETE)
    run = next(r for r in trials_of(folder) if r.data.tags["cbablate.arm"] == "brisk")
    assert run.info.run_name == "brisk #0"
    assert run.data.params["rate"] == "1"
    assert run.data.tags["factor.pace"] == "brisk"
    assert run.data.tags["cbablate.commit"] == "abc123"
    assert run.data.tags["cbablate.dirty"] == "yes"
    assert run.data.tags["note.precision"] == "float32"
    assert run.data.metrics["throughput/train"] == 101.0
    assert run.data.metrics["attention/entropy/layer.2"] == 1.65
    history = runs(folder)[0].get_metric_history(run.info.run_id, "val/score")
    assert [point.step for point in history] == [1, 2, 3]


def test_a_failure_says_its_class_and_traceback_and_a_pruned_trial_its_reason(
    folder: Path,
) -> None:
    plan = toy_plan(replicates=1)
    story = Story().failed(plan.trials[0]).pruned(plan.trials[1])
    MlflowMirror(None, folder).sync(plan, story.facts, state=StudyState.FAILED)
    by_state = {r.data.tags["cbablate.state"]: r for r in trials_of(folder)}
    failed, pruned = by_state["failed"], by_state["pruned"]
    assert (failed.info.status, failed.data.tags["cbablate.failure"]) == ("FAILED", "error")
    assert failed.data.tags["cbablate.traceback"].endswith("RuntimeError: out of memory")
    assert pruned.info.status == "KILLED"
    assert pruned.data.tags["cbablate.reason"] == "below the median at 2 epochs"


def test_the_parent_says_the_question_and_how_many_trials_stand_where(folder: Path) -> None:
    plan = toy_plan()
    story = Story().complete(*plan.trials[:2]).failed(plan.trials[2])
    MlflowMirror(None, folder).sync(plan, story.facts, state=StudyState.INTERRUPTED)
    parent = parent_of(folder)
    assert parent.info.status == "KILLED"
    assert plan.study.question in parent.data.tags["mlflow.note.content"]
    assert parent.data.tags["cbablate.state"] == "interrupted"
    counts = {key: value for key, value in parent.data.metrics.items() if "trials" in key}
    assert counts == {
        "trials/complete": 2,
        "trials/pruned": 0,
        "trials/failed": 1,
        "trials/planned": 4,
    }


def test_a_parent_left_running_by_a_killed_driver_is_closed_by_the_next(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    story = Story().complete(plan.trials[0])
    MlflowMirror(None, folder).sync(plan, story.facts, state=StudyState.RUNNING)
    first = parent_of(folder)
    assert first.info.status == "RUNNING"
    story.complete(plan.trials[1])
    MlflowMirror(None, folder).sync(plan, story.facts, state=COMPLETE)
    second = parent_of(folder)
    assert (second.info.run_id, second.info.status) == (first.info.run_id, "FINISHED")


def test_a_study_whose_baseline_was_edited_gets_a_parent_with_the_new_baseline(
    folder: Path,
) -> None:
    before = toy_plan(replicates=1)
    study = before.study.model_copy(update={"baseline": {"rate": 0.125}})
    after = planned(study, before.description)
    story = Story().complete(*before.trials)
    MlflowMirror(None, folder).sync(before, story.facts, state=COMPLETE)
    story.complete(after.trials[0])
    MlflowMirror(None, folder).sync(after, story.facts, state=COMPLETE)
    assert parent_of(folder).data.params["rate"] == "0.125"
    shown = {run.data.tags["cbablate.trial"] for run in trials_of(folder)}
    kept = {trial.id for trial in before.trials} & {trial.id for trial in after.trials}
    assert shown == {after.trials[0].id} | kept


def test_artifacts_are_sent_again_only_when_their_bytes_changed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, story = toy_plan(replicates=1), Story()
    story.complete(*plan.trials)
    table, sent = tmp_path / "pace.tex", []
    original = MlflowClient.log_artifact
    monkeypatch.setattr(
        MlflowClient,
        "log_artifact",
        lambda self, run, path: (sent.append(path), original(self, run, path)),
    )
    for text in ("one", "one", "two"):
        table.write_text(text)
        MlflowMirror(None, folder).sync(plan, story.facts, state=COMPLETE, artifacts=[table])
    assert len(sent) == 2
    stored = folder / ARTIFACT_FOLDER / parent_of(folder).info.run_id / "artifacts" / "pace.tex"
    assert stored.read_text() == "two"


def test_a_results_folder_that_was_moved_keeps_its_artifacts_beside_it(
    folder: Path, tmp_path: Path
) -> None:
    plan = toy_plan(replicates=1)
    table = tmp_path / "pace.tex"
    table.write_text("a table")
    story = Story().complete(*plan.trials)
    MlflowMirror(None, folder).sync(plan, story.facts, state=COMPLETE, artifacts=[table])
    moved = folder.rename(tmp_path / "elsewhere")
    MlflowMirror(None, moved).sync(plan, story.facts, state=COMPLETE, artifacts=[table])
    assert parent_of(moved).info.artifact_uri.startswith(moved.as_uri())
    assert not folder.exists()
    assert len(trials_of(moved)) == 2


def test_an_experiment_deleted_in_the_ui_is_taken_back(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    story = Story().complete(*plan.trials)
    MlflowMirror(None, folder).sync(plan, story.facts, state=COMPLETE)
    client, found = runs(folder)
    client.delete_experiment(found[0].info.experiment_id)
    MlflowMirror(None, folder).sync(plan, story.facts, state=COMPLETE)
    assert len(trials_of(folder)) == 2


def test_what_a_person_added_stays(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    story = Story().complete(*plan.trials)
    MlflowMirror(None, folder).sync(plan, story.facts, state=COMPLETE)
    client, run = runs(folder)[0], trials_of(folder)[0]
    client.set_tag(run.info.run_id, "reviewed", "yes")
    story.timed(plan)
    MlflowMirror(None, folder).sync(plan, story.facts, state=COMPLETE)
    assert client.get_run(run.info.run_id).data.tags["reviewed"] == "yes"


def test_two_ledgers_on_one_store_leave_each_other_alone(folder: Path) -> None:
    plan = toy_plan(replicates=1)
    mine, theirs = Story("s-mine"), Story("s-theirs")
    mine.complete(*plan.trials)
    theirs.complete(plan.trials[0])
    for story in (mine, theirs, mine):
        MlflowMirror(None, folder).sync(plan, story.facts, state=COMPLETE)
    by_ledger = [run.data.tags["cbablate.ledger"] for run in trials_of(folder)]
    assert sorted(by_ledger.count(ledger) for ledger in set(by_ledger)) == [1, 2]


def test_a_store_is_laid_out_in_one_step_and_for_its_owner_alone() -> None:
    empty_store = empty_mlflow_store()
    assert empty_store.stat().st_mode & 0o777 == 0o600
    assert not empty_store.with_name(f"{STORE_FILE}.new").exists()


def test_a_damaged_store_is_a_sentence_at_once_and_left_as_it_is(tmp_path: Path) -> None:
    store = tmp_path / STORE_FILE
    store.write_bytes(b"no database" * 100)
    began = time.monotonic()
    with pytest.raises(MirrorUnreachable, match=f"remove {STORE_FILE} and `cbablate sync`"):
        MlflowMirror(None, tmp_path).sync(toy_plan(), Story().facts, state=COMPLETE)
    assert time.monotonic() - began < 30
    assert store.read_bytes() == b"no database" * 100


def test_a_dead_server_is_a_sentence_within_seconds_and_hides_the_password(
    tmp_path: Path,
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    mirror = MlflowMirror(f"http://anna:geheim@127.0.0.1:{port}", tmp_path)
    began = time.monotonic()
    with pytest.raises(MirrorUnreachable, match="no server listens there") as caught:
        mirror.sync(toy_plan(), Story().facts, state=COMPLETE)
    assert time.monotonic() - began < 60
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_mlflow_installed_it_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "mlflow"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MirrorUnreachable, match="pip install mlflow"):
        MlflowMirror(None, tmp_path).sync(toy_plan(), Story().facts, state=COMPLETE)


def test_one_mirror_may_be_given_several_studies_in_turn(folder: Path) -> None:
    mirror = MlflowMirror(None, folder)
    for name in ("pace", "other", "pace"):
        plan = toy_plan(replicates=1, name=name)
        mirror.sync(plan, Story().complete(*plan.trials).facts, state=COMPLETE)
    assert len(trials_of(folder)) == len(trials_of(folder, "other")) == 2


def test_settings_of_the_user_are_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    MlflowMirror(None, tmp_path)
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


@pytest.mark.parametrize(
    "uri",
    [
        "file:///tmp/mlruns",
        "mlruns",
        "databricks",
        "ftp://host/x",
        "http://",
        "sqlite://",
        "sqlite:///",
        "http://[::1",
        "postgresql://anna:geheim@host/db",
    ],
)
def test_an_address_that_is_none_is_refused_with_what_is_allowed(uri: str, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="sqlite:////absolute/path") as caught:
        MlflowMirror(uri, tmp_path)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("uri", ["http://host:5000", "https://host/sub", "sqlite:////a/b.sqlite"])
def test_servers_and_sqlite_files_are_addresses(uri: str, tmp_path: Path) -> None:
    assert store_address(uri, tmp_path) == uri


def test_passwords_and_tokens_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok-123")
    text = "https://a:b@host/p?api_key=k1&x=2 said tok-123"
    assert masked(text) == "https://***@host/p?api_key=***&x=2 said ***"
