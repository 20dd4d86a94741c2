"""A study whose first trials all fail alike stops and says so once; any other goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate import api
from cbablate.analysis.likeness import likeness
from cbablate.overviews import overview
from cbablate.planning.trial import Trial
from cbablate.records.state import TrialState
from cbablate.running.completion import Completion
from cbablate.running.drive import drive
from cbablate.running.first_failures import FirstFailures
from cbablate.running.trial_end import End
from cbablate.testing.toy_plan import toy_plan
from tests.workloads.own_code import project, ran, train

RAISES = train().replace(
    "    for epoch", "    raise RuntimeError(f'no {seed} here')\n    for epoch"
)
HALTED = "3 trials of 2 arms failed alike (RuntimeError: no "


def study(folder: Path, text: str, replicates: int = 6) -> Path:
    """A study of two arms whose workload reads so."""
    path = project(folder, {"wl.py": text})
    path.write_text(path.read_text().replace("replicates: 2", f"replicates: {replicates}"))
    return path


def ending(done: Completion, folder: Path) -> str:
    """What a run says in the end."""
    return overview.ended(done.plan, done, folder, sync="cbablate sync", mirrored=False)


def test_a_study_whose_first_trials_fail_alike_stops_and_says_so_once(tmp_path: Path) -> None:
    path = study(tmp_path, RAISES)
    done = ran(path, tmp_path / "r")
    assert (done.trained, done.exit_code) == (3, 3)
    (said,) = done.unanswered
    assert said.startswith(HALTED)
    assert "so no further one was started. First: 0.1 #0; `cbablate status` shows" in said
    told = ending(done, tmp_path / "r")
    assert told.count("RuntimeError: no ") == 3, "in the sentence, the reason and its traceback"
    assert "  3 trials failed alike, first 0.1 #0 (0/2 epochs): error: RuntimeError: no " in told
    assert ran(path, tmp_path / "r").trained == 3, "running again tries again"


def test_many_trials_that_fail_alike_later_on_are_one_line(tmp_path: Path) -> None:
    once = RAISES.replace("    raise", "    if config['lr'] > 0.2: raise")
    done = ran(study(tmp_path, once), tmp_path / "r")
    assert (done.trained, done.unanswered) == (12, ()), "one arm that fails is no study that does"
    told = ending(done, tmp_path / "r")
    assert "6 trials failed:\n  6 trials failed alike, first 0.3 #0" in told
    assert "then 0.3 #1; 0.3 #2; " in told
    planned, facts = api.recorded(api.plan(api.load_study(tmp_path / "study.yaml")), tmp_path / "r")
    assert "6 trials failed alike, first 0.3 #0" in overview.standing(planned, facts)


def test_a_study_of_few_trials_that_all_fail_has_nothing_to_hold_back(tmp_path: Path) -> None:
    done = ran(study(tmp_path, RAISES, replicates=1), tmp_path / "r")
    assert (done.trained, done.unanswered) == (2, ())


@pytest.mark.ray
def test_under_ray_trials_that_are_under_way_end_and_no_further_one_starts(
    tmp_path: Path, ray_session: None
) -> None:
    planned = api.plan(api.load_study(study(tmp_path, RAISES, replicates=10)))
    executor = api.Resources().executor
    done = drive(planned, results=tmp_path / "r", executor=executor, publish=lambda facts: [])
    assert 3 <= done.trained < 20
    assert len(done.failures) == done.trained
    assert "failed alike (RuntimeError: no " in done.unanswered[0]


class TestFirst:
    """What counts as the first trials failing alike, without running any."""

    plan = toy_plan({"ceiling": 2.0}, replicates=6)

    def _said(self, *ends: End, trials: tuple[Trial, ...] = (), measured: bool = False) -> str:
        first, said = FirstFailures(self.plan, left=12), ""
        for trial, end in zip(trials or self.plan.trials, ends, strict=False):
            first.began(trial, "here")
            said = said or first.ended(trial, end, measured=measured, label=self.plan.label(trial))
        return said

    def test_three_of_one_arm_are_that_arms(self) -> None:
        one = tuple(t for t in self.plan.trials if t.arm == self.plan.arms[0].id)
        assert not self._said(*[End.failed("out", "lost")] * 6, trials=one)

    def test_other_failures_or_a_trial_that_ends_otherwise_show_that_it_can_go_on(self) -> None:
        fails = End.failed("out of memory", "error")
        assert self._said(fails, fails, fails)
        for other in (
            End(TrialState.COMPLETE),
            End(TrialState.PRUNED),
            End.failed("val/loss is nan after 1 epochs", "diverged"),
            End.failed("another", "error"),
        ):
            assert not self._said(other, *[fails] * 5)
            assert not self._said(fails, other, *[fails] * 5)

    def test_diverging_is_a_result(self) -> None:
        assert not self._said(*[End.failed("val/loss is nan after 1 epochs", "diverged")] * 6)

    def test_while_another_machine_trains_one_alone_may_be_at_fault(self) -> None:
        first, fails = FirstFailures(self.plan, left=12), End.failed("no data", "error")
        *failing, other = self.plan.trials[:6]
        first.began(other, "good")
        for trial in failing:
            first.began(trial, "bad")
            assert not first.ended(trial, fails, measured=False, label="")
        assert first.ended(other, fails, measured=False, label="")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("no 12 in /tmp/a/b.py", "no 3.5e-4 in /tmp/x/c.py", True),
        ("<Net object at 0x7f21c4a3>", "<Net object at 0x55ad01ff>", True),
        ("RuntimeError: out of memory", "RuntimeError: no such key", False),
    ],
)
def test_failures_are_alike_that_differ_in_numbers_paths_and_addresses(
    one: str, other: str, alike: bool
) -> None:
    assert (likeness("error", one) == likeness("error", other)) is alike
    assert likeness("error", one) != likeness("lost", one)
