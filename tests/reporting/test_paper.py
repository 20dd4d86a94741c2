r"""A paper's tables: rows are found wherever they went, and only numbers that changed are told."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.analysis.summary import summarize
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.agreement import disagreements
from cbablate.reporting.pages.paper import paper_rows, versions_in
from cbablate.reporting.tables.arms import ablation_table
from cbablate.spec.typesetting import Typesetting
from tests.analysis.fabrication import patchy, placement, sizes, told


def table_of(plan: Plan, facts: list[Record]) -> Table:
    """The table in one piece, on a page that is wide enough."""
    found = ablation_table(plan, summarize(plan, facts))
    return replace(found, typesetting=Typesetting(style="tmlr"))


PLAN = placement(names=("MLP front", "CB 0.5 (2 of 3)", "MLP end", "after attention"))
TABLE = table_of(PLAN, told(PLAN, skip=patchy))
TEXT = latex(TABLE)


def found(text: str, folder: Path, table: Table = TABLE) -> list[tuple[str, str, str]]:
    """Printed, now, column: of each number that disagrees."""
    (folder / "paper.tex").write_text(text, encoding="utf-8")
    rows = [row for row in paper_rows(folder / "paper.tex") if row.is_printed]
    return [(one.printed, one.now, one.column) for one in disagreements(table, *rows)]


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
    value = mean_of(row)
    wrong = TEXT.replace(row, row.replace(f"& {value}", "& 99.99"))
    assert found(wrong, tmp_path) == [("99.99", value, "Top-1")]


def mean_of(row: str) -> str:
    """The first mean that a row prints."""
    return row.split(" & ")[1].partition(r"\,")[0]


EDITS: dict[str, Callable[[str], str]] = {
    "renamed": lambda row: row.replace("MLP end", "Ours (v2, 7 layers)"),
    "broken into lines": lambda row: row.replace(" & ", "\n  & "),
    "the comment on a line of its own": lambda row: row.replace(r" \\ %", "\\\\\n  %"),
    "without an end": lambda row: row.replace(r" \\ %", " %"),
    "the name in bold": lambda row: row.replace("MLP end", r"\textbf{MLP end}"),
    "in colour": lambda row: rf"\rowcolor{{gray!20}} \cellcolor[gray]{{0.95}} {row}",
    "mathematics": lambda row: row.replace("$+$", "$+$ ").replace("$-$", "$-$ "),
    "thousands": lambda row: row.replace("115,258", "115{,}258").replace("115,234", r"115\,234"),
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
    value = mean_of(row)
    wrong = EDITS[edit](row).replace(value, "12.34")
    assert ("12.34", value) in [one[:2] for one in found(TEXT.replace(row, wrong), tmp_path)]


def test_rows_are_found_in_any_order_and_rows_left_out_are_no_fault(tmp_path: Path) -> None:
    rows = [line for line in TEXT.splitlines() if "% cbablate row" in line]
    (tmp_path / "p.tex").write_text("\n".join(reversed(rows[1:])))
    keys = [row.key for row in paper_rows(tmp_path / "p.tex")]
    assert keys == [row.key for row in TABLE.rows[:0:-1]]


def commented(text: str) -> str:
    return "\n".join(f"% {line}" for line in text.splitlines())


def printed(text: str, folder: Path) -> list[tuple[str, bool]]:
    (folder / "paper.tex").write_text(text, encoding="utf-8")
    return [(row.key, row.is_printed) for row in paper_rows(folder / "paper.tex")]


@pytest.mark.parametrize("edit", EDITS)
def test_a_row_that_is_commented_out_is_not_printed_and_lends_no_number(
    edit: str, tmp_path: Path
) -> None:
    row = line_of(TEXT, "MLP end")
    hidden = TEXT.replace(row, commented(EDITS[edit](row)))
    gone = row.split()[-1]
    assert printed(hidden, tmp_path) == [(one.key, one.key != gone) for one in TABLE.rows]
    assert found(hidden, tmp_path) == []


def test_a_row_below_the_heads_is_not_taken_for_them_when_it_is_commented_out(
    tmp_path: Path,
) -> None:
    first = line_of(TEXT, "none &")
    split = EDITS["the comment on a line of its own"](first)
    assert not dict(printed(TEXT.replace(first, commented(split)), tmp_path))[TABLE.rows[0].key]
    assert dict(printed(TEXT.replace(first, split), tmp_path))[TABLE.rows[0].key]


def test_a_mark_whose_row_was_deleted_marks_nothing_that_is_printed(tmp_path: Path) -> None:
    row = line_of(TEXT, "MLP end")
    gone = row.split()[-1]
    left = TEXT.replace(row, row[row.index("% cbablate") :])
    assert printed(left, tmp_path) == [(one.key, one.key != gone) for one in TABLE.rows]


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
    with pytest.raises(CbablateError, match=r"main\.tex:2 includes 'gone', which does not lie in"):
        paper_rows(paper)
    paper.write_text("\\input{main}\n")
    with pytest.raises(CbablateError, match="includes itself"):
        paper_rows(paper)
    with pytest.raises(CbablateError, match="cannot be read"):
        paper_rows(tmp_path / "none.tex")


@given(st.text(alphabet="\\&%{}$ \n0123456789.,-+abc[]", max_size=200))
def test_no_paper_makes_it_stumble(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    key = TABLE.rows[0].key
    found(f"{text} % cbablate row placement {key}\n{text}", folder)


def refusal(folder: Path, text: str | bytes) -> str:
    paper = folder / "paper.tex"
    paper.write_bytes(text.encode() if isinstance(text, str) else text)
    began = time.process_time()
    with pytest.raises(CbablateError) as caught:
        paper_rows(paper)
    assert time.process_time() - began < 20
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["x" * 400, "x" * 70_000, "a\0b", "a/b/c", ".", "..", "~", "{", "paper", "fifo", "folder"],
)
def test_an_include_of_what_is_no_file_is_a_sentence_with_its_place(
    name: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "{.tex").touch()
    said = refusal(tmp_path, f"text\n\\input{{{name}}}\n\\input{{missing}}")
    assert len(said) < 400
    assert "paper.tex" in said or "fifo is not a regular file" in said, said


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/tty", "/proc/self/mem", "/dev/stdin"])
def test_an_include_of_a_device_neither_hangs_nor_fills_the_memory(
    path: str, tmp_path: Path
) -> None:
    assert path in refusal(tmp_path, f"\\input{{{path}}}")


@pytest.mark.slow
def test_papers_without_end_are_refused(tmp_path: Path) -> None:
    assert "includes itself" in refusal(tmp_path, "\\input{paper}")
    (tmp_path / "a.tex").write_text("\\include{paper.tex}")
    assert "includes itself" in refusal(tmp_path, "\\input{a}")
    (tmp_path / "sub").mkdir()
    assert "includes itself" in refusal(tmp_path, "\\input{sub/../paper}")
    for number in range(7):
        (tmp_path / f"d{number}.tex").write_text(f"\\input{{d{number + 1}}}" * 100)
    (tmp_path / "d7.tex").touch()
    assert "more than 1,000 files" in refusal(tmp_path, "\\input{d0}")
    (tmp_path / "big.tex").write_text("x\n" * 2**21)
    assert "8,388,608 characters" in refusal(tmp_path, "\\input{big}\n" * 3)


@pytest.mark.parametrize("content", [b"\0", "x".encode("utf-16"), b"x" * (2**23 + 1)])
def test_what_is_no_latex_is_refused(content: bytes, tmp_path: Path) -> None:
    assert str(tmp_path / "paper.tex") in refusal(tmp_path, content)
    (tmp_path / "inner.tex").write_bytes(content)
    assert str(tmp_path / "inner.tex") in refusal(tmp_path, "\\input{inner}")


def test_a_paper_that_is_a_folder_or_missing_or_unnameable_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo", tmp_path / "none.tex", Path("a\0b"), Path("x" * 999)):
        with pytest.raises(CbablateError):
            paper_rows(path)


@pytest.mark.parametrize(
    "line",
    [
        "\\\\[" * 100_000,
        "\\multirow[" * 100_000,
        "\\color[" * 100_000,
        "\\input{" * 100_000,
        "\\input" + " " * 500_000,
        "\\" * 500_000,
        "%" * 500_000,
        "% " + " " * 500_000,
        "1" * 500_000,
        "1 " * 250_000,
        "- " * 250_000,
        "&" * 500_000,
        "1\n" * 250_000,
        "text & 1\n" * 100_000,
    ],
    ids=lambda line: line[:10],
)
def test_a_long_line_or_a_long_row_is_read_in_little_time(line: str, tmp_path: Path) -> None:
    paper = tmp_path / "paper.tex"
    paper.write_text(f"{line}\n\n% cbablate row placement 12ab\n")
    began = time.process_time()
    assert [row.key for row in paper_rows(paper)] == ["12ab"]
    with contextlib.suppress(CbablateError):  # such a row is too long to be one of ours
        paper.write_text(f"{line} % cbablate row placement 12ab\n")
        for row in paper_rows(paper):
            disagreements(TABLE, row)
    assert time.process_time() - began < 20


def test_letters_that_are_not_utf_8_hide_no_number(tmp_path: Path) -> None:
    (tmp_path / "paper.tex").write_bytes(b"caf\xe9 & 12.5 \\\\ % cbablate row placement 12ab\n")
    (row,) = paper_rows(tmp_path / "paper.tex")
    assert [number for number, _ in row.numbers] == ["12.5"]


def test_a_remark_between_a_row_and_its_mark_conceals_nothing(tmp_path: Path) -> None:
    text = "A & 99.9 \\\\\n% checked by R&D\n% cbablate row s ab\n"
    (tmp_path / "paper.tex").write_text(text)
    (row,) = paper_rows(tmp_path / "paper.tex")
    assert row.is_printed
    assert "99.9" in str(row.cells)
