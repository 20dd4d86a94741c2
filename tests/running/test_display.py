"""What a person sees of a study in progress."""

from __future__ import annotations

import io
import itertools
import time

import pytest
from rich.console import Console

from cbablate.analysis.searches.tuning import tunings
from cbablate.phrases import duration
from cbablate.planning.search import searches
from cbablate.planning.tuned_plan import confirmed
from cbablate.records.history import History
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState
from cbablate.running.display import Display
from tests.toys import toy_plan, tuned_plan


def shown(*, terminal: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=100, highlight=False), out


def test_without_a_terminal_each_ended_trial_is_one_plain_line() -> None:
    plan = toy_plan({"ceiling": 2.0}, replicates=1)
    console, out = shown(terminal=False)
    first, second = plan.trials
    with Display(plan, {}, console=console) as display:
        display.started(first)
        display.measured(first, Measurement(spent=3, metrics={"val/score": 0.5, "train/loss": 2.0}))
        display.ended(first, TrialState.COMPLETE, "")
        display.started(second)
        display.ended(second, TrialState.FAILED, "val/score is nan after 1 epochs")
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("1/2 baseline #0: complete, val/score 0.5, train/loss 2 (")
    assert lines[0].endswith("left")
    assert lines[1].startswith("2/2 level 1 #0: failed (")
    assert lines[1].endswith(": val/score is nan after 1 epochs")
    assert "\x1b" not in out.getvalue()


def test_in_a_terminal_the_panel_tells_states_and_running_values() -> None:
    plan = toy_plan({"ceiling": 2.0}, replicates=2)
    console, out = shown(terminal=True)
    done = History(trial=plan.trials[0].id, state=TrialState.COMPLETE)
    with Display(plan, {done.trial: done}, console=console) as display:
        display.started(plan.trials[1])
        display.measured(plan.trials[1], Measurement(spent=2, metrics={"val/score": 0.25}))
        display.started(plan.trials[2])
        display.ended(plan.trials[2], TrialState.FAILED, "it broke")
        console.print(display)
    text = out.getvalue()
    for said in ("1/4", "1 running", "1 waiting", "2/3 epochs", "val/score 0.25", "it broke"):
        assert said in text or said == "1/4"
    assert "2/4" in text, "complete and failed trials are both done"


def test_the_time_left_counts_slots_and_falls_silent_when_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a clock by which each trial takes ten seconds."""
    clock = itertools.count(step=10.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    plan = toy_plan(replicates=4)
    console, out = shown(terminal=False)
    with Display(plan, {}, console=console) as display:
        for trial in plan.trials:
            display.slots = 3 if trial is plan.trials[1] else 1
            display.started(trial)
            display.ended(trial, TrialState.COMPLETE, "")
    left = [line.partition("; ")[2] for line in out.getvalue().splitlines()]
    assert left == ["about 30.0 s left", "about 6.7 s left", "about 10.0 s left", ""]


def test_durations_read_as_a_person_says_them() -> None:
    said = [duration(seconds) for seconds in (0.04, 59.94, 59.96, 3599, 7500, 273600)]
    assert said == ["0.0 s", "59.9 s", "1 min 0 s", "59 min 59 s", "2 h 5 min", "3 d 4 h"]


def test_a_search_tells_how_far_it_is_and_its_best_and_confirmations_are_called_tuned() -> None:
    plan = tuned_plan({"ceiling": 2.0}, trials=2, replicates=1)
    (search, _), out = searches(plan), io.StringIO()
    console = Console(file=out, force_terminal=False, width=200, highlight=False)
    proposal = {"rate": 1.0, "start": 0.0}
    tuned = confirmed(plan, {search.id: proposal})
    with Display(plan, {}, tunings=tunings(plan, []), console=console) as display:
        for number, (state, value) in enumerate(
            [(TrialState.COMPLETE, 0.75), (TrialState.PRUNED, 0.9)]
        ):
            trial = search.trial(number, proposal, plan.description)
            display.started(trial)
            display.measured(trial, Measurement(spent=1, metrics={"val/score": value}))
            display.ended(trial, state, "so it was decided" if number else "")
        display.planned(tuned, [search.id])
        display.started(tuned.trials[0])
        display.ended(tuned.trials[0], TrialState.COMPLETE, "")
        console.print(display)
    first, second, third, *panel = out.getvalue().splitlines()
    assert first.startswith("1/8 baseline search 0: complete, val/score 0.75 (")
    assert "[1/2 tried: 1 complete, best val/score 0.75]" in first
    assert second.startswith("2/8 baseline search 1: pruned, val/score 0.9 (")
    assert "so it was decided [2/2 tried: 1 complete, 1 pruned, best val/score 0.75]" in second
    assert third.startswith("3/8 baseline tuned #0: complete (")
    assert any("level 1: 0/2 tried: none" in line for line in panel)
