from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event, current_thread

import pytest

from cbablate.errors import DamagedState
from cbablate.mirrors.port import (
    MirrorThread,
    MirrorUnreachable,
    StudyState,
    accounts,
    ledger_id,
)
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.records.facts import SessionFact
from cbablate.records.record import Record
from cbablate.testing.mirror_facts import Story, toy_plan

PLAN = toy_plan()


class Listener:
    """A mirror that notes what it was told, and fails as it was asked to."""

    def __init__(self, name: str = "listener", fault: Exception | None = None) -> None:
        self.name = name
        self.fault = fault
        self.told: list[tuple[int, StudyState, tuple[Path, ...]]] = []
        self.threads: set[str] = set()
        self.hold: Event | None = None
        self.entered = Event()

    def sync(
        self,
        plan: Plan,
        facts: Recorded,
        *,
        state: StudyState,
        artifacts: Sequence[Path] = (),
    ) -> None:
        self.threads.add(current_thread().name)
        self.entered.set()
        if self.hold is not None:
            self.hold.wait(30)
        if self.fault is not None:
            raise self.fault
        self.told.append((Book.of(facts).count, state, tuple(artifacts)))


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MirrorThread, "_REST", 0.0)
    monkeypatch.setattr(MirrorThread, "_SHARE", 0.0)


def test_finishing_syncs_the_last_facts_with_state_and_artifacts() -> None:
    mirror, story = Listener(), Story().complete(PLAN.trials[0])
    thread = MirrorThread([mirror], PLAN, facts=lambda: story.facts)
    assert thread.finish(StudyState.COMPLETE, [Path("t.tex")]) == []
    assert mirror.told == [(len(story.facts), StudyState.COMPLETE, (Path("t.tex"),))]


def test_nothing_is_read_or_written_before_the_first_notice() -> None:
    mirror, reads = Listener(), []
    thread = MirrorThread([mirror], PLAN, facts=lambda: reads.append(1) or [])
    time.sleep(0.05)
    assert (mirror.told, reads) == ([], [])
    assert thread.finish(StudyState.COMPLETE) == []
    assert (len(mirror.told), len(reads)) == (1, 1)


def test_a_ledger_that_cannot_be_read_is_a_sentence_for_each_mirror() -> None:
    def unreadable() -> list[Record]:
        raise DamagedState("the ledger cannot be trusted")

    thread = MirrorThread([Listener("one"), Listener("two")], PLAN, facts=unreadable)
    missed = thread.finish(StudyState.FAILED)
    assert [text.split()[0] for text in missed] == ["one", "two"]
    assert all("the ledger cannot be trusted" in text for text in missed)


def test_notices_during_a_sync_make_one_further_sync() -> None:
    mirror = Listener()
    mirror.hold = Event()
    thread = MirrorThread([mirror], PLAN, facts=list)
    thread.notify()
    assert mirror.entered.wait(10)
    for _ in range(100):
        thread.notify()
    mirror.hold.set()
    assert thread.finish(StudyState.COMPLETE) == []
    assert 2 <= len(mirror.told) <= 3


def test_a_mirror_runs_off_the_callers_thread_and_never_holds_it_up() -> None:
    mirror = Listener()
    mirror.hold = Event()
    thread = MirrorThread([mirror], PLAN, facts=list)
    began = time.monotonic()
    for _ in range(1000):
        thread.notify()
    assert time.monotonic() - began < 5
    mirror.hold.set()
    thread.finish(StudyState.COMPLETE)
    assert mirror.threads == {"mirrors"}


def test_a_mirror_that_cannot_be_reached_is_told_and_the_others_are_served() -> None:
    dead, alive = Listener("dead", MirrorUnreachable("dead is not there")), Listener("alive")
    thread = MirrorThread([dead, alive], PLAN, facts=list)
    thread.notify()
    assert thread.finish(StudyState.COMPLETE) == ["dead is not there"]
    assert alive.told[-1][1] is StudyState.COMPLETE


def test_any_other_fault_of_a_mirror_is_a_sentence_too() -> None:
    thread = MirrorThread([Listener("odd", ValueError("no such colour"))], PLAN, facts=list)
    (missed,) = thread.finish(StudyState.COMPLETE)
    assert "odd" in missed
    assert "ValueError: no such colour" in missed


def test_what_was_missed_on_the_way_and_sent_in_the_end_is_not_missed() -> None:
    mirror = Listener("late", MirrorUnreachable("not yet"))
    thread = MirrorThread([mirror], PLAN, facts=list)
    thread.notify()
    assert mirror.entered.wait(10)
    while not thread._missed:
        time.sleep(0.001)
    mirror.fault = None
    assert thread.finish(StudyState.COMPLETE) == []
    assert len(mirror.told) == 1


def test_a_mirror_that_hangs_is_left_behind_after_the_timeout() -> None:
    stuck = Listener("stuck")
    stuck.hold = Event()
    thread = MirrorThread([stuck], PLAN, facts=list)
    assert thread.finish(StudyState.COMPLETE, timeout=0.05) == [
        "stuck had not taken everything after 0 s"
    ]
    stuck.hold.set()


def test_a_mirror_that_failed_is_left_alone_for_a_while() -> None:
    dead = Listener("dead", MirrorUnreachable("not there"))
    reads = []
    thread = MirrorThread([dead], PLAN, facts=lambda: reads.append(1) or [])
    thread.notify()
    assert dead.entered.wait(10)
    while not thread._missed:
        time.sleep(0.001)
    for _ in range(20):
        thread.notify()
        time.sleep(0.002)
    assert len(reads) == 1
    assert thread.finish(StudyState.COMPLETE) == ["not there"]


def test_accounts_are_the_ended_trials_of_the_plan_in_the_order_they_ended() -> None:
    other = toy_plan(levels=("slow", "late"), replicates=1)
    story = Story().complete(PLAN.trials[1], other.trials[1], PLAN.trials[0])
    story.started(PLAN.trials[2])
    assert [a.trial for a in accounts(PLAN, story.facts)] == [PLAN.trials[1], PLAN.trials[0]]


def test_an_account_tells_when_each_measurement_of_the_last_attempt_was_recorded() -> None:
    trial = PLAN.trials[0]
    story = Story().failed(trial).complete(trial)
    (account,) = accounts(PLAN, story.facts)
    expected = [fact.at for fact in story.facts if fact.kind == "measured"][1:]
    assert list(account.history.times) == expected
    assert len(account.history.measurements) == 3
    assert (account.commit, account.dirty) == ("abc123", True)


def test_a_trial_that_runs_again_has_no_account_until_it_ends() -> None:
    story = Story().failed(PLAN.trials[0])
    story.started(PLAN.trials[0])
    assert accounts(PLAN, story.facts) == []


def test_a_ledger_is_known_by_its_first_session_for_ever() -> None:
    story = Story("s-1")
    name = ledger_id(story.facts)
    story.tell("s-2", SessionFact())
    assert ledger_id(story.facts) == name != ""
    assert ledger_id(Story("s-3").facts) != name
    assert ledger_id([]) == ""
