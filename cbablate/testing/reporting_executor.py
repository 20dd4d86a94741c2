"""The contract of an executor over again, of workloads that report instead of yielding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cbablate.running.executors.port import Executor
from cbablate.running.isolation.limits import Limits
from cbablate.testing.executor import ExecutorContract
from cbablate.testing.feeds import OWN, Diary, trials_that
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.source import code_of

__all__ = ["ReportingExecutorContract", "reporting"]


def reporting(name: str) -> Entry:
    """A workload of `own/reporting.py`."""
    return Entry(f"reporting:{name}", code_of("reporting", OWN))


class ReportingExecutorContract(ExecutorContract):
    """What a study relies on, whoever runs its functions. Give it an `executor` fixture."""

    hostile = staticmethod(reporting)
    stream = staticmethod(reporting)

    def test_a_workload_that_misbehaves_fails_its_own_trial_with_a_sentence(
        self, executor: Executor, capfd: pytest.CaptureFixture[str]
    ) -> None:
        told = {
            "nothing": "the workload reported nothing and returned nothing: let it call cbablate",
            "a number": "the workload reported nothing and returned '0.5' (float)",
            "no mapping": "cbablate.report() was given '0.5' (float), not a mapping",
            "a word": "metric 'val/score' is 'good' (str), not a number",
            "vectors in words": "a measurement's vectors are 'many' (str), not a mapping",
            "backwards": "has spent 1 epochs: more than the last one's 1 and at most",
            "too much": "has spent 3 epochs: more than the last one's 0 and at most the budget's 2",
            "once too often": "the whole budget of 2 epochs was spent when 'val/score' came once",
            "two values": "returned 'val/score' with another value than it reported",
            "nothing wrong": "",
        }
        diary, here = Diary(trials_that(*told)), Path.cwd()
        executor.execute(diary, reporting("misbehaves"))
        assert Path.cwd() == here
        for how, sentence in told.items():
            (ending,) = diary.of(how, "ended")
            assert ending.how == ("raised" if sentence else "finished"), ending
            assert sentence in ending.sentence

    def test_a_function_that_goes_on_after_it_was_stopped_touches_no_other_trial(
        self, executor: Executor
    ) -> None:
        ways = ("reports again", "ends", "raises", "reports for ever", "ends too")
        diary = Diary(trials_that(*ways, epochs=9), stop_at=1)
        executor.execute(diary, reporting("goes_on"), limits=Limits(silence=20.0))
        assert diary.endings() == {"stopped"}
        assert [len(diary.of(how, "measured")) for how in ways] == [1] * len(ways)

    def test_a_report_from_elsewhere_fails_its_trial_with_a_sentence(
        self, executor: Executor
    ) -> None:
        diary = Diary(trials_that("thread", "process", "generator", "nested", epochs=1))
        executor.execute(diary, reporting("reports_from"))
        ends = {how: diary.of(how, "ended")[0] for how in ("thread", "process", "nested")}
        assert "in another thread than the trial's" in ends["thread"].sentence
        assert "in another process than the trial's" in ends["process"].sentence
        assert ends["nested"].how == "finished"

    def test_a_generator_that_reports_fails_with_a_sentence(self, executor: Executor) -> None:
        diary = Diary(trials_that("one"))
        executor.execute(diary, reporting("yields_and_reports"))
        (ending,) = diary.of("one", "ended")
        assert "called in a workload that yields: let it `yield` a Measurement" in ending.sentence

    def test_what_comes_after_the_whole_budget_belongs_to_the_last_measurement(
        self, executor: Executor
    ) -> None:
        ways = ("returned", "reported", "both")
        diary = Diary(trials_that(*ways, epochs=2))
        executor.execute(diary, reporting("tests_last"))
        assert diary.endings() == {"finished"}
        for how in ways:
            first, last = diary.of(how, "measured")
            assert (first.spent, set(first.metrics)) == (1, {"val/score"})
            assert (last.spent, set(last.metrics)) == (2, {"val/score", "test/score"})

    def test_a_function_takes_what_it_names_and_knows_its_trial(self, executor: Executor) -> None:
        trials = trials_that("one", "another", epochs=1)
        alike = (*trials, replace(trials[0], id="again", seed=trials[0].seed + 1))
        diary = Diary(alike)
        executor.execute(diary, reporting("draws"))
        assert diary.endings() == {"finished"}
        one, another, again = (diary.of(trial.id, "measured")[0].metrics for trial in alike)
        assert one == another
        assert one["draw"] != again["draw"]
        assert (one["seed"], again["seed"]) == (trials[0].seed, trials[0].seed + 1)
