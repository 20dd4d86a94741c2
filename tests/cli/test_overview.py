"""What a person reads before, during and after a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cbablate import api
from cbablate.overviews import overview
from cbablate.records.facts import Started
from cbablate.records.place import Place
from cbablate.records.sqlite.lock import held
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from tests.analysis.fabrication import Telling, placement, told
from tests.toys import toy_plan


def test_before_anything_ran_the_plan_is_told_and_the_time_is_unknown(tmp_path: Path) -> None:
    said = overview.planned(toy_plan({"ceiling": 2.0}), api.facts(tmp_path))
    assert "2 arms (one_at_a_time) x 2 replicates = 4 trials of 3 epochs (12 epochs in all)" in said
    assert "level 1   compared with baseline" in said
    assert "Time: unknown; no completed trial of toy" in said


def test_what_ran_is_told_arm_by_arm_with_the_reasons_of_failures(tmp_path: Path) -> None:
    plan = toy_plan({"fault": "raise"}, replicates=2)
    done = drive(plan, results=tmp_path, executor=LocalExecutor, publish=lambda facts: [])
    said = overview.standing(plan, api.facts(tmp_path))
    assert said.startswith("toys: 4 trials: 2 complete, 2 failed")
    assert "level 1 #0 (1/3 epochs): error: the toy was asked to raise" in said
    assert "TrialFailure" in said, "the end of the traceback"
    after = overview.ended(plan, done, tmp_path, sync="cbablate sync x", mirrored=True)
    assert "2 trials failed:" in after
    assert f"in {tmp_path / 'toys'}" in after
    wider = overview.planned(toy_plan({"fault": "raise"}, {"ceiling": 2.0}), api.facts(tmp_path))
    assert "Finished: 2. To train: 4 trials" in wider
    assert "Time: about 0." in wider


def test_a_reason_of_several_lines_is_said_once_in_a_line_with_the_place_where_it_arose(
    tmp_path: Path,
) -> None:
    plan = toy_plan(replicates=1)
    facts = Telling()
    facts.session()
    facts.tell(plan.trials[0].id, Started(1, "session 1"))
    place = 'Traceback (most recent call last):\n  File "own.py", line 7, in train\n    check(x)\n'
    reason = "ValueError: three lines:\n  one\n  two"
    facts.end(plan.trials[0], "failed", failure="error", reason=reason, traceback=place + reason)
    said = overview.standing(plan, facts.facts)
    assert "error: ValueError: three lines: one two\n" in said
    assert 'File "own.py", line 7' in said
    assert said.count("three lines:") == 2, "the reason, and where the traceback ends"
    assert said.count("two") == 1


def test_a_trial_without_an_end_runs_only_where_a_driver_is_at_work(tmp_path: Path) -> None:
    plan = toy_plan(replicates=1)
    with Place(tmp_path).writing() as ledger:
        ledger.append(Started(1, "s").record(plan.trials[0].id))
        assert held(tmp_path / "lock")
    assert not held(tmp_path / "lock")
    assert not held(tmp_path / "none")
    said = overview.standing(plan, api.facts(tmp_path), at_work=False)
    assert "1 trial: 1 interrupted (run again to go on)" in said
    assert "Interrupted (no cbablate is at work here):" in said
    assert "baseline #0 (0/3 epochs): attempt 1" in said
    said = overview.standing(plan, api.facts(tmp_path), at_work=True)
    assert "1 trial: 1 running" in said
    assert "Running:" in said
    assert "nterrupted" not in said


def test_limits_of_time_are_part_of_the_plan() -> None:
    plan = toy_plan(replicates=1)
    assert "Limits of time" not in overview.planned(plan, [])
    study = plan.study.model_copy(update={"time_limit": 5400.0, "silence_limit": 90.0})
    said = overview.planned(replace(plan, study=study), [])
    assert "an attempt may take 1 h 30 min and go 1 min 30 s without a measurement" in said
    study = plan.study.model_copy(update={"silence_limit": 90.0})
    said = overview.planned(replace(plan, study=study), [])
    assert "an attempt may go 1 min 30 s without a measurement; a trial that" in said


def test_a_metric_that_no_trial_reported_is_told_with_those_that_were(tmp_path: Path) -> None:
    plan = toy_plan(report=("test/scroe", "throughput/train"))
    done = drive(plan, results=tmp_path, executor=LocalExecutor, publish=lambda facts: [])
    sentence = "No trial reported 'test/scroe'; they reported test/score, val/score."
    assert sentence in overview.standing(plan, api.facts(tmp_path))
    assert sentence in overview.ended(plan, done, tmp_path, sync="", mirrored=True)
    assert done.exit_code == 3, "a question without an answer is not complete"
    assert "No trial reported" not in overview.standing(plan, [])


def test_before_it_is_paid_for_the_plan_says_what_it_can_show() -> None:
    said = overview.planned(placement(replicates=6), [])
    assert (
        "6 replicates, 4 comparisons (Šidák): with 80 % power a paired t test sees a difference of "
        "2.0 times the spread between paired seeds.\n"
        "One as large as that spread needs 15 replicates.\n"
        "A finding is possible only where all 6 pairs have one sign: an exact sign-flip test then "
        "has its least p, 0.031, which counts as agreement though each comparison is tested at "
        "0.013. From 8 replicates on its p can be below that.\n"
    ) in said
    assert "sign-flip" not in overview.planned(placement(replicates=8), [])


@pytest.mark.parametrize(("n", "floor"), [(1, "1"), (3, "0.25"), (5, "0.062")])
def test_too_few_replicates_are_told_before_they_are_trained(n: int, floor: str) -> None:
    said = overview.planned(placement(replicates=n, names=("one",)), [])
    top = said.splitlines()[2]
    assert top.startswith(f"No finding is possible with {n} replicate")
    assert f"cannot go below p = {floor}. 6 are the fewest." in top
    assert ("one seed tells no spread" in said) == (n == 1)
    assert "Šidák" not in said


def test_with_pairs_in_the_ledger_the_plan_speaks_in_the_metrics_unit() -> None:
    plan = placement(replicates=6, margin=0.4)
    facts = told(plan, skip=lambda trial, _arm: "waiting" if trial.replicate > 3 else "")
    said = overview.planned(plan, facts)
    assert "So far that spread is 0.32 pp of Top-1 (16 pairs): a difference of 0.63 pp is" in said
    assert "One as large as the margin (0.4 pp) needs 11 replicates." in said
    plain = overview.planned(placement(replicates=6), facts)
    assert "is seen.\nOne as large as that spread needs 15 replicates." in plain
    tiny = placement(replicates=6, margin=0.0001)
    assert "(0.0001 pp) needs more than 1,000 replicates" in overview.planned(tiny, told(tiny))


def test_a_plan_that_compares_nothing_says_nothing_of_power() -> None:
    assert "power" not in overview.planned(toy_plan(), [])
    assert "power" not in overview.planned(placement(report=("throughput/train",)), [])


def test_checkpoints_are_told_with_what_they_take(tmp_path: Path) -> None:
    assert overview.kept(tmp_path) == ""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "one").write_bytes(b"x" * 800)
    assert "1 checkpoint of all studies here: 800 bytes in" in overview.kept(tmp_path)
    (folder / "other").write_bytes(b"x" * 1_233_200)
    assert "2 checkpoints of all studies here: 1.23 MB in" in overview.kept(tmp_path)
