"""The page about commands is true: its programs run, and its keys are those that are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from cbablate import api
from cbablate.spec.own_workload import Reads
from tests.documents import ROOT, commands, titled, typed
from tests.workloads.own_code import ran

PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
COMMAND = re.search(r"For `command: (\[awk.*\])`", PAGE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in titled(PAGE).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def last(results: Path) -> list[float]:
    facts = [fact.body for fact in api.facts(results) if fact.kind == "measured"]
    return [body["metrics"]["val/loss"] for body in facts if body["spent"] == 3]


def test_the_shell_script_is_a_study(folder: Path) -> None:
    assert ran(folder / "rate.yaml", folder / "results").exit_code == 0
    assert len(last(folder / "results")) == 12
    for line in commands(PAGE):
        shown = typed(line, folder)
        assert shown.returncode == 0, shown.stderr
        text = "epoch 1: loss" if "30 %" in line else "30 %/5"
        assert text in shown.stdout


def test_the_script_in_another_language_goes_from_the_page_to_numbers(folder: Path) -> None:
    assert COMMAND is not None
    study = yaml.safe_load((folder / "rate.yaml").read_text())
    study["workload"] = {"command": yaml.safe_load(COMMAND[1])}
    study["baseline"] = {"lr": 0.25}
    study["factors"][0]["levels"][1]["changes"] = {"lr": 0.5}
    (folder / "awk.yaml").write_text(yaml.safe_dump(study))
    assert ran(folder / "awk.yaml", folder / "results").exit_code == 0
    values = last(folder / "results")
    assert len(set(values)) == len(values) == 12


def test_every_source_of_the_page_can_be_read() -> None:
    rows = [line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| `{")]
    sources = [
        Reads.model_validate(yaml.safe_load(said), strict=False)
        for row in rows
        for said in re.findall(r"`(\{\w+: .*?\})`(?=[,\s|]|$)", row)
    ]
    named = {name for each in sources for name in each.model_fields_set}
    assert named == {"csv", "jsonl", "json_file", "stdout", "tensorboard", "mlflow", "wandb"}
