"""What the driver keeps of unfinished trials, and what becomes of it."""

from __future__ import annotations

import errno
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.summary import summarize
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.book import Book
from cbablate.records.history import History
from cbablate.records.measurement import Measurement
from cbablate.records.place import Place
from cbablate.records.state import TrialState, Verdict
from cbablate.reporting.forms.form import render
from cbablate.reporting.tables.arms import ablation_table
from cbablate.running.checkpoints import (
    CheckpointOrigin,
    Checkpoints,
    checkpoint_bytes,
    damaged_checkpoints,
)
from cbablate.running.conductor import Conductor
from cbablate.running.drive import drive
from cbablate.running.executors.checkpoint_transport import Saved
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.spec.budget import Budget
from cbablate.spec.sweep import Pruner
from tests.toys import toy_plan, tuned_plan

SAVED = Saved(2, {"weights": bytes(range(40)), "notes/words": b"plain\n"})


def trial_of_five() -> Trial:
    return toy_plan(epochs=5, replicates=1).trials[0]


def file_of(results: Path, trial: Trial) -> Path:
    return results / "checkpoints" / trial.id


def test_the_newest_is_offered_and_the_one_before_is_kept(tmp_path: Path) -> None:
    kept, trial = Checkpoints(Place(tmp_path).checkpoints), trial_of_five()
    assert kept.offer(trial) is None
    assert kept.offered(trial.id) == CheckpointOrigin(0)
    kept.keep(trial, Saved(1, {"weights": b"older"}))
    kept.keep(trial, SAVED)
    young = Checkpoints(Place(tmp_path).checkpoints)
    assert young.offer(trial) == SAVED
    assert young.offered(trial.id) == CheckpointOrigin(2)
    both = [file_of(tmp_path, trial), before_of(tmp_path, trial)]
    assert sorted((tmp_path / "checkpoints").iterdir()) == both
    assert checkpoint_bytes(Place(tmp_path).checkpoints) == (
        2,
        sum(path.stat().st_size for path in both),
    )
    kept.keep(trial, Saved(3, SAVED.files))
    assert sorted((tmp_path / "checkpoints").iterdir()) == both
    kept.drop(trial.id)
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_damaged_newest_checkpoint_leaves_the_one_before(tmp_path: Path) -> None:
    told: list[str] = []
    kept, trial = Checkpoints(Place(tmp_path).checkpoints, tell=told.append), trial_of_five()
    kept.keep(trial, Saved(1, {"weights": b"older"}))
    kept.keep(trial, SAVED)
    file_of(tmp_path, trial).write_bytes(b"cut")
    assert damaged_checkpoints(Place(tmp_path).checkpoints) == [str(file_of(tmp_path, trial))]
    assert kept.offer(trial) == Saved(1, {"weights": b"older"})
    assert kept.offered(trial.id) == CheckpointOrigin(1)
    (sentence,) = told
    assert "is damaged" in sentence
    kept.clear({trial.id: History(trial.id, TrialState.RUNNING)})
    assert kept.offer(trial) == Saved(1, {"weights": b"older"})


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.EACCES, errno.ENOMEM])
@pytest.mark.parametrize("often", [1, 99])
def test_a_read_error_that_passes_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, often: int
) -> None:
    told: list[str] = []
    kept, trial = Checkpoints(Place(tmp_path).checkpoints, tell=told.append), trial_of_five()
    kept.keep(trial, Saved(1, {"weights": b"older"}))
    kept.keep(trial, SAVED)
    newest, failures = file_of(tmp_path, trial), [None] * often
    read = Path.read_bytes

    def failing(path: Path) -> bytes:
        if path == newest and failures:
            failures.pop()
            raise OSError(number, "it passes")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", failing)
    offered = kept.offer(trial)
    assert newest.exists()
    if often == 1:
        assert (offered, told) == (SAVED, [])
        return
    assert offered == Saved(1, {"weights": b"older"})
    assert "it passes" in told[0]
    assert "is left" in told[0]
    failures.clear()
    assert kept.offer(trial) == SAVED


def before_of(results: Path, trial: Trial) -> Path:
    return results / "checkpoints" / f"{trial.id}.before"


def test_one_that_has_spent_the_budget_is_neither_kept_nor_offered(tmp_path: Path) -> None:
    kept, trial = Checkpoints(Place(tmp_path).checkpoints), trial_of_five()
    kept.keep(trial, Saved(5, SAVED.files))
    assert checkpoint_bytes(Place(tmp_path).checkpoints) == (0, 0)
    longer = toy_plan(epochs=9, replicates=1).trials[0]
    kept.keep(longer, Saved(5, SAVED.files))
    file_of(tmp_path, longer).rename(file_of(tmp_path, trial))
    assert kept.offer(trial) is None


@settings(max_examples=50, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_damage_anywhere_is_told_and_never_offered(where: float, bit: int, cut: bool) -> None:
    told: list[str] = []
    trial = trial_of_five()
    with tempfile.TemporaryDirectory() as folder:
        kept = Checkpoints(Place(Path(folder)).checkpoints, tell=told.append)
        kept.keep(trial, SAVED)
        path = file_of(Path(folder), trial)
        content = bytearray(path.read_bytes())
        place = int(where * len(content))
        if cut:
            del content[place:]
        else:
            content[place] ^= 1 << bit
        path.write_bytes(content)
        assert kept.offer(trial) is None
        assert kept.offered(trial.id) == CheckpointOrigin(0)
        assert not path.exists()
    (sentence,) = told
    assert "its trial starts from the one before, or again" in sentence


def test_the_one_before_a_damaged_final_one_names_the_trial_that_left_it(tmp_path: Path) -> None:
    trial = trial_of_five()
    longer = replace(trial, id="f" * 20, budget=Budget(epochs=9))
    kept = Checkpoints(Place(tmp_path).checkpoints, open_ended=lambda config, budget: True)
    kept.keep(trial, Saved(5, {"weights": b"first attempt"}))
    kept.keep(trial, Saved(5, {"weights": b"second attempt"}))
    newest, _ = sorted((tmp_path / "checkpoints").iterdir())
    newest.write_bytes(b"damage")
    assert kept.offer(longer) == Saved(5, {"weights": b"first attempt"})
    assert kept.offered(longer.id) == CheckpointOrigin(5, trial.id)


def test_a_file_that_reaches_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    told: list[str] = []
    trial = trial_of_five()
    kept = Checkpoints(Place(tmp_path).checkpoints, tell=told.append)
    for name in ("../outside", "/outside"):
        kept.keep(trial, Saved(2, {name: b"x"}))
        assert kept.offer(trial) is None
    assert all("outside its folder" in sentence for sentence in told)
    assert len(told) == 2


def test_those_of_other_trials_and_half_written_ones_are_cleared(tmp_path: Path) -> None:
    kept = Checkpoints(Place(tmp_path).checkpoints)
    one, other = toy_plan(epochs=5, replicates=2).trials
    kept.keep(one, SAVED)
    kept.keep(other, SAVED)
    file_of(tmp_path, one).with_suffix(".new").write_bytes(b"half")
    kept.clear({one.id: History(one.id, TrialState.RUNNING)})
    assert list((tmp_path / "checkpoints").iterdir()) == [file_of(tmp_path, one)]


def test_a_disk_that_takes_no_checkpoint_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    kept = Checkpoints(Place(tmp_path).checkpoints, tell=told.append)
    kept.keep(trial_of_five(), SAVED)
    kept.keep(trial_of_five(), SAVED)
    (sentence,) = told
    assert "training goes on" in sentence


class _CutShort(BaseException):
    """Stands for a kill: nothing between the feed and the test takes it."""


def cut_after(monkeypatch: pytest.MonkeyPatch, spent: int) -> None:
    """End the driver once some trial has gone on beyond its measurement after `spent`."""
    measured = Conductor.measured

    def cut(self: Conductor, trial: Trial, measurement: Measurement) -> Verdict:
        if measurement.spent > spent:
            raise _CutShort
        return measured(self, trial, measurement)

    monkeypatch.setattr(Conductor, "measured", cut)


def driven(plan: Plan, results: Path, *, every: float = 0.0) -> None:
    drive(
        plan,
        results=results,
        executor=LocalExecutor,
        publish=lambda facts: [],
        checkpoint_every=every,
    )


def told(results: Path) -> dict[str, History]:
    with Place(results).reading() as ledger:
        return Book.of(ledger.records()).histories


def table(plan: Plan, results: Path) -> str:
    with Place(results).reading() as ledger:
        return render(ablation_table(plan, summarize(plan, ledger.records())), "markdown")


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Plan, Path]:
    """A study of one trial, whose driver died after 3 of 5 measurements."""
    plan = toy_plan(epochs=5, replicates=1)
    with monkeypatch.context() as patched, pytest.raises(_CutShort):
        cut_after(patched, 3)
        driven(plan, tmp_path)
    return plan, tmp_path


def test_a_trial_goes_on_from_its_checkpoint_and_its_curve_is_whole(
    interrupted: tuple[Plan, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    plan, results = interrupted
    undisturbed = tmp_path_factory.mktemp("undisturbed")
    driven(plan, undisturbed)
    assert checkpoint_bytes(Place(results).checkpoints)[0] == 2
    driven(plan, results)
    (history,), (expected,) = told(results).values(), told(undisturbed).values()
    assert [(m.spent, m.metrics) for m in history.measurements] == [
        (m.spent, m.metrics) for m in expected.measurements
    ]
    assert (history.state, history.attempts, len(history.sessions)) == (TrialState.COMPLETE, 2, 2)
    with Place(results).reading() as ledger:
        facts = ledger.records(["started", "measured"])
    assert [f.body.get("from") for f in facts if f.kind == "started"] == [None, 3]
    assert [f.body["spent"] for f in facts if f.kind == "measured"] == [1, 2, 3, 4, 5]
    assert table(plan, results) == table(plan, undisturbed)
    assert checkpoint_bytes(Place(results).checkpoints) == (0, 0), "a complete trial needs none"


def test_a_damaged_checkpoint_costs_the_trial_an_epoch_and_nothing_else(
    interrupted: tuple[Plan, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    plan, results = interrupted
    undisturbed = tmp_path_factory.mktemp("undisturbed")
    driven(plan, undisturbed)
    path = file_of(results, plan.trials[0])
    path.write_bytes(path.read_bytes()[:-1])
    driven(plan, results)
    (history,) = told(results).values()
    assert (history.state, history.reached) == (TrialState.COMPLETE, 2)
    assert table(plan, results) == table(plan, undisturbed)


def test_two_damaged_checkpoints_cost_the_trial_its_start_and_nothing_else(
    interrupted: tuple[Plan, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    plan, results = interrupted
    for path in (file_of(results, plan.trials[0]), before_of(results, plan.trials[0])):
        path.write_bytes(path.read_bytes()[:-1])
    driven(plan, results)
    (history,) = told(results).values()
    assert [m.spent for m in history.measurements] == [1, 2, 3, 4, 5]
    assert history.state is TrialState.COMPLETE
    assert len(history.sessions) == 1
    assert "is not what was written" in capfd.readouterr().err.replace("\n", " ")


def test_a_short_study_writes_no_checkpoint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(Checkpoints, "keep", lambda self, *given: kept.append(given))
    driven(toy_plan(), tmp_path, every=60.0)
    assert not kept
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize(
    ("fault", "left"),
    [("raise", 2), ("nan", 0), ("none", 0), ("silent", 2)],
)
def test_only_what_a_further_attempt_can_use_is_kept(fault: str, left: int, tmp_path: Path) -> None:
    driven(toy_plan(fault=fault, epochs=4, replicates=1), tmp_path)
    assert checkpoint_bytes(Place(tmp_path).checkpoints)[0] == left


def test_a_checkpoint_from_which_the_workload_raises_at_once_is_not_used_again(
    tmp_path: Path,
) -> None:
    plan = toy_plan(fault="raise", epochs=4, replicates=1)
    for _ in range(3):
        driven(plan, tmp_path)
    with Place(tmp_path).reading() as ledger:
        started = [fact.body.get("from") for fact in ledger.records(["started"])]
    assert started == [None, 2, None]


def test_a_drive_clears_away_what_no_unfinished_trial_needs(tmp_path: Path) -> None:
    plan = toy_plan(epochs=3, replicates=1)
    driven(plan, tmp_path)
    kept = Checkpoints(Place(tmp_path).checkpoints)
    kept.keep(plan.trials[0], SAVED)
    kept.keep(trial_of_five(), SAVED)
    driven(plan, tmp_path)
    assert checkpoint_bytes(Place(tmp_path).checkpoints) == (0, 0)


def cut_each(monkeypatch: pytest.MonkeyPatch, measurements: int) -> None:
    """End every driver before it can record more than so many measurements."""
    measured, count = Conductor.measured, [0]

    def cut(self: Conductor, trial: Trial, measurement: Measurement) -> Verdict:
        count[0] += 1
        if count[0] % (measurements + 1) == 0:
            raise _CutShort
        return measured(self, trial, measurement)

    monkeypatch.setattr(Conductor, "measured", cut)


@pytest.mark.slow
def test_a_search_whose_trials_go_on_proposes_and_prunes_as_if_never_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruner = Pruner(name="successive_halving", options={"first_rung": 1, "reduction": 2})
    plan = tuned_plan(trials=6, epochs=4, replicates=1, pruner=pruner)
    driven(plan, tmp_path / "undisturbed")
    cuts = 0
    with monkeypatch.context() as patched:
        cut_each(patched, 3)
        while True:
            try:
                driven(plan, tmp_path / "cut")
                break
            except _CutShort:
                cuts += 1
    assert cuts > 3
    ends = []
    for results in (tmp_path / "undisturbed", tmp_path / "cut"):
        with Place(results).reading() as ledger:
            proposed = [(f.subject, dict(f.body)) for f in ledger.records(["proposed"])]
        past = {
            name: (history.state, [(m.spent, m.metrics) for m in history.measurements])
            for name, history in told(results).items()
        }
        ends.append((proposed, past))
    assert ends[0] == ends[1]
    with Place(tmp_path / "cut").reading() as ledger:
        measured = [(f.subject, f.body["spent"]) for f in ledger.records(["measured"])]
    assert len(measured) == len(set(measured)), "no part of a trial was trained twice"
