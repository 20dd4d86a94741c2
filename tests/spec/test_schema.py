from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cbablate.spec.loading.load import read_study
from cbablate.spec.loading.schema import study_schema
from cbablate.workloads.catalog import SHIPPED, describe
from tests.spec.study_files import IMAGE, TOY, read, read_own, swap

ROOT = Path(__file__).parent.parent.parent
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return study_schema(make() for make in SHIPPED.values())


def faults(schema: dict[str, Any], written: Any) -> list[str]:
    plain = json.loads(json.dumps(written))
    found = Draft202012Validator(schema).iter_errors(plain)
    return [".".join(str(part) for part in fault.absolute_path) for fault in found]


def test_the_schema_in_the_documentation_is_the_one_of_the_types(schema: dict[str, Any]) -> None:
    kept = json.loads((ROOT / "docs" / "study.schema.json").read_text(encoding="utf-8"))
    assert kept == schema, "write docs/study.schema.json anew: cbablate schema"


def test_it_is_a_json_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_studies_that_ship_follow_it(path: Path, schema: dict[str, Any]) -> None:
    assert faults(schema, read_study(path, describe).written) == []


@pytest.mark.parametrize("text", [TOY, IMAGE])
def test_good_studies_follow_it(tmp_path: Path, text: str, schema: dict[str, Any]) -> None:
    assert faults(schema, read(tmp_path, text).written) == []


def test_a_workload_of_ones_own_may_have_any_keys(tmp_path: Path, schema: dict[str, Any]) -> None:
    assert faults(schema, read_own(tmp_path).written) == []


@pytest.mark.parametrize(
    "changes",
    [
        "{model.depth: 3}",
        "{model: {depth: 3}}",
        "{context.operator: cb}",
        "{context: []}",
        "{context: [{operator: cb}]}",
        "{optimizer.lr: 1e-2}",
        "{schedule: {name: constant}}",
    ],
)
def test_changes_may_be_dotted_nested_and_partial(
    tmp_path: Path, changes: str, schema: dict[str, Any]
) -> None:
    text = swap(IMAGE, "{context: {operator: cb, place: mlp.end}}", changes)
    text = swap(text, "context: none", "context: {operator: halve}")
    assert faults(schema, read(tmp_path, text).written) == []


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("replicates", 0, "replicates"),
        ("replicats", 1, ""),
        ("baseline", {"rte": 1}, "baseline"),
        ("baseline", {"rate": -1}, "baseline.rate"),
        ("objective", {"metric": "test/score", "direction": "maximize"}, "objective.metric"),
        ("report", ["test/scor"], "report.0"),
        ("workload", "tpy", "workload"),
        ("name", "x", ""),
    ],
)
def test_bad_studies_do_not(
    tmp_path: Path, key: str, value: object, place: str, schema: dict[str, Any]
) -> None:
    written = {**read(tmp_path, TOY).written, key: value}
    assert faults(schema, written) == [place]


def test_unquoted_numbers_are_let_pass_as_text(tmp_path: Path, schema: dict[str, Any]) -> None:
    written = json.loads(json.dumps(read(tmp_path, TOY).written))
    written["factors"][0]["levels"][1]["name"] = 48
    assert faults(schema, written) == []


def test_every_key_of_a_study_is_described(schema: dict[str, Any]) -> None:
    assert all("description" in inner for inner in schema["properties"].values())
