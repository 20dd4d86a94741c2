"""A study whose number of replicates grows, driven whole: it is what its facts make of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from typer.testing import CliRunner

from cbablate import api
from cbablate.analysis.course import course
from cbablate.analysis.outcome import outcome
from cbablate.analysis.standing import Standing
from cbablate.cli.main import app
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.book import Book
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.records.state import TrialState
from cbablate.reporting.forms.form import render
from cbablate.reporting.tables.arms import outcome_table
from cbablate.running.completion import Completion
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.executors.port import Ending, Executor, Feed, Keeper
from cbablate.spec.needs import Needs
from cbablate.spec.sequential import Sequential
from cbablate.workloads.own_code.entry import Entry
from tests.running.bench import conducted
from tests.toys import toy_plan

GROWS = Sequential(min=6, max=10, until="decided")
LEVELS: tuple[dict[str, Any], ...] = (
    {"ceiling": 2.0, "noise": 0.06},
    {"ceiling": 1.08, "noise": 0.05},
    {"noise": 0.02},
)
"""Arms that are decided at once, after a while, and never."""


def growing(replicates: int | Sequential = GROWS) -> Plan:
    return toy_plan(*LEVELS, epochs=2, replicates=replicates)


def driven(
    plan: Plan, results: Path, executor: Callable[[], Executor] = LocalExecutor
) -> Completion:
    return drive(plan, results=results, executor=executor, publish=lambda f: [])


def tables(plan: Plan, facts: Sequence[Record]) -> list[str]:
    table = outcome_table(outcome(plan, facts))
    return [render(table, form) for form in ("latex", "markdown", "csv")]


def trained(facts: Sequence[Record]) -> set[str]:
    return {fact.subject for fact in facts if fact.kind == "started"}


@pytest.fixture(scope="module")
def whole() -> list[Record]:
    """The facts of a study that nothing has disturbed."""
    return conducted(growing())


def test_only_undecided_arms_and_their_reference_are_given_more(whole: list[Record]) -> None:
    plan = growing()
    found = course(plan, Book.of(whole).histories)
    assert found is not None
    baseline, early, later, never = (found.asked[arm.id] for arm in plan.arms)
    assert 6 <= early < later < never == baseline == 10
    assert trained(whole) == {trial.id for trial in Standing(plan, whole).asked.trials}
    counts = [arm.counts.complete for arm in outcome(plan, whole).summary.arms]
    assert counts == [baseline, early, later, never]


@pytest.mark.slow
def test_killed_at_any_fact_it_goes_on_to_the_same_trials_and_the_same_table(
    whole: list[Record],
) -> None:
    plan, draw = growing(), random.Random(1)
    for _ in range(8):
        facts: list[Record] = []
        while len(facts) < 400:
            before = len(facts)
            facts = conducted(plan, facts, most=before + draw.randint(2, 80))
            if len(facts) == before:
                break
            if not [t for t in Standing(plan, facts).asked.trials if not _complete(facts, t)]:
                facts = conducted(plan, facts)
                break
        assert trained(facts) == trained(whole)
        assert tables(plan, facts) == tables(plan, whole)


def _complete(facts: Sequence[Record], trial: Trial) -> bool:
    history = Book.of(facts).histories.get(trial.id)
    return history is not None and history.state is TrialState.COMPLETE


@pytest.mark.parametrize("slots", [2, 3, 7])
def test_with_several_slots_it_ends_with_the_same_trials(whole: list[Record], slots: int) -> None:
    facts = conducted(growing(), slots=slots)
    assert trained(facts) == trained(whole)
    assert tables(growing(), facts) == tables(growing(), whole)


@pytest.mark.slow
def test_raising_a_fixed_study_to_a_growing_one_trains_nothing_twice(tmp_path: Path) -> None:
    assert driven(growing(6), tmp_path).trained == 24
    done = driven(growing(), tmp_path)
    assert done.trained == len(done.plan.trials) - 24 > 0
    assert driven(growing(), tmp_path).trained == 0
    assert done.exit_code == 0


@pytest.mark.slow
def test_trials_of_another_study_ahead_of_a_look_are_not_used_and_that_is_said(
    whole: list[Record], tmp_path: Path
) -> None:
    driven(growing(10), tmp_path)
    assert driven(growing(), tmp_path).trained == 0
    plan, facts = growing(), api.facts(tmp_path)
    told, own = (outcome_table(outcome(plan, one)) for one in (facts, whole))
    assert told.rows == own.rows
    (said,) = [note for note in told.notes if note.startswith("Not used:")]
    assert said.startswith(f"Not used: {40 - len(own_trials(whole))} complete trials")


def own_trials(facts: Sequence[Record]) -> list[Trial]:
    return list(Standing(growing(), facts).asked.trials)


class _Dying:
    """The executor of this process, whose driver dies after so many trials."""

    name, slots = "local", 1

    def __init__(self, trials: int) -> None:
        self._left = trials
        self._inner = LocalExecutor()

    def __enter__(self) -> _Dying:
        self._inner.__enter__()
        return self

    def needs_of(self, trial: Trial) -> Needs:
        return self._inner.needs_of(trial)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def execute(
        self, feed: Feed, workload: Entry, keeper: Keeper | None = None, **named: Any
    ) -> None:
        self._inner.execute(_Ending(feed, self._left), workload, keeper, **named)

    def call(self, entry: Entry, *arguments: Any, **named: Any) -> Any:
        return self._inner.call(entry, *arguments, **named)


class _Ending:
    """A feed that is cut off after so many trials, the last of them under way."""

    def __init__(self, feed: Feed, trials: int) -> None:
        self._feed = feed
        self._left = trials
        self.next, self.started, self.measured = feed.next, feed.started, feed.measured

    @property
    def exhausted(self) -> bool:
        return self._feed.exhausted

    def ended(self, trial: Trial, ending: Ending) -> None:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        self._feed.ended(trial, ending)


@pytest.mark.slow
def test_a_driver_that_dies_on_the_way_is_continued_by_the_next(
    whole: list[Record], tmp_path: Path
) -> None:
    plan = growing()
    for trials in (3, 22, 5):
        with pytest.raises(KeyboardInterrupt):
            driven(plan, tmp_path, lambda trials=trials: _Dying(trials))  # type: ignore[misc]  # bound now
    driven(plan, tmp_path)
    facts = api.facts(tmp_path)
    assert trained(facts) == trained(whole)
    assert [row.cells for row in outcome_table(outcome(plan, facts)).rows] == [
        row.cells for row in outcome_table(outcome(plan, whole)).rows
    ]


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_ray_ends_with_the_trials_that_this_process_ends_with(tmp_path: Path) -> None:
    from cbablate.running.executors.ray_executor import RayExecutor

    grows = Sequential(min=6, max=8, until="decided")
    plan = toy_plan({"noise": 0.02}, epochs=1, replicates=grows)
    own = conducted(plan)
    driven(plan, tmp_path, lambda: RayExecutor(slots=2))
    facts = api.facts(tmp_path)
    assert trained(facts) == trained(own)
    assert outcome_table(outcome(plan, facts)).rows == outcome_table(outcome(plan, own)).rows


@pytest.mark.slow
def test_an_arm_that_fails_holds_nobody_up_and_is_tried_again_by_the_next_run(
    tmp_path: Path,
) -> None:
    plan = toy_plan({"fault": "raise"}, {"noise": 0.02}, epochs=2, replicates=GROWS)
    done = driven(plan, tmp_path)
    assert done.states == {TrialState.COMPLETE: 20, TrialState.FAILED: 10}
    assert done.exit_code == 3
    assert driven(plan, tmp_path).trained == 10


STUDY = """\
question: Does a higher ceiling score higher?
workload: toy
baseline: {ceiling: 1.0, noise: 0.05}
factors:
  - name: ceiling
    levels:
      - {name: one}
      - {name: two, changes: {ceiling: 2.0, noise: 0.06}}
      - {name: same, changes: {noise: 0.02}}
budget: {epochs: 2}
replicates: {min: 5, max: 8, until: decided}
objective: {metric: val/score, direction: maximize}
report: [test/score, val/score]
"""


@pytest.mark.slow
def test_plan_status_and_table_say_what_may_come_and_what_was_looked_at(tmp_path: Path) -> None:
    study, results = tmp_path / "looks.yaml", tmp_path / "r"
    study.write_text(STUDY)

    def said(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, str(study), "--results", str(results)])
        assert done.exit_code == 0, done.output
        return " ".join(done.stdout.split())

    before = said("plan")
    assert "3 arms (one_at_a_time) x 5 to 8 replicates = 18 to 24 trials" in before
    assert "Looks at the differences after 6 replicates (fewer cannot be claimed)" in before
    assert "At most 8 replicates, 2 comparisons (Šidák): with 80 % power" in before
    assert "To train: 18 trials to the next look, 36 epochs; 24 at most, 48 epochs" in before
    with Place(results).writing():
        pass  # nothing is in it yet; a folder without a ledger is refused when it is named
    assert "No look yet, the first is at 6 seeds; alpha spent: none" in said("status")
    plan = api.plan(api.load_study(study))
    api.run(plan, results=results, resources=api.Resources(on="local"), mirrored=False)
    status, table = said("status"), said("table")
    assert "two differs, 6 replicates" in status
    assert "same undecided at the last look, 8 replicates" in status
    assert "3 of 3 looks, at 6 to 8 seeds; alpha spent: 1.9 % to 5 % of 5 %" in table
    assert "Decided: two (differs, 6 seeds)" in table
    assert "6/8" not in table, "an arm that is decided lacks nothing"
    assert "at most" not in said("plan").partition("Finished:")[2].partition("0 at most")[0]
    explained = CliRunner().invoke(
        app, ["explain", str(study), "two", "p", "--results", str(results)]
    )
    assert "p of all looks together" in explained.stdout
    assert "Entered: 6 pairs" in explained.stdout
