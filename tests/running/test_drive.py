"""Driving a study: what is trained, what is kept, what it comes to."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cbablate.errors import EnvironmentFault, OwnedElsewhere, StudyError
from cbablate.mirrors.port import MirrorUnreachable, StudyState, accounts
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.book import Book
from cbablate.records.facts import Measured, Started
from cbablate.records.measurement import Measurement
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.records.sqlite.ledger_file import LedgerFile
from cbablate.records.state import TrialState
from cbablate.running.agenda import waiting
from cbablate.running.completion import Completion
from cbablate.running.drive import drive, sync
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.executors.port import Ending
from cbablate.running.timing_stage import untimed
from cbablate.spec.needs import Needs
from tests.toys import toy_plan


def driven(plan: Plan, results: Path, **more: Any) -> Completion:
    return drive(plan, results=results, executor=LocalExecutor, publish=lambda f: [], **more)


def told(results: Path) -> list[Record]:
    with Place(results).reading() as ledger:
        return ledger.records()


def test_running_again_trains_nothing_that_is_finished(tmp_path: Path) -> None:
    plan = toy_plan({"ceiling": 2.0})
    assert driven(plan, tmp_path).trained == 4
    before = told(tmp_path)
    again = driven(plan, tmp_path)
    assert again.trained == 0
    assert again.exit_code == 0
    assert told(tmp_path) == before


def test_an_edited_study_trains_only_what_is_new(tmp_path: Path) -> None:
    driven(toy_plan({"ceiling": 2.0}), tmp_path)
    assert driven(toy_plan({"ceiling": 2.0}, {"ceiling": 3.0}), tmp_path).trained == 2
    assert driven(toy_plan({"ceiling": 2.0}, replicates=3), tmp_path).trained == 2


def test_a_failed_trial_is_told_with_its_traceback_and_the_others_go_on(tmp_path: Path) -> None:
    done = driven(toy_plan({"fault": "raise"}, {"ceiling": 2.0}), tmp_path)
    assert done.exit_code == 3
    assert done.states == {TrialState.COMPLETE: 4, TrialState.FAILED: 2}
    assert {h.failure for h in done.failures.values()} == {"error"}
    assert all("asked to raise" in h.traceback for h in done.failures.values())


def test_nan_is_a_state_and_never_a_number(tmp_path: Path) -> None:
    plan = toy_plan({"fault": "nan"}, replicates=1, epochs=4)
    done = driven(plan, tmp_path)
    (history,) = done.failures.values()
    assert history.failure == "diverged"
    assert history.reason == "val/score is nan after 3 epochs"
    assert [m.spent for m in history.measurements] == [1, 2]
    assert all(math.isfinite(m.metrics["val/score"]) for m in history.measurements)


def test_a_stream_that_ends_early_is_failed_and_not_complete(tmp_path: Path) -> None:
    done = driven(toy_plan(fault="silent", epochs=4, replicates=1), tmp_path)
    (history,) = done.failures.values()
    assert (history.failure, history.reason) == (
        "no measurement",
        "the workload ended after 2 of 4 epochs",
    )


def test_failed_trials_are_tried_again_but_diverged_ones_are_not(tmp_path: Path) -> None:
    driven(toy_plan({"fault": "nan"}, {"fault": "raise"}, replicates=1), tmp_path)
    assert (
        driven(toy_plan({"fault": "nan"}, {"fault": "raise"}, replicates=1), tmp_path).trained == 1
    )
    attempts = Book.of(told(tmp_path)).histories
    assert sorted(history.attempts for history in attempts.values()) == [1, 1, 2]


def test_timings_are_taken_once_for_all_arms_together(tmp_path: Path) -> None:
    plan = toy_plan({"seconds": 0.001}, report=("test/score", "throughput/train"))
    driven(plan, tmp_path)
    driven(plan, tmp_path)
    timed = [fact for fact in told(tmp_path) if fact.kind == "timed"]
    assert {fact.subject for fact in timed} == set(plan.arm_of)
    assert len(timed) == 2
    assert len({fact.body["batch"] for fact in timed}) == 1
    wider = toy_plan(
        {"seconds": 0.001}, {"seconds": 0.002}, report=("test/score", "throughput/train")
    )
    assert not untimed(wider, Book.of(told(tmp_path))), "its new arm has not been trained"
    driven(wider, tmp_path)
    timed = [fact for fact in told(tmp_path) if fact.kind == "timed"]
    assert [fact.subject for fact in timed[2:]] == list(wider.arm_of), "one stage for all arms"
    assert not untimed(toy_plan({"seconds": 0.002}), Book()), "nobody asked for a timing"


def test_a_timing_stage_that_only_failed_arms_lack_is_not_repeated_for_ever(tmp_path: Path) -> None:
    plan = toy_plan({"fault": "nan"}, report=("test/score", "throughput/train"))
    driven(plan, tmp_path)
    first = [fact for fact in told(tmp_path) if fact.kind == "timed"]
    driven(plan, tmp_path)
    assert [fact for fact in told(tmp_path) if fact.kind == "timed"] == first


def test_a_second_driver_is_turned_away_while_the_first_one_works(tmp_path: Path) -> None:
    with Place(tmp_path).writing(), pytest.raises(OwnedElsewhere, match="process"):
        driven(toy_plan(), tmp_path)


class _Recording:
    """A mirror that remembers what it was told."""

    name = "a recording"

    def __init__(self, *, reachable: bool = True) -> None:
        self.reachable = reachable
        self.states: list[StudyState] = []

    def sync(self, plan: Plan, facts: Any, *, state: StudyState, artifacts: Any = ()) -> None:
        if not self.reachable:
            raise MirrorUnreachable("nobody answers")
        self.states.append(state)


def test_a_mirror_that_cannot_be_reached_costs_a_sentence_and_no_trial(tmp_path: Path) -> None:
    done = driven(toy_plan(), tmp_path, mirrors=lambda: [_Recording(reachable=False)])
    assert done.exit_code == 0
    assert done.missed == ("nobody answers",)
    with pytest.raises(MirrorUnreachable, match="nobody answers"):
        sync(
            toy_plan(),
            told(tmp_path),
            mirrors=[_Recording(reachable=False)],
            publish=lambda facts: [],
        )


def test_a_run_reads_each_fact_of_its_ledger_once_and_its_mirrors_read_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven(toy_plan(replicates=1), tmp_path)
    known, reads, stream = len(told(tmp_path)), list[int](), LedgerFile.stream

    def counted(file: LedgerFile, *, after: int = 0) -> Iterator[Record]:
        for fact in stream(file, after=after):
            reads.append(fact.sequence)
            yield fact

    monkeypatch.setattr(LedgerFile, "stream", counted)
    done = driven(toy_plan(replicates=3), tmp_path, mirrors=lambda: [_Recording()])
    assert done.trained > 0
    assert reads == [*range(1, known + 1)]


@pytest.mark.parametrize(
    ("fault", "state"), [("none", StudyState.COMPLETE), ("raise", StudyState.FAILED)]
)
def test_mirrors_hear_how_it_ended(fault: str, state: StudyState, tmp_path: Path) -> None:
    mirror = _Recording()
    plan = toy_plan(fault=fault)
    driven(plan, tmp_path, mirrors=lambda: [mirror])
    assert mirror.states[-1] is state
    late = _Recording()
    sync(plan, told(tmp_path), mirrors=[late], publish=lambda facts: [])
    assert late.states == [state]


def test_a_study_half_done_is_shown_as_interrupted(tmp_path: Path) -> None:
    driven(toy_plan(), tmp_path)
    late = _Recording()
    sync(toy_plan(replicates=9), told(tmp_path), mirrors=[late], publish=lambda facts: [])
    assert late.states == [StudyState.INTERRUPTED]


class _Refusing:
    """An executor whose verification finds fault, and which must never be asked to train."""

    name = "refusing"
    slots = 1

    def __enter__(self) -> _Refusing:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def call(self, entry: Any, configs: Mapping[str, Any], **_: Any) -> dict[str, list[str]]:
        return {name: ["has no blocks"] for name in configs}

    def execute(self, feed: Any, workload: Any, keeper: Any = None, **_: Any) -> None:
        raise EnvironmentFault("trained something that cannot be built")


def test_what_only_the_library_knows_is_refused_for_all_arms_before_anything_trains(
    tmp_path: Path,
) -> None:
    from dataclasses import replace

    plan = toy_plan({"ceiling": 2.0})
    plan = replace(plan, description=replace(plan.description, verify="somewhere:verify"))
    with pytest.raises(StudyError) as error:
        drive(plan, results=tmp_path, executor=_Refusing, publish=lambda f: [])
    assert str(error.value) == "toys: every arm: has no blocks", "one fault is told once"
    assert not [fact for fact in told(tmp_path) if fact.kind == "started"]


def test_a_timing_that_raises_is_told_and_what_was_trained_is_published(tmp_path: Path) -> None:
    class Untimeable(LocalExecutor):
        def call(self, entry: Any, *arguments: Any, **named: Any) -> Any:
            raise MemoryError("too large to time")

    published: list[int] = []
    plan = toy_plan(report=("test/score", "throughput/train"))
    done = drive(
        plan,
        results=tmp_path,
        executor=Untimeable,
        publish=lambda book: published.append(book.count) or [],
    )
    assert done.unanswered == ("The arms could not be timed: MemoryError: too large to time",)
    assert done.exit_code == 3
    assert done.states == {TrialState.COMPLETE: 2}
    assert len(published) == 1


def test_a_trial_that_got_on_from_its_checkpoint_keeps_its_place(tmp_path: Path) -> None:
    plan = toy_plan({"ceiling": 2.0}, replicates=2)
    first = plan.trials[0]
    with Place(tmp_path).writing() as ledger:
        ledger.append(Started(1, "s").record(first.id))
        ledger.append(Measured(Measurement(1, {"val/score": 1.0})).record(first.id))
        ledger.append(Started(2, "s", reached=1).record(first.id))
        place = waiting(plan, Book.of(ledger.records()).histories).index(first)
        assert place == 3, "it got nowhere"
        ledger.append(Measured(Measurement(2, {"val/score": 1.0})).record(first.id))
        assert waiting(plan, Book.of(ledger.records()).histories).index(first) == 0


def test_a_trial_that_was_under_way_at_two_deaths_comes_last(tmp_path: Path) -> None:
    plan = toy_plan({"ceiling": 2.0}, replicates=2)
    first = plan.trials[0]
    with Place(tmp_path).writing() as ledger:
        for attempt, expected in ((1, 0), (2, 3)):
            ledger.append(Started(attempt, "s").record(first.id))
            order = waiting(plan, Book.of(ledger.records()).histories)
            assert order.index(first) == expected
    assert driven(plan, tmp_path).states == {TrialState.COMPLETE: 4}


class _Dying:
    """An executor that is killed by an interrupt in the middle of its second trial."""

    name = "dying"
    slots = 1

    def __enter__(self) -> _Dying:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def call(self, *_: Any, **__: Any) -> dict[str, list[str]]:
        return {}

    def needs_of(self, trial: Trial) -> Needs:
        return Needs(gpus=0.0)

    def execute(self, feed: Any, workload: Any, keeper: Any = None, **_: Any) -> None:
        (first,) = feed.next()
        feed.started(first, {})
        for measurement in workload.load()(
            first.config, seed=first.seed, budget=first.budget, workdir=Path()
        ):
            feed.measured(first, measurement)
        feed.ended(first, Ending("finished"))
        (second,) = feed.next()
        feed.started(second, {})
        raise KeyboardInterrupt


def test_an_interrupt_keeps_what_had_finished_and_the_rest_starts_again(tmp_path: Path) -> None:
    plan = toy_plan(replicates=3)
    mirror = _Recording()
    with pytest.raises(KeyboardInterrupt):
        drive(
            plan,
            results=tmp_path,
            executor=_Dying,
            publish=lambda f: [],
            mirrors=lambda: [mirror],
        )
    assert mirror.states[-1] is StudyState.INTERRUPTED
    assert driven(plan, tmp_path).trained == 2
    attempts = Book.of(told(tmp_path)).histories
    assert sorted(history.attempts for history in attempts.values()) == [1, 1, 2]


@pytest.fixture(autouse=True)
def _quiet(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    capsys.readouterr()


def test_every_start_and_every_timing_names_a_worker_that_the_ledger_has_once(
    tmp_path: Path,
) -> None:
    plan = toy_plan(report=("test/score", "throughput/train"), replicates=2)
    drive(plan, results=tmp_path, executor=LocalExecutor, publish=lambda facts: [])
    facts = told(tmp_path)
    workers = [fact.subject for fact in facts if fact.kind == "worker"]
    assert len(workers) == len(set(workers)) == 1
    named = [fact for fact in facts if fact.kind in ("started", "timed")]
    assert {fact.body["worker"] for fact in named} == set(workers)
    timed = [fact for fact in facts if fact.kind == "timed"]
    assert timed
    assert all(fact.body["device"] for fact in timed)
    mirrored = accounts(plan, facts)
    assert {account.nodes for account in mirrored} == {(socket.gethostname(),)}
    assert all(account.timings[-1].device and account.devices for account in mirrored)
