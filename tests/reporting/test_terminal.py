"""Tables at a terminal."""

# ruff: noqa: RUF001 - a dash is one of the names

from __future__ import annotations

import re

import pytest

from cbablate.analysis.summary import summarize
from cbablate.character import width
from cbablate.reporting.model.table import Table
from cbablate.reporting.tables.arms import ablation_table
from tests.analysis.fabrication import FROZEN, patchy, placement, sizes, told
from tests.reporting import golden
from tests.reporting.tables import TABLES


def patched() -> Table:
    plan = placement(description=FROZEN)
    return ablation_table(plan, summarize(plan, told(plan, skip=patchy)))


def test_a_table_is_as_a_person_approved_of_it() -> None:
    golden.check("placement.txt", patched().as_text())
    assert str(patched()) == patched().as_text()


def test_a_factorial_is_as_a_person_approved_of_it() -> None:
    plan = sizes(description=FROZEN)
    golden.check("size.txt", ablation_table(plan, summarize(plan, told(plan))).as_text())


def test_nothing_run_is_a_table_of_dashes() -> None:
    plan = placement(description=FROZEN)
    text = ablation_table(plan, summarize(plan, [])).as_text()
    golden.check("nothing.txt", text)
    assert "Nothing has been trained yet." in text


def test_it_fits_a_terminal() -> None:
    assert max(map(width, patched().as_text().splitlines())) <= 110


def test_ascii_is_ascii() -> None:
    plan = placement(names=("é", "中", "–", "x"), description=FROZEN)
    text = ablation_table(plan, summarize(plan, told(plan))).as_text(ascii_only=True)
    assert text.isascii()
    assert "+-" in text
    assert r"\u4e2d" in text


def test_signs_stand_apart_in_ascii_as_elsewhere() -> None:
    plan = placement(description=FROZEN)
    text = ablation_table(plan, summarize(plan, told(plan))).as_text(ascii_only=True)
    rows = text.split("\n-")[2].splitlines()
    assert sum(row.count(" +- ") for row in rows) > len(rows)
    assert not re.search(r"\S\+-|\+-\S", "".join(rows))


def test_columns_align_whatever_the_names_are() -> None:
    plan = placement(names=("中文名字", "e\u0301", "\x1b[31mred", "plain"), description=FROZEN)
    lines = ablation_table(plan, summarize(plan, told(plan))).as_text().splitlines()
    rows = [line for line in lines if "115,2" in line or "115,3" in line]
    assert len(rows) == 5
    assert len({width(row) for row in rows}) == 1
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize("room", [40, 60, 80, 120])
@pytest.mark.parametrize(
    "what", ["parts", "long-names", "endless-names", "patchy", "foreign", "two-way"]
)
def test_no_line_is_longer_than_the_terminal_is_wide_and_nothing_is_lost(
    what: str, room: int
) -> None:
    table = TABLES[what]()
    text = table.as_text(room=room)
    assert max(map(width, text.splitlines())) <= room
    body = "".join(text.partition("─")[2].split())
    for column in table.columns:
        if column.kind != "text":
            for row in table.rows:
                assert "".join(row.cells[table.columns.index(column)].plain.split()) in body


def test_where_there_is_room_the_terminals_width_changes_nothing() -> None:
    assert patched().as_text(room=110) == patched().as_text()
