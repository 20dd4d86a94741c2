"""`cbablate methods`, and how many notes stand below a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.typed import typed
from tests.ledgers.test_ledgers_of_0_1_0 import copied


@pytest.fixture
def study(tmp_path: Path) -> list[str]:
    file, results = copied("factorial", tmp_path)
    return [str(file), "--results", str(results)]


def printed(*words: str) -> str:
    done = typed(*words)
    assert done.code == 0, done.err
    return done.out


def test_it_prints_a_paragraph_for_each_form(study: list[str]) -> None:
    text = printed("methods", *study)
    assert text.count("\n") == 1
    assert "paired by seed" in text
    assert r"95~\%" in printed("methods", *study, "--as", "latex")
    assert "*p* values" in printed("methods", *study, "--as", "markdown")


def test_notes_are_as_many_as_are_asked_for(study: list[str]) -> None:
    short, full = printed("table", *study), printed("table", *study, "--notes", "full")
    assert len(short) < len(full)
    assert "Means of n = " in short
    assert "two-sided" in full
    none = printed("table", *study, "--notes", "none", "--as", "latex")
    assert "minipage" not in none
    assert "% Training" in none or "% On " in none or "% Findings" in none
    assert printed("table", *study, "--notes", "none") == short  # a terminal keeps the warnings


def test_json_has_all_notes_and_hyphens_that_programs_read(study: list[str]) -> None:
    told = json.loads(printed("table", *study, "--json", "--notes", "none"))
    assert len(told["notes"]) > 2
    assert "\u2212" not in json.dumps(told, ensure_ascii=False)
