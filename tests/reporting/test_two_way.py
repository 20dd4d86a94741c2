"""Two-way tables: each arm stands where its levels cross, with the numbers of the other table."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate.analysis.outcome import Outcome
from cbablate.analysis.summary import summarize
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan, plan
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.forms.markdown import markdown
from cbablate.reporting.model.cell import Spread
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.agreement import disagreements
from cbablate.reporting.pages.paper import paper_rows
from cbablate.reporting.tables.arms import outcome_table
from cbablate.reporting.tables.two_way import shown_table, two_way_table
from cbablate.spec.typesetting import Typesetting
from tests.analysis.fabrication import FROZEN, placement, told
from tests.reporting.tables import drawn

REPORT = ("test/top1", "attention/entropy", "throughput/train")


def crossed(contrast: str | None = None, layout: str = "two_way") -> Outcome:
    base = drawn("factorial", 2, 3, replicates=7, report=REPORT).study
    how = {"contrast": contrast, "typesetting": Typesetting.model_validate({"layout": layout})}
    planned = plan(base.model_copy(update=how), FROZEN)
    return Outcome(planned, summarize(planned, told(planned)))


FOUND = crossed()
TABLE = two_way_table(FOUND)


def test_every_arm_stands_once_in_a_panel_with_the_numbers_of_its_row() -> None:
    flat = {row.arm: row.cells for row in outcome_table(FOUND).rows}
    for number, column in ((0, 2), (1, 5)):  # two names come first, and a difference and a p
        for row in TABLE.rows[2 * number : 2 * number + 2]:
            for arm, cell in zip(row.arms, row.cells[2:], strict=True):
                other = flat[arm][column]
                assert isinstance(cell, Spread)
                assert isinstance(other, Spread)
                assert (cell.centre, cell.half, cell.best) == (
                    other.centre,
                    other.half,
                    other.best,
                )
    assert sorted(arm for row in TABLE.rows[:2] for arm in row.arms) == sorted(flat)


def test_levels_head_rows_and_columns() -> None:
    assert [column.title for column in TABLE.columns] == [
        *("Metric", "factor 1", "factor 2: off", "factor 2: 2 at 1", "factor 2: 2 at 2")
    ]
    assert [row.cells[1].plain for row in TABLE.rows] == ["off", "1 at 1"] * 2
    assert [row.cells[0].plain for row in TABLE.rows] == ["Top-1 (%) ↑", "", "Entropy (nats)", ""]
    text = latex(TABLE)
    assert r" &  & \multicolumn{3}{c}{factor 2} \\" in text
    assert r"\cmidrule(lr){3-5}" in text


def test_the_compared_factor_lies_across() -> None:
    assert two_way_table(crossed("factor 1")).columns[1].label == "factor 2"


def test_a_mark_says_that_an_arm_differs_and_the_notes_say_from_what() -> None:
    marks = {
        arm: cell.mark
        for row in TABLE.rows[:2]
        for arm, cell in zip(row.arms, row.cells[2:], strict=True)
        if isinstance(cell, Spread)
    }
    for one in FOUND.summary.arms:
        contrast = one.contrasts.get("test/top1")
        sure = contrast is not None and (contrast.p_adjusted or 0) < 0.05
        assert (marks[one.arm.id] == "†") == sure
    assert any(marks.values())
    (note,) = [note for note in TABLE.notes if note.startswith("†")]
    assert "differs from that of “off, off”" in note
    (short,) = [note for note in TABLE.shown if "†" in note]
    assert short == "†: p < 0.05, and the sign-flip test agrees."
    assert short not in TABLE.statement
    assert not any(note.startswith("Δ:") for note in TABLE.notes)


@pytest.mark.parametrize("contrast", [None, "factor 2"])
def test_what_is_compared_is_said_whether_or_not_an_arm_is_marked(contrast: str | None) -> None:
    found = crossed(contrast)
    other = "the arm that differs in factor 2 only" if contrast else "“off, off”"
    words = f"differences and their p: from {other}, paired by seed, Šidák-adjusted."
    assert two_way_table(found).statement[0].endswith(words)


def test_what_the_layout_leaves_out_is_said() -> None:
    assert TABLE.notes[-1] == "Timed, and not shown in this layout: Training."
    assert TABLE.sheet == outcome_table(FOUND).sheet


def test_its_rows_are_found_in_a_paper_and_agree(tmp_path: Path) -> None:
    paper = tmp_path / "paper.tex"
    paper.write_text(latex(TABLE))
    rows = paper_rows(paper)
    assert [row.key for row in rows] == [row.key for row in TABLE.rows]
    assert all(len(row.numbers) > 5 for row in rows)
    assert [one for row in rows for one in disagreements(TABLE, row)] == []
    shown = TABLE.rows[0].cells[3].plain.split()[0]
    paper.write_text(latex(TABLE).replace(rf"& {shown}\,", r"& 12.34\,"))
    wrong = [one for row in paper_rows(paper) for one in disagreements(TABLE, row)]
    assert [(one.printed, one.now) for one in wrong] == [("12.34", shown)]


def test_the_layout_of_the_study_decides_what_is_shown() -> None:
    assert shown_table(FOUND).rows == TABLE.rows
    assert shown_table(crossed(layout="rows")).rows == outcome_table(FOUND).rows
    assert "| Metric" in markdown(shown_table(FOUND))


@pytest.mark.parametrize("planned", [placement(), drawn("factorial", 2, 2, 2)])
def test_a_study_without_two_crossed_factors_has_none(planned: Plan) -> None:
    with pytest.raises(CbablateError, match="not a factorial of two factors"):
        two_way_table(Outcome(planned, summarize(planned, [])))


def test_groups_of_three_factors_are_parted_by_rules_as_deep_as_what_changes() -> None:
    planned = drawn("factorial", 2, 2, 2)
    table: Table = outcome_table(Outcome(planned, summarize(planned, told(planned))))
    lines = latex(table).partition(r"\midrule")[2].splitlines()
    rules = [line.strip() for line in lines if "rule" in line]
    last = rules[0].partition("-")[2]
    assert rules == [
        rf"\cmidrule{{2-{last}",
        r"\midrule",
        rf"\cmidrule{{2-{last}",
        r"\bottomrule",
    ]
