"""`--json` of every command that shows: one object whose keys docs/json.md names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cbablate.cli.catalog import ROWS
from cbablate.reporting.model.cell import hyphened
from tests.cli.typed import typed
from tests.toys import toy_file

DOCUMENT = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
SWEEP = """\
space:
  rate: {float: [0.05, 5.0], log: true}
sampler: random
trials: 6
"""
SILENT = {"init", "run", "sync", "ui", "report", "schema"}
"""Commands that make something, or print JSON in any case."""
WORDS = {
    "check": ("toys.yaml",),
    "plan": ("toys.yaml",),
    "status": ("toys.yaml",),
    "logs": ("toys.yaml",),
    "table": ("toys.yaml",),
    "explain": ("toys.yaml", "two", "Δ"),
    "sweep": ("tuned.yaml",),
    "diff": ("toys.yaml", "replicates=2"),
    "methods": ("toys.yaml",),
    "verify": ("toys.yaml", "paper.tex"),
    "models": ("resnet18",),
    "data": (),
    "fsck": ("results",),
}
OPEN = {
    *("levels", "metrics", "numbers", "proposal", "importance", "slices", "estimates"),
    *("config", "images", "overlap", "blocks", "absent", "partial"),
}
"""Keys whose own keys are the study's or the workload's words."""


def keys(value: Any, within: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        yield from () if within in OPEN else value
        for key, item in value.items():
            yield from keys(item, "" if within in OPEN else key)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item, within)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that has run, one that was tuned, and a paper."""
    folder = tmp_path_factory.mktemp("json")
    toy_file(folder)
    tuned = toy_file(folder, name="tuned", replicates=1, epochs=2)
    tuned.write_text(tuned.read_text() + "tune: sweep.yaml\n")
    (folder / "sweep.yaml").write_text(SWEEP)
    ran = typed("run", "toys.yaml", "tuned.yaml", "--on", "local", "--no-mirrors", cwd=folder)
    assert ran.code == 0, ran.err
    assert typed("table", "toys.yaml", "-o", "paper.tex", cwd=folder).code == 0
    return folder


def test_every_command_that_shows_takes_it() -> None:
    assert {row.name for row in ROWS} == {*WORDS, *SILENT}


@pytest.mark.parametrize("command", WORDS)
def test_json_is_one_object_whose_keys_are_documented(command: str, here: Path) -> None:
    said = typed(command, *WORDS[command], "--json", cwd=here)
    assert said.code == 0, said.err
    assert said.out.isascii()
    shape = json.loads(said.out)
    assert (shape["shape"], shape["version"]) == (command, 1)
    if command == "fsck":
        return  # docs/fsck.md has its keys
    section = DOCUMENT.partition("## `cbablate check")[0]
    section += "".join(re.findall(r"^## `cbablate .*?(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.S))
    documented = set(re.findall(r"`([a-z_0-9]+)`", section))
    assert set(keys(shape)) <= documented, set(keys(shape)) - documented
    assert f"## `cbablate {command} " in DOCUMENT


def test_what_json_says_of_a_cell_is_what_the_words_say(here: Path) -> None:
    words = ("explain", "toys.yaml", "two", "Δ")
    shape, said = (typed(*words, *more, cwd=here).out for more in (("--json",), ()))
    found = json.loads(shape)
    assert "\n".join(found["says"]) == hyphened(said.rstrip("\n"))
    assert f"Unrounded: {found['contrast']['difference']!r}" in hyphened(said)
    entered = [one for one in found["trials"] if one["value"] is not None]
    assert len(entered) == 6, "three of the arm, three of the one it is compared with"
    assert {one["arm"] for one in entered} == {found["arm"]["id"], found["arm"]["against"]}


def test_what_does_not_hold_in_a_paper_is_told_with_its_place(here: Path) -> None:
    paper = here / "wrong.tex"
    text = (here / "paper.tex").read_text()
    rows = [line for line in text.splitlines() if "cbablate row" in line or "&" in line]
    row = next(line for line in rows if line.lstrip().startswith("two"))
    number = re.findall(r"\d\.\d+", row)[0]
    paper.write_text(text.replace(row, row.replace(number, "9.999", 1)))
    said = typed("verify", "toys.yaml", "wrong.tex", "--json", cwd=here)
    assert said.code == 3
    found = json.loads(said.out)
    assert found["holds"] is False
    fault = found["faults"][0]
    assert (fault["study"], fault["printed"], fault["file"]) == ("toys", "9.999", "wrong.tex")
    assert fault["line"] > 1
    assert found["studies"][0]["faults"] == len(found["faults"])


def test_the_rows_of_another_table_have_a_key_and_cells_alone(here: Path) -> None:
    study = toy_file(here, name="both", replicates=2, epochs=1)
    second = (
        "  - name: noise\n    levels:\n      - {name: low}\n"
        "      - {name: high, changes: {noise: 0.1}}\nbudget"
    )
    study.write_text(
        study.read_text()
        .replace("budget", second, 1)
        .replace("budget", "design: factorial\nbudget", 1)
    )
    assert typed("run", "both.yaml", "--on", "local", "--no-mirrors", cwd=here).code == 0
    said = typed("table", "both.yaml", "--effects", "--json", cwd=here)
    assert said.code == 0, said.err
    rows = json.loads(said.out)["rows"]
    assert rows
    assert all(set(row) == {"key", "cells"} for row in rows)
