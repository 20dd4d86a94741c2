"""The contract of an executor: every implementation's tests inherit this class."""

from __future__ import annotations

import gc
import json
import os
import platform
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate.errors import EnvironmentFault
from cbablate.planning.trial import Trial
from cbablate.records.measurement import Measurement
from cbablate.records.sketch import Sketch
from cbablate.records.state import Verdict
from cbablate.running.executors.port import Executor, Grouping
from cbablate.running.isolation.limits import Limits
from cbablate.testing.feeds import (
    TOGETHER,
    TOY,
    Census,
    Diary,
    Judge,
    Shelf,
    hostile,
    is_alive,
    stream,
    trials_that,
)
from cbablate.testing.own.hostile import RAISED
from cbablate.testing.toy_plan import toy_plan
from cbablate.workloads import toy
from cbablate.workloads.own_code.entry import Entry


class ExecutorContract:
    """What a study relies on, whoever runs its trials. Give it an `executor` fixture."""

    @pytest.fixture
    def executor(self) -> Executor:
        raise LookupError("a test class that inherits the contract gives the executor")

    hostile = staticmethod(hostile)
    stream = staticmethod(stream)

    def test_every_trial_starts_once_ends_once_and_reports_in_order(
        self, executor: Executor
    ) -> None:
        plan = toy_plan({"ceiling": 2.0}, {"ceiling": 3.0}, epochs=3, replicates=2)
        diary = Diary(plan.trials)
        executor.execute(diary, TOY)
        for trial in plan.trials:
            kinds = [what for who, what, _ in diary.told if who == trial.id]
            assert kinds == ["started", "measured", "measured", "measured", "ended"]
            assert [m.spent for m in diary.of(trial.id, "measured")] == [1, 2, 3]
        assert diary.endings() == {"finished"}

    def test_a_stopping_verdict_is_the_last_thing_a_trial_hears(self, executor: Executor) -> None:
        plan = toy_plan({"ceiling": 2.0}, epochs=50, replicates=1)
        diary = Diary(plan.trials, stop_at=2)
        executor.execute(diary, TOY)
        for trial in plan.trials:
            assert [m.spent for m in diary.of(trial.id, "measured")] == [1, 2]
            (ending,) = diary.of(trial.id, "ended")
            assert (ending.how, ending.sentence) == ("stopped", "enough")

    def test_an_error_in_one_trial_touches_no_other(self, executor: Executor) -> None:
        plan = toy_plan({"fault": "raise"}, epochs=4, replicates=3)
        diary = Diary(plan.trials)
        executor.execute(diary, TOY)
        for trial in plan.trials:
            (ending,) = diary.of(trial.id, "ended")
            if trial.config["fault"] == "raise":
                assert ending.how == "raised"
                assert "asked to raise" in ending.sentence
                assert "toy.py" in ending.traceback
            else:
                assert ending.how == "finished"

    def test_a_trial_that_starts_names_the_machine_that_runs_it(self, executor: Executor) -> None:
        diary = Diary(toy_plan(epochs=1, replicates=1).trials)
        executor.execute(diary, TOY)
        assert len(diary.workers) == len(diary.of_kind("ended"))
        for worker in diary.workers:
            assert worker["node"] == socket.gethostname()
            assert worker["host"]["processor"]
            assert worker["versions"]["python"] == platform.python_version()

    def test_nothing_is_held_of_a_trial_that_has_ended(self, executor: Executor) -> None:
        trials = toy_plan(epochs=2, replicates=6).trials + toy_plan(epochs=3, replicates=6).trials
        census = Census(trials)
        gc.collect()
        gc.freeze()
        try:
            executor.execute(census, TOY)
        finally:
            gc.unfreeze()
        assert len(census.held) == 12
        assert max(census.held[9:]) <= max(census.held[:3]), f"it grows: {census.held}"

    def test_an_error_of_the_feed_ends_execute_and_is_raised_from_it(
        self, executor: Executor
    ) -> None:
        class FullDisk(Diary):
            def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
                raise EnvironmentFault("no space left")

        plan = toy_plan(epochs=2, replicates=3)
        with pytest.raises(EnvironmentFault, match="no space left"):
            executor.execute(FullDisk(plan.trials), TOY)

    def test_a_stopped_stream_is_closed_and_its_workdir_is_gone(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        plan = toy_plan(epochs=9, replicates=2)
        streams = self.stream("writes_where_it_worked")
        trials = tuple(
            Trial(**{**vars(t), "config": {"witness": str(tmp_path / t.id)}}) for t in plan.trials
        )
        executor.execute(Diary(trials, stop_at=1), streams)
        executor.execute(Diary(plan.trials[:1]), TOY)  # whoever took the slot closed the last one
        for trial in trials[:1]:
            closed, workdir = (tmp_path / trial.id).read_text().split("\n")
            assert closed == "closed"
            assert not Path(workdir).exists()

    def test_a_trial_goes_on_from_what_its_keeper_offers_and_tells_the_same_numbers(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        plan, shelf = toy_plan({"ceiling": 2.0}, epochs=5, replicates=1), Shelf()
        executor.execute(Diary(plan.trials, stop_at=3), TOY, shelf)
        assert sorted(spent for _, spent in shelf.kept) == [1, 1, 2, 2], "none of the stopping one"
        again = Diary(plan.trials)
        executor.execute(again, TOY, shelf)
        for trial in plan.trials:
            told = [(m.spent, m.metrics) for m in again.of(trial.id, "measured")]
            whole = toy.run(trial.config, seed=trial.seed, budget=trial.budget, workdir=tmp_path)
            assert told == [(m.spent, m.metrics) for m in whole][2:]

    def test_a_workload_that_misbehaves_fails_its_own_trial_with_a_sentence(
        self, executor: Executor, capfd: pytest.CaptureFixture[str]
    ) -> None:
        told = {
            "no generator": "the workload reported nothing and returned nothing",
            "a dict": "(dict), not a Measurement",
            "a word": "metric 'val/score' is 'good' (str), not a number",
            "no metrics": "a measurement's metrics are 'None' (NoneType), not a mapping",
            "a time in words": "a measurement's seconds are 'soon' (str), not a number",
            "no sketch": "sketch 'of it' of a measurement is not the text of one",
            "backwards": "has spent 1 epochs: more than the last one's 1 and at most",
            "too much": "has spent 3 epochs: more than the last one's 0 and at most the budget's 2",
            "exit": "called sys.exit(0)",
            "odd": "_Odd: not an Exception",
            "elsewhere": "",
            "nothing wrong": "",
        }
        template = toy_plan(epochs=2, replicates=1).trials[0]
        trials = tuple(
            Trial(**{**vars(template), "id": how, "config": {"how": how}}) for how in told
        )
        diary, here = Diary(trials), Path.cwd()
        executor.execute(diary, self.stream("misbehaves"))
        assert Path.cwd() == here, "where a workload went is no matter of ours"
        for how, sentence in told.items():
            (ending,) = diary.of(how, "ended")
            assert ending.how == ("raised" if sentence else "finished"), ending
            assert sentence in ending.sentence
        for measurement in diary.of("nothing wrong", "measured"):
            assert Sketch.unpacked(measurement.sketches["of it"]).about == "all"
        assert all("how" in trial.config and trial.config["how"] in told for trial in trials)
        assert "noise" not in capfd.readouterr().out

    def test_whatever_a_workload_raises_fails_its_own_trial_with_a_sentence(
        self, executor: Executor
    ) -> None:
        diary = Diary(trials_that(*RAISED))
        executor.execute(diary, self.hostile("raises"))
        for how, (_, sentence) in RAISED.items():
            (ending,) = diary.of(how, "ended")
            assert (ending.how, ending.failure) == ("raised", "error"), how
            assert sentence in ending.sentence
            assert len(ending.sentence) < 3_000
            assert len(ending.traceback) < 30_000
            assert type(ending.sentence) is type(ending.traceback) is str

    def test_what_a_workload_does_when_it_is_closed_touches_no_other_trial(
        self, executor: Executor
    ) -> None:
        ways = ("yields", "ends", "mute", "own", "exit", "generator exit", "interrupt", "ends too")
        diary = Diary(trials_that(*ways[:-1], "ends", epochs=3), stop_at=1)
        executor.execute(diary, self.hostile("raises_when_closed"))
        assert diary.endings() == {"stopped"}
        assert len([one for one in diary.told if one[1] == "ended"]) == len(ways)

    def test_what_a_trial_alters_neither_its_driver_nor_another_trial_meets(
        self, executor: Executor, capfd: pytest.CaptureFixture[str]
    ) -> None:
        trials = trials_that("ends", "raises")
        trials = tuple(replace(trial, id=f"{n}") for n, trial in enumerate(trials * 3))
        diary = Diary(trials)
        before = (Path.cwd(), dict(os.environ))
        executor.execute(diary, self.hostile("alters"))
        assert (Path.cwd(), dict(os.environ)) == before
        ends = [diary.of(trial.id, "ended")[0] for trial in trials]
        assert [end.how for end in ends] == ["finished", "raised"] * 3, ends
        states = [json.loads(diary.of(t.id, "measured")[0].notes["state"]) for t in trials]
        for state in states:
            assert Path(state.pop("folder")).is_dir()
        first = {state["process"]: state for state in reversed(states)}
        for state in states:  # another worker may have imported more before
            met = first[state["process"]]
            assert state == met, {key: (met[key], state[key]) for key in met if met != state}
        print("the product")
        assert capfd.readouterr().out == "the product\n", "what trials print is not"

    def test_processes_that_a_trial_leaves_end_with_it(self, executor: Executor) -> None:
        diary = Diary(trials_that("ends", "ends", "waits"), stop_at=10)
        executor.execute(diary, self.hostile("leaves_processes"), limits=Limits(silence=3.0))
        found = [each.metrics for _, what, each in diary.told if what == "measured"]
        assert len(found) == 3
        until = time.monotonic() + 20
        while time.monotonic() < until and any(
            is_alive(process) for metrics in found for process in metrics.values()
        ):
            time.sleep(0.1)
        assert not [m for m in found for process in m.values() if is_alive(process)]

    def test_a_process_that_a_trial_forks_does_not_come_out_of_its_code(
        self, executor: Executor
    ) -> None:
        ways = {"yields": 1, "raises": 1, "returns": 1, "exits 0": 0, "exits 7": 7, "closes": 1}
        diary, ours = Diary(trials_that(*ways), stop_at=1), os.getpid()
        executor.execute(diary, self.hostile("forks"))
        if os.getpid() != ours:
            os._exit(99)
        found = {how: diary.of(how, "measured")[0].metrics["status"] for how in ways}
        assert found == ways
        assert diary.endings() == {"stopped"}
        assert len(diary.of_kind("ended")) == len(ways)

    def test_an_attempt_over_a_limit_fails_as_timeout_and_others_go_on(
        self, executor: Executor
    ) -> None:
        ways = ("sleeps", "is silent", "spins", "turns it into an error", "gives one late", "ends")
        diary = Diary(trials_that(*ways, epochs=3))
        executor.execute(diary, self.hostile("hangs"), limits=Limits(silence=1.0))
        assert diary.of("ends", "ended")[0].how == "finished"
        for how in ways[:-1]:
            (ending,) = diary.of(how, "ended")
            assert (ending.how, ending.failure) == ("raised", "timeout"), how
            assert ending.sentence == ("the trial gave no measurement for 1.0 s, the silence limit")

    def test_the_time_limit_counts_the_whole_attempt(self, executor: Executor) -> None:
        diary = Diary(trials_that("slowly", epochs=1_000))
        executor.execute(diary, self.hostile("hangs"), limits=Limits(time=1.5, silence=60.0))
        (ending,) = diary.of("slowly", "ended")
        assert ending.failure == "timeout"
        assert ending.sentence == "the trial took more than the time limit of 1.5 s"
        assert 2 <= len(diary.of("slowly", "measured")) <= 8

    def test_a_function_is_called_where_trials_run_and_its_error_comes_back(
        self, executor: Executor
    ) -> None:
        throughput = Entry("cbablate.workloads.toy:throughput")
        assert executor.call(throughput, {"a": {"seconds": 0.5}}, rounds=2) == {
            "a": {"throughput/train": [2.0, 2.0]}
        }
        with pytest.raises(KeyError, match="seconds"):
            executor.call(throughput, {"a": {}}, rounds=1)

    def test_a_workload_that_cannot_be_imported_fails_its_trials_with_a_sentence(
        self, executor: Executor
    ) -> None:
        diary = Diary(toy_plan(replicates=1).trials)
        executor.execute(diary, Entry("no_such_module:run"))
        (ending,) = diary.of(next(iter(diary.told))[0], "ended")
        assert ending.how == "raised"
        assert "no_such_module:run" in ending.sentence
        assert "cannot be imported" in ending.sentence

    def test_a_trial_tells_the_same_whether_it_may_be_of_a_group_or_not(
        self, executor: Executor
    ) -> None:
        trials = toy_plan(epochs=4, replicates=3).trials
        alone, grouped = Diary(trials), Diary(trials)
        executor.execute(alone, TOY)
        executor.execute(grouped, TOY, grouping=Grouping(TOGETHER, 2))
        for trial in trials:
            told = [
                [(m.spent, m.metrics) for m in diary.of(trial.id, "measured")]
                for diary in (alone, grouped)
            ]
            assert told[0] == told[1]
            assert len(told[0]) == 4
            kinds = [what for who, what, _ in grouped.told if who == trial.id]
            assert kinds == ["started", *["measured"] * 4, "ended"]
        assert grouped.endings() == {"finished"}

    def test_a_member_that_raises_one_that_is_pruned_and_one_that_diverges_touch_no_other(
        self, executor: Executor
    ) -> None:
        faults = {"raises": "raise", "is pruned": "none", "diverges": "nan", "goes on": "none"}
        template = toy_plan(epochs=4, replicates=1).trials[0]
        trials = tuple(
            replace(template, id=name, config={**template.config, "fault": fault})
            for name, fault in faults.items()
        )
        judge = Judge(trials, {"is pruned": 1})
        executor.execute(judge, TOY, grouping=Grouping(TOGETHER, 4))
        ends = {trial.id: judge.of(trial.id, "ended") for trial in trials}
        assert {name: [end.how for end in found] for name, found in ends.items()} == {
            "raises": ["raised"],
            "is pruned": ["stopped"],
            "diverges": ["stopped"],
            "goes on": ["finished"],
        }
        assert "asked to raise" in ends["raises"][0].sentence
        assert "toy.py" in ends["raises"][0].traceback
        spent = {t.id: [m.spent for m in judge.of(t.id, "measured")] for t in trials}
        assert spent == {
            "raises": [1, 2],
            "is pruned": [1],
            "diverges": [1, 2, 3],
            "goes on": [1, 2, 3, 4],
        }

    def test_each_member_of_a_group_goes_on_from_its_own_checkpoint(
        self, executor: Executor
    ) -> None:
        trials, shelf = toy_plan(epochs=5, replicates=3).trials, Shelf()
        stops = {trial.id: 2 + number for number, trial in enumerate(trials)}
        grouping = Grouping(TOGETHER, 3)
        executor.execute(Judge(trials, stops), TOY, shelf, grouping=grouping)
        again, alone = Diary(trials), Diary(trials)
        executor.execute(again, TOY, shelf, grouping=grouping)
        executor.execute(alone, TOY)
        for trial in trials:
            told = [(m.spent, m.metrics) for m in again.of(trial.id, "measured")]
            whole = [(m.spent, m.metrics) for m in alone.of(trial.id, "measured")]
            assert told == whole[stops[trial.id] - 1 :]
