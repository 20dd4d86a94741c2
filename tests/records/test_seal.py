"""What is lost with a -wal file is noticed, and nothing that has ended lies there alone."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from cbablate.errors import DamagedState
from cbablate.records.book import Book
from cbablate.records.record import Record
from cbablate.records.sqlite.layout import LEDGER_FILE
from cbablate.records.sqlite.ledger import SqliteLedger
from cbablate.records.sqlite.seal import SEAL_FILE, read_seal
from tests.records.writers import ended, trial, writer

OLD = Path(__file__).with_name("ledger_0_1_0") / LEDGER_FILE
WAL = f"{LEDGER_FILE}-wal"


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose writer was killed after five trials and a fact that only the -wal has."""
    folder = tmp_path_factory.mktemp("killed") / "r"
    with writer(folder, 5) as process:
        process.kill()
    assert (folder / WAL).stat().st_size > 0
    return folder


@pytest.fixture
def copy(killed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(killed, tmp_path / "r"))


def read(folder: Path) -> list[Record]:
    with SqliteLedger.reading(folder) as ledger:
        return ledger.records()


def refused(folder: Path) -> str:
    before = {path.name: path.read_bytes() for path in folder.glob("ledger*")}
    with pytest.raises(DamagedState) as caught:
        read(folder)
    with pytest.raises(DamagedState), SqliteLedger.writing(folder):
        pytest.fail("opened")
    for name in (LEDGER_FILE, WAL, SEAL_FILE):
        if name in before:
            assert (folder / name).read_bytes() == before[name]
    return str(caught.value)


def test_after_a_kill_every_fact_is_there(copy: Path) -> None:
    facts = read(copy)
    assert [fact.subject for fact in facts][-1] == "tail"
    assert len(facts) == 21


def test_the_file_alone_has_every_trial_that_ended(copy: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(copy / LEDGER_FILE, alone)
    facts = read(alone)
    assert len(facts) == 20
    assert len(Book.of(facts).histories) == 5
    with SqliteLedger.writing(alone) as ledger:
        ledger.tell("session", "next", {})


def test_a_removed_wal_is_noticed_and_named(copy: Path) -> None:
    (copy / WAL).unlink()
    said = refused(copy)
    assert "1 of 21 facts are missing" in said
    assert f"{LEDGER_FILE}-wal" in said
    assert "-shm" in said
    assert "fsck" in said


@pytest.mark.parametrize("kind", ["bit", "cut", "page"])
def test_a_damaged_wal_is_noticed_or_harmless(copy: Path, kind: str) -> None:
    expected, whole = read(copy), (copy / WAL).read_bytes()
    draw, refusals = random.Random(kind), 0
    for _ in range(25):
        damaged = bytearray(whole)
        place = draw.randrange(len(damaged))
        if kind == "bit":
            damaged[place] ^= 1 << draw.randrange(8)
        elif kind == "cut":
            del damaged[place:]
        else:
            start = place // 4096 * 4096
            damaged[start : start + 4096] = bytes(len(damaged[start : start + 4096]))
        (copy / WAL).write_bytes(damaged)
        (copy / f"{LEDGER_FILE}-shm").unlink(missing_ok=True)
        try:
            assert read(copy) == expected
        except DamagedState:
            refusals += 1
    assert refusals >= 15


def test_a_newer_copy_beside_an_older_wal_is_noticed_and_never_overwritten(
    copy: Path, tmp_path: Path
) -> None:
    newer = shutil.copytree(copy, tmp_path / "newer")
    with SqliteLedger.writing(newer) as ledger:
        for number in range(100, 140):
            ledger.append(*trial(number))
    shutil.copy(newer / LEDGER_FILE, copy / LEDGER_FILE)
    assert f"{WAL}" in refused(copy)
    (copy / WAL).unlink()
    (copy / f"{LEDGER_FILE}-shm").unlink()
    assert len(read(copy)) == 181, "as the message advises"


def test_a_newer_copy_beside_a_wal_of_a_0_1_0_ledger_is_noticed(tmp_path: Path) -> None:
    """There the -wal has everything since the beginning, and makes a whole older ledger."""
    folder = tmp_path / "r"
    folder.mkdir()
    shutil.copy(OLD, folder)
    raw = sqlite3.connect(folder / LEDGER_FILE, isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA wal_autocheckpoint = 0")
    fact = Record("session", "more", {}, 1.0)
    rows = ("session", "more", 1.0, "{}", fact.digest())
    insert = "INSERT INTO records (kind, subject, at, body, digest) VALUES (?, ?, ?, ?, ?)"
    raw.execute(insert, rows)
    for name in (LEDGER_FILE, WAL):
        shutil.copy(folder / name, tmp_path / name)
    for _ in range(300):
        raw.execute(insert, rows)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    shutil.copy(tmp_path / WAL, folder / WAL)
    assert WAL in refused(folder)


def test_an_older_copy_is_noticed(copy: Path, tmp_path: Path) -> None:
    shutil.copy(copy / LEDGER_FILE, tmp_path / "older")
    with SqliteLedger.writing(copy) as ledger:
        ledger.append(*trial(100))
    for path in copy.glob(f"{LEDGER_FILE}*"):
        path.unlink()
    shutil.copy(tmp_path / "older", copy / LEDGER_FILE)
    assert "5 of 25 facts are missing" in refused(copy)


def test_another_ledger_s_seal_is_noticed(copy: Path, tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path / "other") as ledger:
        ledger.tell("session", "other", {})
    shutil.copy(tmp_path / "other" / SEAL_FILE, copy)
    assert "another ledger's" in refused(copy)


@pytest.mark.parametrize("content", [b"", b"\0" * 128, b"cbablate seal 1 99 ab cd\n"])
def test_a_damaged_seal_is_noticed(copy: Path, content: bytes) -> None:
    (copy / SEAL_FILE).write_bytes(content)
    assert f"{SEAL_FILE} beside it is damaged" in refused(copy)


def test_a_removed_ledger_is_missed_and_not_begun_anew(copy: Path) -> None:
    for path in copy.glob(f"{LEDGER_FILE}*"):
        path.unlink()
    assert "says that it held 21 facts" in refused(copy)


def test_a_wal_without_its_ledger_is_refused(copy: Path) -> None:
    (copy / LEDGER_FILE).unlink()
    (copy / SEAL_FILE).unlink()
    assert "it is missing" in refused(copy)


def test_the_seal_beside_never_says_more_than_was_acknowledged(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        for number in range(3):
            ledger.append(*trial(number))
            seal = read_seal(tmp_path)
            assert seal is not None
            assert seal.facts == len(ledger.records())


def test_a_ledger_of_0_1_0_is_sealed_by_its_first_writer_and_reads_as_before(
    tmp_path: Path,
) -> None:
    shutil.copy(OLD, tmp_path)
    before = read(tmp_path)
    assert len(before) == 122
    assert (tmp_path / LEDGER_FILE).read_bytes() == OLD.read_bytes()
    with SqliteLedger.writing(tmp_path):
        pass
    assert read(tmp_path) == before
    seal = read_seal(tmp_path)
    assert seal is not None
    assert seal.facts == 122
    assert Book.of(before).histories == Book.of(read(tmp_path)).histories


def test_readers_beside_a_writer_of_another_process_see_whole_ledgers(tmp_path: Path) -> None:
    with writer(tmp_path / "r", 40) as process:
        lengths = [len(read(tmp_path / "r")) for _ in range(20)]
        assert ended(process) == ""
    assert set(lengths) == {161}
    assert len(read(tmp_path / "r")) == 162


def test_an_emptied_ledger_is_refused_and_its_wal_stays(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path / "r") as ledger:
        ledger.append(*trial(1))
        ledger.tell("session", "s", {})
        shutil.copytree(tmp_path / "r", tmp_path / "killed")  # as a kill leaves it, facts in -wal
    wal = tmp_path / "killed" / f"{LEDGER_FILE}-wal"
    facts = wal.read_bytes()
    assert facts
    (tmp_path / "killed" / LEDGER_FILE).write_bytes(b"")
    for opened in (SqliteLedger.reading, SqliteLedger.writing):
        with pytest.raises(DamagedState, match="it is empty, and"), opened(tmp_path / "killed"):
            pass
        assert wal.read_bytes() == facts, "SQLite removes the -wal of an empty file"
