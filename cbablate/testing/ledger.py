"""The contract of a ledger: whoever keeps facts elsewhere inherits this class in a test.

class TestMine(LedgerContract):
    @pytest.fixture
    def ledgers(self, tmp_path): return MyLedgers(tmp_path)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cbablate.errors import CbablateError, OwnedElsewhere
from cbablate.records.ledger import Ledger, Ledgers
from cbablate.records.record import Record

__all__ = ["LedgerContract"]

_BODIES: Sequence[Mapping[str, Any]] = (
    {},
    {"a": [1, None, True, "ü"], "b": {"c": 0.1, "d": -(2**60)}},
    {"": "", "nested": [[], {}, [{"x": 1e-300}]]},
)


class LedgerContract:
    """What those who write and read facts rely on. Say with `ledgers` where one is kept."""

    @pytest.fixture
    def ledgers(self) -> Ledgers:
        """Where no facts are yet; the same place for a whole test."""
        raise LookupError("a test class that inherits the contract gives the ledgers")

    @pytest.fixture(autouse=True)
    def _place(self, ledgers: Ledgers) -> None:
        self._ledgers = ledgers

    def _read(self) -> list[Record]:
        with self._ledgers.reading() as facts:
            return facts.records()

    def _fill(self, *subjects: str) -> None:
        with self._ledgers.writing() as ledger:
            ledger.append(*(Record("session", subject, {}, 1.0) for subject in subjects))

    def test_where_nothing_was_recorded_there_are_no_facts(self) -> None:
        assert self._read() == []

    def test_facts_come_back_in_their_order_and_are_numbered_from_1(self) -> None:
        with self._ledgers.writing() as ledger:
            first = ledger.tell("session", "s", {"a": 1})
            ledger.append(Record("session", "x", {}, 2.0), Record("session", "y", {}, 1.0))
            ledger.append()
        found = self._read()
        assert [(fact.subject, fact.sequence) for fact in found] == [("s", 1), ("x", 2), ("y", 3)]
        assert [fact.at for fact in found] == [first.at, 2.0, 1.0]
        assert (found[0].kind, found[0].body) == ("session", first.body)

    @pytest.mark.parametrize("body", _BODIES, ids=str)
    def test_a_body_is_read_back_equal_by_its_writer_and_by_others(
        self, body: Mapping[str, Any]
    ) -> None:
        with self._ledgers.writing() as ledger:
            ledger.tell("session", "s", body)
            assert ledger.records()[0].body == body
            assert self._read()[0].body == body
        assert self._read()[0].body == body

    def test_who_reads_sees_what_was_appended_so_far_while_another_writes(self) -> None:
        with self._ledgers.writing() as ledger:
            for count in range(1, 4):
                ledger.tell("session", f"s{count}", {})
                assert len(self._read()) == len(ledger.records()) == count

    def test_facts_are_asked_for_by_kind_subject_and_position(self) -> None:
        with self._ledgers.writing() as ledger:
            for subject in ("a", "b"):
                ledger.tell("session", subject, {})
                ledger.tell("study", subject, {})
            self._ask(ledger)

    def _ask(self, ledger: Ledger) -> None:
        assert [fact.subject for fact in ledger.records(["study"])] == ["a", "b"]
        assert [fact.kind for fact in ledger.records(subject="b")] == ["session", "study"]
        assert [fact.sequence for fact in ledger.records(after=3)] == [4]
        assert [fact.sequence for fact in ledger.records(["session"], after=1)] == [3]
        assert ledger.records([]) == []
        assert ledger.records(after=4) == []

    def test_of_facts_that_are_appended_together_all_are_recorded_or_none(self) -> None:
        with self._ledgers.writing() as ledger:
            ledger.tell("session", "before", {})
            with pytest.raises(TypeError):
                ledger.append(
                    Record("session", "good", {}, 1.0),
                    Record("session", "bad", {"x": float("nan")}, 1.0),
                )
            ledger.tell("session", "after", {})
        assert [fact.subject for fact in self._read()] == ["before", "after"]

    def test_one_at_a_time_may_append(self) -> None:
        with self._ledgers.writing() as ledger:
            with pytest.raises(OwnedElsewhere), self._ledgers.writing():
                pytest.fail("a second one may append")  # pragma: no cover - it is refused
            ledger.tell("session", "first", {})
        self._fill("second")
        assert [fact.subject for fact in self._read()] == ["first", "second"]

    def test_whoever_opens_it_again_finds_the_facts_and_goes_on_counting(self) -> None:
        self._fill("a", "b")
        with self._ledgers.writing() as ledger:
            assert [fact.subject for fact in ledger.records()] == ["a", "b"]
            ledger.tell("session", "c", {})
        assert [fact.sequence for fact in self._read()] == [1, 2, 3]

    def test_what_was_appended_before_a_fault_stays_and_the_right_to_append_is_free(self) -> None:
        with pytest.raises(ZeroDivisionError), self._ledgers.writing() as ledger:
            ledger.tell("session", "a", {})
            raise ZeroDivisionError
        self._fill("b")
        assert [fact.subject for fact in self._read()] == ["a", "b"]

    def test_nothing_can_be_appended_to_one_that_is_closed(self) -> None:
        with self._ledgers.writing() as ledger:
            ledger.tell("session", "a", {})
        with pytest.raises(CbablateError):
            ledger.tell("session", "b", {})
        assert [fact.subject for fact in self._read()] == ["a"]

    def test_what_is_done_to_facts_that_were_read_alters_no_other_reader(self) -> None:
        self._fill("a")
        self._read().clear()
        with self._ledgers.writing() as ledger:
            ledger.records().clear()
            assert len(ledger.records()) == 1
