"""`cbablate fsck`: what is whole, what is lost, and what a repair keeps."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cbablate import api
from cbablate.cli.main import app
from cbablate.errors import CbablateError, DamagedState, EnvironmentFault, OwnedElsewhere
from cbablate.records.facts import Ended, Started
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.records.sqlite.layout import LEDGER_FILE
from cbablate.records.sqlite.seal import SEAL_FILE
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from tests.records.writers import trial
from tests.toys import toy_plan

# One process makes what these look at.
pytestmark = pytest.mark.xdist_group("fsck")

PLAN = toy_plan({"ceiling": 2.0})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fsck") / "r"
    driven(folder)
    return folder


@pytest.fixture
def results(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "r"))


def driven(folder: Path) -> int:
    done = drive(PLAN, results=folder, executor=LocalExecutor, publish=lambda facts: [])
    assert done.exit_code == 0
    return done.trained


def fsck(results: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["fsck", str(results), *words])


def sql(results: Path, text: str) -> None:
    raw = sqlite3.connect(results / LEDGER_FILE)
    raw.executescript(text)
    raw.close()


def altered(results: Path) -> None:
    sql(results, "UPDATE records SET body = '{}' WHERE kind = 'ended' AND sequence > 20")


def removed(results: Path) -> None:
    sql(results, "DELETE FROM records WHERE sequence IN (8, 9, 12)")


def zeroed(results: Path) -> None:
    path = results / LEDGER_FILE
    content = bytearray(path.read_bytes())
    content[len(content) // 8192 * 4096 :][:4096] = bytes(4096)
    start = (len(content) // 4096 - 1) * 4096
    content[start : start + 4096] = bytes(4096)
    path.write_bytes(content)


def unsealed(results: Path) -> None:
    (results / SEAL_FILE).write_bytes(b"damaged")


def behind(results: Path) -> None:
    older = (results / LEDGER_FILE).read_bytes()
    with Place(results).writing() as ledger:
        ledger.tell("session", "more", {})
    (results / LEDGER_FILE).write_bytes(older)


def triggered(results: Path) -> None:
    sql(results, "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END")


def misshapen(results: Path) -> None:
    fact = Record("ended", "x", {"state": "happy"}, 1.0)
    row = f"('ended', 'x', 1.0, '{{\"state\":\"happy\"}}', '{fact.digest()}')"
    sql(results, f"INSERT INTO records (kind, subject, at, body, digest) VALUES {row}")  # noqa: S608 - ours


DAMAGES = [altered, removed, zeroed, unsealed, behind, triggered, misshapen]


def test_a_whole_ledger_is_said_to_be_whole_and_left_alone(results: Path) -> None:
    before = (results / LEDGER_FILE).read_bytes()
    for words in ([], ["--repair"]):
        done = fsck(results, *words)
        assert done.exit_code == 0, done.output
        assert "the ledger is whole" in done.output
    assert (results / LEDGER_FILE).read_bytes() == before
    assert not list(results.glob("damaged-*"))


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_repaired_and_kept_and_the_study_goes_on_to_the_same_table(
    results: Path, trained: Path, damage: Callable[[Path], None]
) -> None:
    damage(results)
    before = {path.name: path.read_bytes() for path in results.glob("ledger*") if path.is_file()}
    with pytest.raises(DamagedState):
        api.facts(results)
    told = fsck(results)
    assert told.exit_code == 5, told.output
    assert "facts are whole" in told.output
    assert "--repair" in told.output
    assert (results / LEDGER_FILE).read_bytes() == before[LEDGER_FILE]
    done = fsck(results, "--repair")
    assert done.exit_code == 0, done.output
    assert "damaged-1" in done.output
    for name in (LEDGER_FILE, SEAL_FILE):
        assert (results / "damaged-1" / name).read_bytes() == before[name]
    assert fsck(results).exit_code == 0
    driven(results)
    assert str(api.table(PLAN, results=results)) == str(api.table(PLAN, results=trained))


def test_a_trial_that_two_drivers_ended_is_trained_again_after_a_repair(results: Path) -> None:
    with Place(results).writing() as ledger:
        told = ledger.records()
        name = next(fact.subject for fact in told if fact.kind == "trial")
        ledger.append(Started(2, "other").record(name))
        ledger.append(Ended("complete", attempt=2, session="other").record(name))
    with pytest.raises(DamagedState, match="of a budget of 3"):
        api.table(PLAN, results=results)
    done = fsck(results)
    assert done.exit_code == 5
    assert name in done.output
    assert fsck(results, "--repair").exit_code == 0
    assert driven(results) == 1


def test_it_counts_what_is_lost(results: Path) -> None:
    removed(results)
    shape = json.loads(fsck(results, "--json").stdout)
    assert shape["whole"] is False
    assert shape["lost"] == [[8, 9], [12, 12]]
    assert len(shape["damage"]) == 1


def test_a_checkpoint_and_a_mirror_that_are_damaged_are_told(results: Path) -> None:
    (results / "checkpoints").mkdir(exist_ok=True)
    (results / "checkpoints" / "x").write_bytes(b"junk")
    (results / "optuna.sqlite").write_bytes(b"junk" * 1000)
    done = fsck(results)
    assert done.exit_code == 5
    assert "checkpoints/x is damaged" in done.output
    assert "cbablate sync" in done.output


def test_nothing_readable_is_left_as_it_is(results: Path) -> None:
    (results / LEDGER_FILE).write_bytes(b"\0" * 9000)
    done = fsck(results, "--repair")
    assert isinstance(done.exception, DamagedState)
    assert (results / LEDGER_FILE).read_bytes() == b"\0" * 9000
    assert not list(results.glob("damaged-*"))


def test_what_is_being_written_is_neither_repaired_nor_released(tmp_path: Path) -> None:
    with Place(tmp_path).writing() as ledger:
        ledger.append(*trial(1))
        assert fsck(tmp_path).exit_code == 0
        for word in ("--repair", "--release"):
            assert isinstance(fsck(tmp_path, word).exception, OwnedElsewhere)
            (tmp_path / "lock").unlink()
            refused = fsck(tmp_path, word)
            assert word == "--repair" or isinstance(refused.exception, OwnedElsewhere)
            ledger.tell("session", "s", {})
    assert fsck(tmp_path, "--release").exit_code == 0


def test_where_nothing_is_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    assert isinstance(fsck(tmp_path / "none").exception, EnvironmentFault)
    assert "0 facts" in fsck(tmp_path).output
    for error in (fsck(tmp_path, "--release").exception,):
        assert isinstance(error, CbablateError)
