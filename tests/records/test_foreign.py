"""A ledger that somebody else made: a sentence, whatever is in it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cbablate import api
from cbablate.errors import CbablateError, DamagedState
from cbablate.records.facts import SPELLINGS, misshapen
from cbablate.records.record import KINDS, digest_of
from cbablate.records.sqlite.layout import LEDGER_FILE
from cbablate.records.sqlite.ledger import SqliteLedger

OLD = Path(__file__).with_name("ledger_0_1_0")
LOOP = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
GOOD: Mapping[str, Mapping[str, Any]] = {
    "session": {"host": {"gpus": []}, "versions": {}, "commit": "", "dirty": False},
    "worker": {"node": "n", "host": {"cpu": "x"}, "versions": {"torch": "2"}},
    "study": {
        "study": {"name": "x"},
        "folder": "/x",
        "place": "..",
        "trials": ["a"],
        "code": "c",
        "version": "1",
        "searches": {"a": "b"},
    },
    "arm": {
        "name": "a",
        "levels": {"f": "l"},
        "config": {"lr": 0.1},
        "workload": "toy",
        "version": "1",
        "data": "",
    },
    "trial": {"arm": "a", "replicate": 0, "seed": 1, "budget": {"epochs": 2}, "search": "s"},
    "proposed": {"search": "s", "number": 0, "proposal": {"lr": 1}, "rejected": 1, "refused": "x"},
    "started": {
        "attempt": 1,
        "session": "s",
        "executor": "ray",
        "worker": "w",
        "gpus": 0.5,
        "from": 1,
        "of": "t",
        "sessions": ["s"],
        "workers": ["w"],
        "code": "c",
    },
    "measured": {
        "spent": 1,
        "metrics": {"loss": 1, "large": 10**300},
        "seconds": 0.5,
        "vectors": {"a": [1, 0.5]},
        "notes": {"device": "cpu"},
        "sketches": {},
        "attempt": 1,
        "session": "s",
    },
    "ended": {
        "state": "failed",
        "reason": "",
        "failure": "lost",
        "traceback": "",
        "attempt": 1,
        "session": "s",
    },
    "timed": {
        "batch": "b",
        "metrics": {"t": [1, 2.5]},
        "device": "cpu",
        "session": "s",
        "worker": "w",
    },
}
DEEP = json.loads('{"a":' * 80 + "1" + "}" * 80)
BAD: list[Any] = ["x", -1, 1.5, True, [1], {"a": {"b": "c"}}, [[1]], {"a": [None]}, 10**400, DEEP]


def foreign(tmp_path: Path, kind: str, body: Any, *, at: float = 1e9) -> Path:
    """A 0.1.0 ledger, which has no seal, with one fact more, whose checksum is right."""
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    folder = tmp_path / "r"
    shutil.copytree(OLD, folder, dirs_exist_ok=True)
    with sqlite3.connect(folder / LEDGER_FILE) as raw:
        raw.execute(
            "INSERT INTO records (kind, subject, at, body, digest) VALUES (?, ?, ?, ?, ?)",
            (
                kind,
                "45de98df6b9e88ce6e7e",
                at,
                text,
                digest_of(kind, "45de98df6b9e88ce6e7e", text, at),
            ),
        )
    raw.close()
    return folder


def read(folder: Path) -> int:
    with SqliteLedger.reading(folder) as ledger:
        return len(ledger.records())


def test_each_kind_has_a_shape_and_an_example() -> None:
    assert set(SPELLINGS) == set(GOOD) == set(KINDS)
    for kind, spelling in SPELLINGS.items():
        assert set(GOOD[kind]) == set(spelling.rules)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fact_of_the_shape_of_its_kind_is_read(tmp_path: Path, kind: str) -> None:
    assert read(foreign(tmp_path, kind, GOOD[kind])) == 123


@pytest.mark.parametrize(("kind", "key"), [(k, key) for k, body in GOOD.items() for key in body])
def test_no_value_under_any_key_gets_past_the_reader_and_ends_in_a_traceback(
    tmp_path: Path, kind: str, key: str
) -> None:
    plan = api.plan(api.load_study(OLD / "toy.yaml"))
    refusals = 0
    for number, value in enumerate(BAD):
        body = {**GOOD[kind], key: value}
        if misshapen(kind, body):
            refusals += 1
            continue
        try:
            api.table(plan, results=foreign(tmp_path / str(number), kind, body))
        except CbablateError:
            continue
    assert refusals >= 1  # of free values, those that nest too deep


@pytest.mark.parametrize(
    ("kind", "key"),
    [(kind, key) for kind, each in SPELLINGS.items() for key in each.required],
)
def test_a_fact_without_what_its_kind_needs_is_refused(tmp_path: Path, kind: str, key: str) -> None:
    body = {name: value for name, value in GOOD[kind].items() if name != key}
    with pytest.raises(DamagedState, match=f"record 123 is not as .* no '{key}'"):
        read(foreign(tmp_path, kind, body))


@pytest.mark.parametrize(
    "text",
    [
        '{"spent":1,"metrics":{"loss":NaN},"seconds":1}',
        '{"spent":1,"metrics":{"loss":1e999},"seconds":1}',
        '{"spent":1,"metrics":{"loss":-Infinity},"seconds":1}',
        "[" * 100_000 + "]" * 100_000,
        "9" * 5000,
        "null",
        "",
    ],
)
def test_text_that_is_no_body_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DamagedState, match="record 123"):
        read(foreign(tmp_path, "measured", text))


def test_an_unknown_kind_or_an_endless_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedState, match="no kind of fact 'rumour'"):
        read(foreign(tmp_path / "a", "rumour", {}))
    with pytest.raises(DamagedState, match="record 123"):
        read(foreign(tmp_path / "b", "session", {}, at=float("inf")))


@pytest.mark.parametrize(
    "sql",
    [
        f"ALTER TABLE records RENAME TO old; CREATE VIEW records AS {LOOP}",
        "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE INDEX i ON records (kind)",
        "CREATE TABLE other (x)",
        "ALTER TABLE records ADD COLUMN more TEXT",
        "ALTER TABLE records ADD COLUMN made TEXT AS (kind)",
        "CREATE VIRTUAL TABLE f USING fts5(x)",
        "DROP TABLE records",
        f"CREATE VIEW seal AS {LOOP}; PRAGMA user_version = 2",
    ],
)
def test_a_file_with_any_other_schema_is_refused_at_once(tmp_path: Path, sql: str) -> None:
    shutil.copytree(OLD, tmp_path / "r")
    raw = sqlite3.connect(tmp_path / "r" / LEDGER_FILE)
    raw.executescript(sql)
    raw.close()
    before = (tmp_path / "r" / LEDGER_FILE).read_bytes()
    for door in (SqliteLedger.reading, SqliteLedger.writing):
        with pytest.raises(DamagedState, match=r"no ledger has|laid out|has no table"):
            door(tmp_path / "r").__enter__()
    assert (tmp_path / "r" / LEDGER_FILE).read_bytes() == before


def test_a_trigger_of_a_sealed_ledger_is_refused(tmp_path: Path) -> None:
    with SqliteLedger.writing(tmp_path) as ledger:
        ledger.tell("session", "s", {})
    raw = sqlite3.connect(tmp_path / LEDGER_FILE)
    raw.executescript("CREATE TRIGGER t AFTER INSERT ON lease BEGIN DELETE FROM records; END")
    raw.close()
    with pytest.raises(DamagedState, match="trigger"), SqliteLedger.writing(tmp_path):
        pytest.fail("opened")
