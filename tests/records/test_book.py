"""What a ledger says, folded once: a book that grows fact by fact, and the curves packed in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.errors import DamagedState, OwnedElsewhere
from cbablate.records.book import Book
from cbablate.records.curve import Curve, packed
from cbablate.records.facts import Ended, Fact, Measured, Started, TrialFact
from cbablate.records.measurement import Measurement
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.records.state import TrialState
from tests.records.test_history import MEASUREMENTS


def told(*facts: Fact, subject: str = "t") -> list[Record]:
    return [fact.record(subject, 100.0 + i, i + 1) for i, fact in enumerate(facts)]


def points(most: int) -> list[Measured]:
    return [Measured(Measurement(spent, {"loss": 1 / spent}), 1, "s") for spent in range(1, most)]


def course(most: int) -> list[Record]:
    ended = Ended("complete", attempt=1, session="s")
    return told(TrialFact("a", {"epochs": 1}), Started(1, "s", gpus=0.5), *points(most), ended)


@given(st.lists(MEASUREMENTS, min_size=1, max_size=20))
def test_a_packed_curve_is_the_curve_it_was_packed_from(curve: list[Measurement]) -> None:
    small = Curve(curve)
    assert small == curve
    assert [repr(one) for one in small] == [repr(one) for one in curve], "1 is not 1.0"
    assert small[-1] is curve[-1]
    assert (len(small), small[0], small[: len(curve) // 2]) == (
        len(curve),
        curve[0],
        curve[: len(curve) // 2],
    )


def test_only_a_long_curve_is_packed() -> None:
    curve = [one.measurement for one in points(10)]
    assert packed(curve) is curve
    assert isinstance(packed(curve * 3), Curve)


@given(st.integers(0, 45))
def test_a_book_that_grew_is_the_book_of_all_its_facts(before: int) -> None:
    facts = course(40)
    book = Book.of(facts[:before])
    for fact in facts[before:]:
        book.add(fact)
    whole = Book.of(facts)
    for one, other in ((book, whole), (book.copy(), whole)):
        assert one.histories == other.histories
        assert (one.facts, one.ended, one.gpus) == (other.facts, other.ended, other.gpus)
        assert one.seconds == other.seconds == {"t": 40.0}
        assert (one.count, one.latest) == (other.count, other.latest) == (42, 141.0)
        assert one.span(["t", "u"]) == other.span(["t"]) == (100.0, 141.0)


def test_a_copy_does_not_change_when_the_book_goes_on() -> None:
    facts = course(40)
    book = Book.of(facts[:20])
    copied = book.copy()
    assert copied.histories == Book.of(facts[:20]).histories
    for fact in facts[20:]:
        book.add(fact)
    assert book.histories["t"].state is TrialState.COMPLETE
    assert copied.histories == Book.of(facts[:20]).histories
    assert copied.count == 20 and not copied.ended


def test_an_attempt_goes_on_with_a_curve_that_was_packed() -> None:
    facts = course(40)
    again = Started(2, "s", reached=30).record("t", 200.0, 50)
    later = Measured(Measurement(31, {"loss": 1.0}), 2, "s").record("t", 201.0, 51)
    history = Book.of([*facts, again, later]).histories["t"]
    assert [one.spent for one in history.measurements] == [*range(1, 32)]
    assert len(history.times) == 31


def test_a_contradiction_is_met_however_often_and_by_whom_histories_are_asked_for() -> None:
    facts = course(40)
    short = replace(facts[0], body=TrialFact("a", {"epochs": 99}).body())
    book = Book.of([short, *facts[1:]])
    for asked in (book, book, book.copy()):
        with pytest.raises(DamagedState, match="of a budget of 99"):
            assert not asked.histories


def test_who_follows_a_ledger_has_every_fact_once_and_in_order(tmp_path: Path) -> None:
    first, second = list[Record](), list[Record]()
    with Place(tmp_path).writing(first.append) as ledger:
        ledger.append(*course(3))
        assert first == ledger.records()
    with Place(tmp_path).writing(second.append) as ledger:
        assert second == first
        ledger.append(Started(2, "s").record("t", 300.0))
        ledger.append(*told(*points(3)))
        assert second == ledger.records()
    assert [fact.sequence for fact in second] == [*range(1, 9)]


def test_a_fact_whose_recording_a_signal_ended_is_followed_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    followed = list[Record]()
    with Place(tmp_path).writing(followed.append) as ledger:
        ledger.append(*course(3))
        monkeypatch.setattr(ledger, "_settle", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ledger.append(Started(2, "s").record("t", 300.0))
        assert followed == ledger.records()
        ledger.append(*told(*points(3)))
        assert followed == ledger.records()
        assert len(followed) == 8


def test_a_fact_that_is_handed_over_twice_counts_once(tmp_path: Path) -> None:
    book, failing = Book(), [True]

    def follow(fact: Record) -> None:
        book.add(fact)
        if fact.kind == "measured" and failing.pop():
            raise KeyboardInterrupt  # before the ledger knows that it was handed over

    with Place(tmp_path).writing(follow) as ledger:
        failing = [False, False, True]
        ledger.append(*course(1)[:2])
        with pytest.raises(KeyboardInterrupt):
            ledger.append(points(2)[0].record("t", 200.0))
        ledger.append(points(3)[1].record("t", 201.0))
        assert book.count == 4
        assert [one.spent for one in book.histories["t"].measurements] == [1, 2]


def test_a_writer_that_appends_while_another_reads_is_the_reason_to_refuse_it(
    tmp_path: Path,
) -> None:
    with Place(tmp_path).writing() as first:
        first.append(*course(3))
        later = iter([Started(2, "s").record("t", 300.0)])

        def follow(_: Record) -> None:
            for fact in later:
                first.append(fact)

        (tmp_path / "lock").unlink()
        with pytest.raises(OwnedElsewhere), Place(tmp_path).writing(follow):
            pass


def test_a_writer_is_not_held_up_by_whoever_reads_fact_by_fact(tmp_path: Path) -> None:
    with Place(tmp_path).writing() as ledger:
        ledger.append(*course(1_500))
        with Place(tmp_path).reading() as other:
            reading = other.stream()
            next(reading)
            ledger.append(Ended("complete").record("u", 300.0))
            assert not (tmp_path / "ledger.sqlite-wal").stat().st_size
            assert len([*reading]) == len(course(1_500))
