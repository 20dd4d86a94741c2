from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.errors import DamagedState
from cbablate.fingerprint import canonical
from cbablate.records.book import Book
from cbablate.records.facts import (
    ArmFact,
    Ended,
    Fact,
    Measured,
    SessionFact,
    Started,
    StudyFact,
    Timed,
    TrialFact,
)
from cbablate.records.history import History
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record
from cbablate.records.state import FAILURES, TrialState

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(min_size=1, max_size=8)
MEASUREMENTS = st.builds(
    Measurement,
    spent=st.integers(1, 10**9),
    metrics=st.dictionaries(NAMES, NUMBERS, max_size=4),
    vectors=st.dictionaries(NAMES, st.lists(NUMBERS, max_size=4).map(tuple), max_size=3),
    seconds=NUMBERS,
    notes=st.dictionaries(NAMES, NAMES, max_size=3),
)


def facts(*told: Fact, subject: str = "t") -> list[Record]:
    return [fact.record(subject, 100.0 + i) for i, fact in enumerate(told)]


START = Started(1, "s", "local")


def point(spent: int) -> Measured:
    return Measured(Measurement(spent, {"loss": 1.0 / spent}))


def end(state: str, **said: str) -> Ended:
    return Ended(state, **said)


@given(MEASUREMENTS)
def test_a_measurement_comes_back_from_its_fact_as_it_was(measurement: Measurement) -> None:
    record = Measured(measurement, 3, "s").record("t", 1.0)
    kept = replace(record, body=json.loads(canonical(record.body)))
    assert Measured.of(kept) == Measured(measurement, 3, "s")


def test_a_whole_trial_is_complete_with_its_curve_in_order() -> None:
    (told,) = Book.of(facts(START, point(1), point(2), end("complete"))).histories.values()
    assert told.state is TrialState.COMPLETE
    assert [m.spent for m in told.measurements] == [1, 2]
    assert told.last is told.measurements[-1]
    assert (told.began, told.ended, told.session, told.attempts) == (100.0, 103.0, "s", 1)


def test_a_trial_without_an_end_is_running() -> None:
    (told,) = Book.of(facts(START, point(1))).histories.values()
    assert told.state is TrialState.RUNNING
    assert not told.settled


def resumed(spent: int) -> Started:
    return Started(2, "later", "local", reached=spent)


def test_an_attempt_from_a_checkpoint_goes_on_with_the_curve_up_to_there() -> None:
    told = facts(START, point(1), point(2), point(3), resumed(2), point(3), point(4))
    (history,) = Book.of(told).histories.values()
    assert [m.spent for m in history.measurements] == [1, 2, 3, 4]
    assert history.times == [101.0, 102.0, 105.0, 106.0]
    assert (history.attempts, history.began) == (2, 104.0)
    assert (history.session, history.sessions) == ("later", ("s", "later"))
    assert history.reached == 2


def test_an_attempt_that_did_not_use_its_checkpoint_has_a_curve_of_its_own() -> None:
    told = facts(START, point(1), point(2), resumed(2), point(1), point(2), point(3))
    (history,) = Book.of(told).histories.values()
    assert [m.spent for m in history.measurements] == [1, 2, 3]
    assert history.times == [104.0, 105.0, 106.0]
    assert history.sessions == ("later",)
    assert history.reached == 0


@given(st.lists(st.integers(1, 9), max_size=5))
def test_however_often_an_attempt_is_cut_short_its_curve_grows_and_has_no_gap(
    cuts: list[int],
) -> None:
    told: list[Fact] = [START]
    reached = 0
    for cut in cuts:
        told += [point(spent) for spent in range(reached + 1, max(cut, reached) + 1)]
        reached = max(reached, cut - 1)  # the last measurement's checkpoint was not kept in time
        told.append(resumed(reached) if reached else START)
    told += [point(spent) for spent in range(reached + 1, 11)]
    (history,) = Book.of(facts(*told)).histories.values()
    assert [m.spent for m in history.measurements] == list(range(1, 11))
    assert len(history.times) == 10


def test_a_new_attempt_forgets_the_curve_and_the_failure_of_the_last() -> None:
    first = [START, point(1), end("failed", failure="error", reason="boom", traceback="T")]
    (told,) = Book.of(facts(*first, START, point(3))).histories.values()
    assert (told.attempts, told.state) == (2, TrialState.RUNNING)
    assert [m.spent for m in told.measurements] == [3]
    assert (told.reason, told.failure, told.traceback, told.ended) == ("", "", "", 0.0)


@given(st.lists(st.integers(0, 3), max_size=12))
def test_trials_do_not_mix_however_their_facts_interleave(order: list[int]) -> None:
    told: list[Record] = []
    count: dict[int, int] = {}
    for number in order:
        count[number] = count.get(number, 0) + 1
        told += facts(START if count[number] == 1 else point(count[number]), subject=str(number))
    found = Book.of(told).histories
    assert {name: len(h.measurements) + 1 for name, h in found.items()} == {
        str(number): n for number, n in count.items()
    }


def test_facts_about_other_things_are_passed_by() -> None:
    trial = TrialFact("a", {"epochs": 1})
    other = facts(SessionFact(), Timed("b", {}), ArmFact("toy"), trial, StudyFact())
    assert Book.of(other).histories == {}


@pytest.mark.parametrize(
    ("state", "failure", "settled"),
    [
        ("complete", "", True),
        ("pruned", "", True),
        ("failed", "diverged", True),
        *(("failed", failure, False) for failure in FAILURES if failure != "diverged"),
    ],
)
def test_what_is_settled_is_not_run_again(state: str, failure: str, settled: bool) -> None:
    (told,) = Book.of(facts(START, end(state, failure=failure))).histories.values()
    assert told.settled is settled
    assert told.state.ended


def test_a_trial_never_started_waits() -> None:
    assert History("t").state is TrialState.WAITING
    assert not History("t").state.ended
    assert History("t").last is None


def test_a_measurement_that_is_not_finite_cannot_become_a_fact() -> None:
    with pytest.raises(TypeError, match="finite"):
        Measured(Measurement(1, {"loss": float("nan")})).record("t", 0.0).digest()


def named(fact: Measured | Ended, session: str, attempt: int = 1) -> Fact:
    """A fact that names its attempt."""
    return replace(fact, attempt=attempt, session=session)


def test_another_driver_s_facts_touch_no_attempt_that_it_did_not_begin() -> None:
    """Two drivers at one trial, as their facts lay in the ledger that told a mean of 0.652."""
    told = facts(
        Started(1, "a"),
        named(point(1), "a"),
        Started(2, "b"),
        named(point(2), "a"),
        named(point(1), "b", 2),
        named(end("complete"), "a"),
        named(point(2), "b", 2),
        named(end("complete"), "b", 2),
        named(end("failed", failure="lost"), "b", 2),
        named(point(3), "b", 2),
    )
    (history,) = Book.of(told).histories.values()
    assert history.state is TrialState.COMPLETE
    assert (history.session, history.attempt) == ("b", 2)
    assert [m.spent for m in history.measurements] == [1, 2]
    assert history.times == [104.0, 106.0]
    assert history.ended == 107.0
    book = Book()
    kept = [fact.at for fact in told if book.add(fact)]
    assert kept == [100.0, 101.0, 102.0, 104.0, 106.0, 107.0]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["start", "point", "end"]))))
def test_whatever_two_drivers_tell_only_the_open_attempt_s_facts_count(
    order: list[tuple[str, str]],
) -> None:
    told, attempts, spent = [], {"a": 0, "b": 0}, {"a": 0, "b": 0}
    for driver, what in order:
        if what == "start":
            attempts[driver] += 1
            spent[driver] = 0
            told.append(Started(attempts[driver], driver))
        elif attempts[driver] and what == "point":
            spent[driver] += 1
            told.append(named(point(spent[driver]), driver, attempts[driver]))
        elif attempts[driver]:
            told.append(named(end("complete"), driver, attempts[driver]))
    for history in Book.of(facts(*told)).histories.values():
        own = [fact.kind for fact in told if fact.session == history.session]
        own = own[len(own) - 1 - own[::-1].index("started") :]
        until = own.index("ended") if "ended" in own else len(own)
        assert history.state.ended is ("ended" in own)
        assert len(history.measurements) == own[:until].count("measured")
    book, every = Book(), facts(*told)
    kept = [fact for fact in every if book.add(fact)]
    assert Book.of(kept).histories == Book.of(every).histories == book.histories


def test_facts_that_name_no_attempt_are_the_open_one_s_as_in_0_1_0() -> None:
    whole = [START, point(1), point(2), end("complete")]
    named_too = [START, *(named(t, "s") for t in whole[1:])]
    (old,) = Book.of(facts(*whole)).histories.values()
    (new,) = Book.of(facts(*named_too)).histories.values()
    assert old == new


def planned(epochs: int) -> TrialFact:
    return TrialFact("a", {"epochs": epochs}, seed=1)


def test_a_complete_trial_that_did_not_spend_its_budget_is_damage() -> None:
    whole = facts(planned(2), START, point(1), point(2), end("complete"))
    (history,) = Book.of(whole).histories.values()
    assert history.state is TrialState.COMPLETE
    for short in (
        [planned(3), START, point(1), point(2), end("complete")],
        [planned(3), START, end("complete")],
    ):
        with pytest.raises(DamagedState, match=r"trial t is complete, .* of a budget of 3"):
            assert not Book.of(facts(*short)).histories
    assert Book.of(facts(planned(3), START, point(1), end("pruned"))).histories
