r"""A paper's tables: rows are found wherever they went, and only numbers that changed are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.analysis.summary import summarize
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from cbablate.reporting.latex import latex
from cbablate.reporting.paper import disagreements, paper_rows, versions_in
from cbablate.reporting.table import Table, ablation_table
from tests.analysis.fabrication import patchy, placement, sizes, told


def table_of(plan: Plan, facts: list[Record]) -> Table:
    return ablation_table(plan, summarize(plan, facts))


PLAN = placement(names=("MLP front", "CB 0.5 (2 of 3)", "MLP end", "after attention"))
TABLE = table_of(PLAN, told(PLAN, skip=patchy))
TEXT = latex(TABLE)


def found(text: str, folder: Path, table: Table = TABLE) -> list[tuple[str, str, str]]:
    """Printed, now, column: of each number that disagrees."""
    (folder / "paper.tex").write_text(text, encoding="utf-8")
    return [
        (one.printed, one.now, one.column)
        for row in paper_rows(folder / "paper.tex")
        for one in disagreements(table, row)
    ]


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.lstrip().startswith(start))


@pytest.mark.parametrize("plan", [PLAN, sizes(), placement(replicates=1)])
def test_a_table_agrees_with_itself(plan: Plan, tmp_path: Path) -> None:
    table = table_of(plan, told(plan, skip=patchy))
    (tmp_path / "paper.tex").write_text(latex(table))
    rows = paper_rows(tmp_path / "paper.tex")
    assert [row.key for row in rows] == [row.key for row in table.rows]
    assert all(len(row.numbers) > 3 for row in rows)
    assert found(latex(table), tmp_path, table) == []


def test_a_number_that_changed_is_told_with_what_it_is_now(tmp_path: Path) -> None:
    row = line_of(TEXT, "MLP end")
    value = row.split(" & ")[1]
    wrong = TEXT.replace(row, row.replace(f"& {value} &", "& 99.99 &"))
    assert found(wrong, tmp_path) == [("99.99", value, "Top-1")]


EDITS: dict[str, Callable[[str], str]] = {
    "bold": lambda row: row.replace(" & ", r" & \textbf{", 1).replace(" & $", "} & $", 1),
    "renamed": lambda row: row.replace("MLP end", "Ours (v2, 7 layers)"),
    "a column left out": lambda row: " & ".join(row.split(" & ")[:3] + row.split(" & ")[5:]),
    "broken into lines": lambda row: row.replace(" & ", "\n  & "),
    "the comment on a line of its own": lambda row: row.replace(r" \\ %", "\\\\\n  %"),
    "without an end": lambda row: row.replace(r" \\ %", " %"),
    "in colour": lambda row: rf"\rowcolor{{gray!20}} \cellcolor[gray]{{0.95}} {row}",
    "mathematics": lambda row: row.replace("+", "$+$ ").replace("& -", "& $-$"),
    "thousands": lambda row: row.replace("115258", "115{,}258").replace("115234", r"115\,234"),
    "an end with space": lambda row: row.replace(r"\\ %", r"\\[2pt] %"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_that_changes_no_number_is_no_disagreement(edit: str, tmp_path: Path) -> None:
    row = line_of(TEXT, "MLP end")
    edited = EDITS[edit](row)
    assert edited != row or edit in ("mathematics", "thousands")
    assert found(TEXT.replace(row, edited), tmp_path) == []


@pytest.mark.parametrize("edit", EDITS)
def test_a_changed_number_is_found_in_an_edited_row_too(edit: str, tmp_path: Path) -> None:
    row = line_of(TEXT, "MLP end")
    value = row.split(" & ")[1]
    wrong = EDITS[edit](row).replace(value, "12.34")
    assert ("12.34", value) in [one[:2] for one in found(TEXT.replace(row, wrong), tmp_path)]


def test_rows_are_found_in_any_order_and_rows_left_out_are_no_fault(tmp_path: Path) -> None:
    rows = [line for line in TEXT.splitlines() if "% cbablate row" in line]
    (tmp_path / "p.tex").write_text("\n".join(reversed(rows[1:])))
    keys = [row.key for row in paper_rows(tmp_path / "p.tex")]
    assert keys == [row.key for row in TABLE.rows[:0:-1]]


def test_prose_and_other_tables_are_passed_by(tmp_path: Path) -> None:
    other = "In 2024, 95\\% & 3.14 \\\\ % not ours\n\n\\midrule 7 & 8 \\\\\n"
    assert found(other + TEXT + other, tmp_path) == []


def test_a_row_of_an_arm_that_is_gone_disagrees_in_every_number(tmp_path: Path) -> None:
    gone = found(r"x & 1.5 & $\pm$ 2 \\ % cbablate row placement 0123456789", tmp_path)
    assert gone == [("1.5", "", ""), ("2", "", "")]


def test_included_files_are_read_and_the_version_of_the_data_with_them(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "one.tex").write_text(TEXT)
    paper = tmp_path / "main.tex"
    paper.write_text("% \\input{not there}\n\\input{tables/one}\n")
    assert len(paper_rows(paper)) == 5
    assert paper_rows(paper)[0].file == tmp_path / "tables" / "one.tex"
    assert versions_in(paper) == {"placement": TABLE.data}


def test_an_included_file_that_is_missing_or_endless_is_a_sentence(tmp_path: Path) -> None:
    paper = tmp_path / "main.tex"
    paper.write_text("a\n\\input{gone}\n")
    with pytest.raises(CbablateError, match=r"main\.tex:2 includes gone, which does not lie in"):
        paper_rows(paper)
    paper.write_text("\\input{main}\n")
    with pytest.raises(CbablateError, match="more than 8 deep"):
        paper_rows(paper)
    with pytest.raises(CbablateError, match="cannot be read"):
        paper_rows(tmp_path / "none.tex")


@given(st.text(alphabet="\\&%{}$ \n0123456789.,-+abc[]", max_size=200))
def test_no_paper_makes_it_stumble(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    key = TABLE.rows[0].key
    found(f"{text} % cbablate row placement {key}\n{text}", folder)
