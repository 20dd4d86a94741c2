from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.errors import DamagedState, EnvironmentFault
from cbablate.records.record import Record
from cbablate.records.sqlite.ledger import LEDGER_FILE, SqliteLedger
from cbablate.records.sqlite.ledger_file import LedgerFile

WRITE = """
import sys
from pathlib import Path
from typing import Any
from cbablate.records.sqlite.ledger import SqliteLedger
from cbablate.records.sqlite.ledger_file import LedgerFile
from cbablate.records.record import Record
with SqliteLedger.writing(Path(sys.argv[1])) as ledger:
    number = 0
    while True:
        number += 1
        pair = [Record("session", f"t{number}", {"half": half}, 1.0) for half in (1, 2)]
        ledger.append(*pair)
        print(number, flush=True)
"""


def filled(folder: Path, count: int = 40) -> Path:
    with SqliteLedger.writing(folder) as ledger:
        ledger.append(
            *(
                Record("session", f"trial-{i}", {"metrics": {"loss": i / 7}}, 1.5)
                for i in range(count)
            )
        )
    return folder / LEDGER_FILE


def read(folder: Path) -> list[Record]:
    with SqliteLedger.reading(folder) as ledger:
        return ledger.records()


def refused(folder: Path, *, writing: bool = True) -> str:
    """Both doors refuse, with one sentence, and neither alters a byte."""
    path = folder / LEDGER_FILE
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(DamagedState) as caught:
        read(folder)
    if writing:
        with pytest.raises(DamagedState), SqliteLedger.writing(folder) as ledger:
            ledger.records()
    assert before is None or path.read_bytes() == before
    assert caught.value.exit_code == 5
    return str(caught.value)


def test_facts_come_back_in_the_order_told(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        first = ledger.tell("session", "s", {"a": [1, None, True, "ü"], "b": {"c": 0.1}})
        ledger.append(Record("session", "x", {}, 2.0), Record("study", "y", {}, 1.0))
    told = read(tmp_path)
    assert [(f.kind, f.subject, f.sequence) for f in told] == [
        ("session", "s", 1),
        ("session", "x", 2),
        ("study", "y", 3),
    ]
    assert (told[0].body, told[0].at) == (first.body, first.at)


BODIES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.dictionaries(st.text(), BODIES)))
def test_whatever_was_told_is_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, told: list[dict[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    facts = [Record("session", "s", body, float(i)) for i, body in enumerate(told)]
    with SqliteLedger.writing(folder) as ledger:
        ledger.append(*facts)
    assert [(f.kind, f.body, f.at) for f in read(folder)] == [(f.kind, f.body, f.at) for f in facts]


def test_facts_can_be_asked_for_by_kind_subject_and_position(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        for subject in ("a", "b"):
            ledger.tell("session", subject, {})
            ledger.tell("study", subject, {})
        assert [f.subject for f in ledger.records(["study"])] == ["a", "b"]
        assert [f.kind for f in ledger.records(subject="b")] == ["session", "study"]
        assert [f.sequence for f in ledger.records(after=3)] == [4]
        assert ledger.records([]) == []


def test_a_ledger_has_no_way_to_alter_or_remove() -> None:
    public = {name for name in vars(SqliteLedger) if not name.startswith("_")}
    assert public == {
        "append",
        "close",
        "confirm",
        "folder",
        "reading",
        "records",
        "tell",
        "writing",
    }


@pytest.mark.parametrize("gone", ["sequence = 1", "sequence = 20", "sequence = 40", "1 = 1"])
def test_a_record_that_was_removed_is_missed(tmp_path: Path, gone: str) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as raw:
        raw.execute(f"DELETE FROM records WHERE {gone}")  # noqa: S608 - our own words
    raw.close()
    assert "a record is missing" in refused(tmp_path)


def test_a_damaged_kind_does_not_hide_a_fact_from_those_who_ask_for_it(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE records SET kind = 'ended' WHERE sequence = 3")
    raw.close()
    with SqliteLedger.reading(tmp_path) as ledger, pytest.raises(DamagedState, match="record 3"):
        ledger.records(["session"])


def test_of_facts_told_together_all_are_kept_or_none(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        with pytest.raises(TypeError):
            ledger.append(
                Record("session", "a", {}, 1.0), Record("session", "b", {"x": object()}, 1.0)
            )
        assert ledger.records() == []
        ledger.append()
        assert ledger.records() == []


def test_reading_where_nothing_is_gives_nothing_and_makes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == []
    assert list(tmp_path.iterdir()) == []


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        ledger.tell("session", "s", {})
    before = (tmp_path / LEDGER_FILE).read_bytes()
    with SqliteLedger.reading(tmp_path) as reader:
        assert not hasattr(reader, "append")
        assert not hasattr(reader, "tell")
        assert reader._connection is not None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute("DELETE FROM records")
    assert (tmp_path / LEDGER_FILE).read_bytes() == before


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(EnvironmentFault, match="--results"),
        SqliteLedger.writing(tmp_path / "file" / "results"),
    ):
        pytest.fail("opened")


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    filled(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / LEDGER_FILE).stat().st_mode & 0o777 == 0o600


def test_names_that_mean_something_in_an_address_are_names(tmp_path: Path) -> None:
    folder = tmp_path / "a b?mode=memory&x#y%20ü"
    filled(folder, 2)
    assert len(read(folder)) == 2
    assert (folder / LEDGER_FILE).exists()


def test_a_half_made_ledger_of_a_killed_driver_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "ledger.new").write_bytes(b"half")
    filled(tmp_path, 1)
    assert len(read(tmp_path)) == 1


def test_every_single_damaged_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    """A flipped byte never yields other facts: either the same ones, or a refusal."""
    path = filled(tmp_path / "whole", 12)
    expected, whole = read(tmp_path / "whole"), path.read_bytes()
    folder = tmp_path / "damaged"
    folder.mkdir()
    refusals = 0
    for position in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        (folder / LEDGER_FILE).write_bytes(damaged)
        try:
            assert read(folder) == expected, f"byte {position}"
        except DamagedState:
            refusals += 1
        assert (folder / LEDGER_FILE).read_bytes() == damaged
    assert refusals > 10


def test_a_fact_that_was_edited_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as raw:
        raw.execute('UPDATE records SET body = \'{"metrics":{"loss":0}}\' WHERE sequence = 7')
    raw.close()
    assert "record 7 does not match its checksum" in refused(tmp_path)


@pytest.mark.parametrize(
    "edit",
    [
        "kind = 'rumour'",
        "body = '[]'",
        "body = '{'",
        "body = '{\"metrics\":NaN}'",
        "at = 9",
        "subject = 'trial-8'",
    ],
)
def test_no_column_can_be_altered_unnoticed(tmp_path: Path, edit: str) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as raw:
        raw.execute(f"UPDATE records SET {edit} WHERE sequence = 3")  # noqa: S608 - our own words
    raw.close()
    assert "record 3" in refused(tmp_path)


def test_a_checksum_cannot_be_altered_unnoticed(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE records SET digest = 'x' WHERE sequence = 3")
    raw.close()
    assert "not those that its seal counts" in refused(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9])
def test_a_truncated_file_is_refused_and_never_begun_anew(tmp_path: Path, share: float) -> None:
    path = filled(tmp_path, 400)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\0" * 8192, b"no database at all\n" * 99])
def test_what_is_no_ledger_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LEDGER_FILE).write_bytes(content)
    assert "move the folder away to start anew" in refused(tmp_path)


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / LEDGER_FILE) as raw:
        raw.execute("CREATE TABLE records (sequence INTEGER)")
    raw.close()
    assert "not a ledger of cbablate" in refused(tmp_path)


def test_a_directory_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / LEDGER_FILE).mkdir()
    refused(tmp_path)
    assert list((tmp_path / LEDGER_FILE).iterdir()) == []


def test_a_newer_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    assert "update cbablate" in refused(tmp_path)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE records")
    raw.close()
    refused(tmp_path)


def test_a_writer_killed_at_any_moment_loses_nothing_it_was_told_is_safe(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout is not None
    for _ in range(25):
        process.stdout.readline()
    seen = read(tmp_path)  # while the other process writes
    assert len(seen) >= 50
    process.kill()
    rest = process.communicate(timeout=30)[0].split()
    told = max([25, *map(int, rest)])
    found = read(tmp_path)
    assert found[: len(seen)] == seen
    assert len(found) >= 2 * told
    assert len(found) % 2 == 0, "half of what was told together was kept"
    with SqliteLedger.writing(tmp_path) as ledger:
        ledger.tell("session", "next", {})
        assert len(ledger.records()) == len(found) + 1


def test_readers_beside_a_writer_see_whole_facts_in_order(tmp_path: Path) -> None:
    lengths: list[int] = []
    faults: list[Exception] = []
    done = threading.Event()

    def look() -> None:
        try:
            while not done.is_set():
                lengths.append(len(read(tmp_path)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
            faults.append(error)

    with SqliteLedger.writing(tmp_path) as ledger:
        readers = [threading.Thread(target=look) for _ in range(3)]
        for reader in readers:
            reader.start()
        for number in range(60):
            ledger.tell("session", f"t{number}", {"spent": number})
        done.set()
        for reader in readers:
            reader.join(30)
    assert faults == []
    assert lengths
    assert max(lengths) <= len(read(tmp_path)) == 60


def test_a_copy_of_the_folder_is_a_ledger(tmp_path: Path) -> None:
    filled(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert read(tmp_path / "two") == read(tmp_path / "one")


def test_a_ledger_in_a_folder_that_may_only_be_read_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "results"
    filled(folder)
    folder.chmod(0o500)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    try:
        assert len(read(folder)) == 40
        assert [path.name for path in folder.glob(f"{LEDGER_FILE}*")] == [LEDGER_FILE]
    finally:
        folder.chmod(0o700)


def test_equal_facts_have_equal_digests_and_any_change_another() -> None:
    fact = Record("arm", "a", {"x": 1}, 1.0)
    assert Record("arm", "a", {"x": 1.0}, 1.0, sequence=9).digest() == fact.digest()
    others = [
        Record("trial", "a", {"x": 1}, 1.0),
        Record("arm", "b", {"x": 1}, 1.0),
        Record("arm", "a", {"x": 2}, 1.0),
        Record("arm", "a", {"x": 1}, 1.5),
    ]
    assert len({fact.digest(), *(other.digest() for other in others)}) == 5


def test_a_fact_is_read_and_checked_once_however_often_facts_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[int] = []
    whole = LedgerFile.whole

    def counted(row: tuple[Any, ...]) -> Record | str:
        checked.append(row[0])
        return whole(row)

    monkeypatch.setattr(LedgerFile, "whole", staticmethod(counted))
    with SqliteLedger.writing(tmp_path) as ledger:
        for number in range(3):
            ledger.tell("session", str(number), {})
            assert [fact.subject for fact in ledger.records()] == list("012"[: number + 1])
            assert [fact.sequence for fact in ledger.records(["session"], subject="0")] == [1]
            assert ledger.records(["arm"]) == []
    assert checked == [1, 2, 3]
    with SqliteLedger.writing(tmp_path) as ledger:
        assert len(ledger.records()) == len(ledger.records()) == 3
    assert checked == [1, 2, 3, 1, 2, 3]


def test_a_reader_that_was_stopped_holds_up_the_end_of_one_trial_at_most(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        ledger.tell("session", "s", {})
        with closing(sqlite3.connect(tmp_path / LEDGER_FILE, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM records").fetchone()
            began = time.monotonic()
            for trial in "abcd":
                ledger.tell("ended", trial, {"state": "complete"})
            assert time.monotonic() - began < 7
            assert (tmp_path / f"{LEDGER_FILE}-wal").stat().st_size > 0
        ledger.tell("ended", "u", {"state": "complete"})
        assert (tmp_path / f"{LEDGER_FILE}-wal").stat().st_size == 0
