"""`--json`: shapes that hold, numbers that read back, keys that are documented."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cbablate.analysis.summary import summarize
from cbablate.cli.json_shape import plan_shape, printed, status_shape, table_shape
from cbablate.cli.main import app
from cbablate.reporting.tables.arms import ablation_table
from tests.analysis.fabrication import patchy, placement, told
from tests.toys import toy_file

DOCUMENT = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
OPEN = {"config", "levels", "metrics", "numbers"}
"""Keys whose values are the study's, the workload's or the CSV's own words."""
PLAN = placement()
FACTS = told(PLAN, skip=patchy)
SHAPES = {
    "plan": plan_shape(PLAN, FACTS),
    "status": status_shape(PLAN, FACTS),
    "table": table_shape(PLAN, ablation_table(PLAN, summarize(PLAN, FACTS))),
}


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            if key not in OPEN:
                yield from keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_key_is_documented(shape: str) -> None:
    documented = set(re.findall(r"`([a-z_]+)`", DOCUMENT))
    assert set(keys(SHAPES[shape])) <= documented


@pytest.mark.parametrize("shape", SHAPES)
def test_numbers_read_back_as_they_were(shape: str) -> None:
    text = printed(SHAPES[shape])
    assert text.isascii()
    assert json.loads(text) == json.loads(json.dumps(SHAPES[shape]))
    assert json.loads(text)["shape"] == shape
    assert json.loads(text)["version"] == 1


def test_the_numbers_of_a_table_are_those_of_its_sheet() -> None:
    table = ablation_table(PLAN, summarize(PLAN, FACTS))
    read = json.loads(printed(SHAPES["table"]))
    assert [tuple(row.values()) for row in read["numbers"]] == list(table.sheet.rows)
    assert [row["cells"] for row in read["rows"]] == [
        [cell.plain for cell in row.cells] for row in table.rows
    ]


def test_what_is_not_finite_is_null() -> None:
    table = ablation_table(PLAN, summarize(PLAN, FACTS))
    rows = ((math.nan, math.inf, 1e400),)
    odd = replace(table, sheet=replace(table.sheet, header=("a", "b", "c"), rows=rows))
    assert json.loads(printed(table_shape(PLAN, odd)))["numbers"] == [
        {"a": None, "b": None, "c": None}
    ]


def test_counts_add_up() -> None:
    status = SHAPES["status"]
    assert sum(status["counts"].values()) == len(PLAN.trials) == len(status["trials"])
    assert status["counts"]["failed"] == 3
    for state, count in status["counts"].items():
        assert sum(arm["counts"][state] for arm in status["arms"]) == count


def test_the_commands_print_their_shapes_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    good = toy_file(tmp_path)
    bad = tmp_path / "bad.yaml"
    bad.write_text(good.read_text().replace("ceiling: 2.0", "cieling: 2.0"))
    for command in ("plan", "status", "table"):
        said = CliRunner().invoke(app, [command, str(good), "--json"])
        assert said.exit_code == 0, said.output
        assert json.loads(said.stdout)["shape"] == command
    said = CliRunner().invoke(app, ["check", str(good), str(bad), "--json"])
    assert said.exit_code == 2
    right, wrong = json.loads(said.stdout)["files"]
    assert right["says"].startswith("4 arms, 12 trials. No finding is possible with 3 replicates")
    assert (right["path"], right["faults"]) == (str(good), [])
    assert "ceiling" in " ".join(wrong["faults"])
    assert set(keys(json.loads(said.stdout))) <= set(re.findall(r"`([a-z_]+)`", DOCUMENT))
