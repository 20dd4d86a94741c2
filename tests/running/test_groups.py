"""Groups of like trials: which trials are one, and what becomes of one in this process."""

from __future__ import annotations

import time
from collections.abc import Collection, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.book import Book
from cbablate.records.facts import Started
from cbablate.records.measurement import Measurement
from cbablate.records.place import Place
from cbablate.running.conductor import Conductor
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.executors.port import Ending, Grouping
from cbablate.running.isolation.limits import Limits
from cbablate.searching.searches import Searching
from cbablate.spec.description import Config, Together
from cbablate.testing import toy_group
from cbablate.testing.feeds import TOY, Diary
from cbablate.workloads.own_code.entry import Entry
from tests.memory_ledger import MemoryLedgers
from tests.toys import toy_plan, tuned_plan

Stream = Generator[tuple[Any, Any], Collection[int], None]


def grouped(plan: Plan, entry: str = "cbablate.testing.toy_group:together", **how: Any) -> Plan:
    """The plan of a study whose workload trains up to four trials at once."""
    together = Together(entry, **{"most": 4, **how})
    return replace(plan, description=replace(plan.description, together=together))


def conductor_of(plan: Plan, book: Book | None = None) -> Conductor:
    book = book or Book()
    ledger = MemoryLedgers.opened(book.add)
    searching = Searching(plan, []) if plan.study.tune else None
    return Conductor(plan, ledger, book, session="s", executor="bench", searching=searching)


def groups_of(conductor: Conductor, most: int) -> list[list[Trial]]:
    """The groups that are given until there is none now."""
    found = []
    while trials := conductor.next(most):
        found.append(list(trials))
    return found


def test_a_group_is_replicates_of_one_arm() -> None:
    plan = grouped(toy_plan({"ceiling": 2.0}, replicates=3))
    one, two = (arm.id for arm in plan.arms)
    groups = groups_of(conductor_of(plan), 2)
    assert [[(t.arm, t.replicate) for t in group] for group in groups] == [
        [(one, 0), (one, 1)],
        [(two, 0), (two, 1)],
        [(one, 2)],
        [(two, 2)],
    ]


def test_a_workload_may_say_that_arms_are_alike() -> None:
    def without_ceiling(config: Config) -> Config:
        return {key: value for key, value in config.items() if key != "ceiling"}

    plan = toy_plan({"ceiling": 2.0}, {"rate": 2.0}, replicates=2)
    plan = grouped(plan, alike=without_ceiling)
    groups = groups_of(conductor_of(plan), 4)
    assert [[(t.config["ceiling"], t.config["rate"]) for t in group] for group in groups] == [
        [(1.0, 0.5), (2.0, 0.5), (1.0, 0.5), (2.0, 0.5)],
        [(1.0, 2.0), (1.0, 2.0)],
    ]


def test_a_trial_that_may_have_killed_its_driver_is_trained_alone_and_last() -> None:
    plan = grouped(toy_plan(replicates=4))
    suspect = plan.trials[0]
    book = Book()
    for attempt in (1, 2):
        book.add(Started(attempt, "s").record(suspect.id, float(attempt)))
    conductor = conductor_of(plan, book)
    groups = [[trial.replicate for trial in group] for group in groups_of(conductor, 4)]
    assert groups == [[1, 2, 3], [0]]


def test_trials_of_a_workload_that_trains_no_groups_are_alike_to_none() -> None:
    groups = groups_of(conductor_of(toy_plan(replicates=3)), 4)
    assert [len(group) for group in groups] == [1, 1, 1]


def test_a_proposal_is_given_by_itself_since_the_next_is_made_with_what_is_known_of_it() -> None:
    conductor = conductor_of(grouped(tuned_plan(trials=3, replicates=4)))
    groups = [conductor.next(4) for _ in range(4)]
    assert [len(group) for group in groups] == [1, 1, 1, 4]
    assert [bool(group[0].search) for group in groups] == [True, True, True, False]


def test_a_study_trained_in_groups_records_what_it_records_trial_by_trial(tmp_path: Path) -> None:
    levels = ({"ceiling": 2.0}, {"fault": "raise"}, {"fault": "nan"}, {"fault": "silent"})
    plan, told = toy_plan(*levels, epochs=4, replicates=3), {}
    for name, asked in {"alone": plan, "together": grouped(plan, most=2)}.items():
        drive(asked, results=tmp_path / name, executor=LocalExecutor, publish=lambda facts: [])
        with Place(tmp_path / name).reading() as ledger:
            facts = ledger.records(["measured", "ended"])
        told[name] = {
            (fact.subject, fact.kind, fact.body.get("spent")): (
                fact.body.get("metrics"),
                fact.body.get("state"),
                fact.body.get("failure"),
                fact.body.get("reason"),
            )
            for fact in facts
        }
        subjects = [fact.subject for fact in facts if fact.kind == "measured"]
        if name == "together":
            assert subjects[0] != subjects[1], "two trials went on in turn"
    assert told["alone"] == told["together"]
    assert len(told["alone"]) > 30


class _CutShort(BaseException):
    """The driver died."""


def test_members_of_a_group_whose_driver_died_go_on_from_their_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, measured, told = grouped(toy_plan(epochs=4, replicates=2)), Conductor.measured, {}

    def cut(self: Conductor, trial: Trial, measurement: Measurement) -> Any:
        if measurement.spent > 2:
            raise _CutShort
        return measured(self, trial, measurement)

    def driven(folder: str) -> None:
        drive(
            plan,
            results=tmp_path / folder,
            executor=LocalExecutor,
            publish=lambda facts: [],
            checkpoint_every=0.0,
        )

    driven("undisturbed")
    with monkeypatch.context() as patched, pytest.raises(_CutShort):
        patched.setattr(Conductor, "measured", cut)
        driven("cut")
    driven("cut")
    for folder in ("undisturbed", "cut"):
        with Place(tmp_path / folder).reading() as ledger:
            facts = ledger.records()
        assert folder == "undisturbed" or [
            fact.body.get("from") for fact in facts if fact.kind == "started"
        ] == [None, None, 2, 2]
        told[folder] = {
            trial: (history.state, [(m.spent, m.metrics) for m in history.measurements])
            for trial, history in Book.of(facts).histories.items()
        }
    assert told["cut"] == told["undisturbed"]


def _raises(configs: list[Any], **named: Any) -> Stream:
    """Comes to an end with an error, once its second member has told something."""
    for member, item in toy_group.together(configs, **named):
        yield member, item
        if member == 1:
            raise RuntimeError("all at once")


def _deaf(configs: list[Any], **named: Any) -> Stream:
    for told in toy_group.together(configs, **named):  # noqa: UP028 - what it is sent goes nowhere
        yield told


def _a_word(configs: list[Any], **named: Any) -> Stream:
    """Its second member measures a word, and hears that it is stopped."""
    heard: set[int] = set()
    for member, item in toy_group.together(configs, **named):
        if member not in heard:
            told = Measurement(item.spent, {"val/score": "good"}) if member == 1 else item
            heard |= set((yield member, told) or ())
    assert heard == {1}


def _nobody(configs: list[Any], **named: Any) -> Stream:
    yield len(configs), Measurement(spent=1, metrics={})


def _no_pair(configs: list[Any], **named: Any) -> Stream:
    yield Measurement(spent=1, metrics={})  # type: ignore[misc]  # on purpose


def _hangs(configs: list[Any], **named: Any) -> Stream:
    yield 0, Measurement(spent=1, metrics={})
    time.sleep(600)


def _no_generator(configs: list[Any], **named: Any) -> list[Any]:
    return []


def endings(together: str, *, stop_at: int = 10**9, limits: Limits | None = None) -> list[Ending]:
    """How the three members of a group ended whose stream is a function of this module."""
    trials = toy_plan(epochs=3, replicates=3).trials
    diary = Diary(trials, stop_at=stop_at)
    grouping = Grouping(Entry(f"{__name__}:{together}"), 3)
    with LocalExecutor() as executor:
        executor.execute(diary, TOY, limits=limits or Limits(), grouping=grouping)
    return [ending for trial in trials for ending in diary.of(trial.id, "ended")]


@pytest.mark.parametrize(
    ("together", "sentence"),
    [
        ("_raises", "RuntimeError: all at once"),
        ("_nobody", "told of member '3' (int), and those that are open are 0, 1, 2"),
        ("_no_pair", "not a member and its measurement"),
        ("_no_generator", "not a generator of measurements with their members: does it `yield`?"),
        ("no_such", "has no function 'no_such'"),
    ],
)
def test_what_the_stream_of_a_group_raises_fails_all_its_members(
    together: str, sentence: str
) -> None:
    found = endings(together)
    assert [ending.how for ending in found] == ["raised"] * 3
    assert all(sentence in ending.sentence for ending in found)


def test_a_group_that_goes_on_with_a_stopped_member_fails_and_the_stopped_one_stays_so() -> None:
    found = endings("_deaf", stop_at=1)
    assert [ending.how for ending in found] == ["stopped"] * 3
    trials = toy_plan(epochs=3, replicates=2).trials
    diary = _StopsFirst(trials)
    with LocalExecutor() as executor:
        grouping = Grouping(Entry(f"{__name__}:_deaf"), 2)
        executor.execute(diary, TOY, grouping=grouping)
    first, second = (diary.of(trial.id, "ended")[0] for trial in trials)
    assert (first.how, second.how) == ("stopped", "raised")
    assert "told of member '0' (int), and those that are open are 1" in second.sentence
    assert len(diary.of(trials[0].id, "measured")) == 1


class _StopsFirst(Diary):
    def measured(self, trial: Trial, measurement: Measurement) -> Any:
        verdict = super().measured(trial, measurement)
        return replace(verdict, stop=trial.replicate == 0)


def test_a_measurement_that_is_refused_fails_its_member_which_is_stopped() -> None:
    found = endings("_a_word")
    assert [ending.how for ending in found] == ["finished", "raised", "finished"]
    assert "metric 'val/score' is 'good' (str), not a number" in found[1].sentence


def test_a_group_over_a_limit_fails_all_its_members_as_timeout() -> None:
    found = endings("_hangs", limits=Limits(silence=0.5))
    assert [(ending.how, ending.failure) for ending in found] == [("raised", "timeout")] * 3
