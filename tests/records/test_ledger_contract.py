"""The contract of a ledger, of the one that ships and of a toy in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate.records.place import Place
from cbablate.testing.ledger import LedgerContract
from tests.memory_ledger import MemoryLedgers


class TestSqlite(LedgerContract):
    @pytest.fixture
    def ledgers(self, tmp_path: Path) -> Place:
        return Place(tmp_path / "results")


class TestMemory(LedgerContract):
    @pytest.fixture
    def ledgers(self) -> MemoryLedgers:
        return MemoryLedgers()


def test_the_contract_refuses_a_ledger_that_records_half_of_what_belongs_together() -> None:
    class Careless(MemoryLedgers):
        def append(self, *facts: object) -> None:
            for fact in facts:
                super().append(fact)  # type: ignore[arg-type]  # one by one is the fault

    contract = LedgerContract()
    contract._ledgers = Careless()
    with pytest.raises(AssertionError):
        contract.test_of_facts_that_are_appended_together_all_are_recorded_or_none()
