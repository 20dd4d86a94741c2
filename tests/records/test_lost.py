"""A ledger that is removed, moved or replaced while it is written: the writer stops and says so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cbablate.errors import DamagedState
from cbablate.records.book import Book
from cbablate.records.sqlite.layout import LEDGER_FILE
from cbablate.records.sqlite.ledger import SqliteLedger
from cbablate.running.completion import Completion
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.executors.port import Feed
from tests.records.writers import trial
from tests.toys import toy_plan


def removed(folder: Path) -> None:
    shutil.rmtree(folder)


def ledger_removed(folder: Path) -> None:
    for path in folder.glob(f"{LEDGER_FILE}*"):
        path.unlink()


def replaced(folder: Path) -> None:
    shutil.copy(folder / LEDGER_FILE, folder / "new")
    (folder / "new").replace(folder / LEDGER_FILE)


def remade(folder: Path) -> None:
    shutil.rmtree(folder)
    with SqliteLedger.writing(folder) as ledger:
        ledger.tell("session", "another", {})


@pytest.mark.parametrize("lose", [removed, ledger_removed, replaced, remade])
def test_the_facts_of_a_lost_ledger_are_written_beside_it(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    folder = tmp_path / "r"
    with (
        pytest.raises(DamagedState, match="ledger-rescued") as caught,
        SqliteLedger.writing(folder) as a,
    ):
        a.append(*trial(1))
        lose(folder)
        a.append(*trial(2))
    assert caught.value.exit_code == 5
    (rescued,) = tmp_path.glob("**/ledger-rescued.sqlite")
    assert str(rescued) in str(caught.value)
    (tmp_path / "again").mkdir()
    shutil.copy(rescued, tmp_path / "again" / LEDGER_FILE)
    with SqliteLedger.writing(tmp_path / "again") as ledger:
        assert [fact.subject for fact in ledger.records(["ended"])] == ["trial-1", "trial-2"]
    if lose is remade:
        with SqliteLedger.reading(folder) as other:
            assert [fact.subject for fact in other.records()] == ["another"]


def test_a_moved_folder_is_named_and_can_be_gone_on_with(tmp_path: Path) -> None:
    folder, moved = tmp_path / "r", tmp_path / "moved"
    with pytest.raises(DamagedState, match="moved/ledger"), SqliteLedger.writing(folder) as ledger:
        ledger.append(*trial(1))
        folder.rename(moved)
        ledger.append(*trial(2))
    assert not folder.exists()
    with SqliteLedger.writing(moved) as ledger:
        assert len(ledger.records(["ended"])) == 2


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_removed_wal_in_mid_run_stops_it_and_loses_nothing(tmp_path: Path, suffix: str) -> None:
    said = f"{suffix} in .* was removed"
    with pytest.raises(DamagedState, match=said), SqliteLedger.writing(tmp_path) as ledger:
        ledger.append(*trial(1))
        (tmp_path / f"{LEDGER_FILE}{suffix}").unlink()
        ledger.tell("session", "tail", {})
    with SqliteLedger.writing(tmp_path) as ledger:
        assert [fact.subject for fact in ledger.records(["session"])] == ["tail"]


def test_a_ledger_lost_after_its_last_fact_is_noticed_at_the_end(tmp_path: Path) -> None:
    with (
        pytest.raises(DamagedState, match="removed or moved"),
        SqliteLedger.writing(tmp_path / "r") as a,
    ):
        a.append(*trial(1))
        shutil.rmtree(tmp_path / "r")


class Losing(LocalExecutor):
    """Removes the results folder once the trials are trained."""

    folder: Path

    def execute(self, feed: Feed, *more: Any, **named: Any) -> None:
        super().execute(feed, *more, **named)
        shutil.rmtree(self.folder)


def test_a_study_whose_results_were_removed_never_ends_as_complete(tmp_path: Path) -> None:
    Losing.folder = tmp_path / "r"
    with pytest.raises(DamagedState, match="ledger-rescued"):
        drive(toy_plan(), results=tmp_path / "r", executor=Losing, publish=lambda facts: [])


def test_the_facts_of_a_completion_are_those_its_exit_code_is_of(tmp_path: Path) -> None:
    done: Completion = drive(
        toy_plan(), results=tmp_path / "r", executor=LocalExecutor, publish=lambda facts: []
    )
    with SqliteLedger.reading(tmp_path / "r") as ledger:
        there = Book.of(ledger.records())
    assert done.book.facts == there.facts
    assert done.book.histories == there.histories
