r"""A paper's tables against ours: every edit that changes a claim is found, no other is told."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from cbablate.analysis.summary import summarize
from cbablate.reporting.forms.comma_separated import comma_separated
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.forms.markdown import markdown
from cbablate.reporting.forms.web_page import html
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.agreement import Agreement, agreement
from cbablate.reporting.pages.csv_copy import altered
from cbablate.reporting.pages.paper import paper_rows, prose_in, reader
from cbablate.reporting.pages.printed_prose import reworded
from cbablate.reporting.tables.arms import ablation_table
from cbablate.reporting.tables.view import views
from tests.analysis.fabrication import placement, sizes, told
from tests.reporting.mutated_paper import mutations
from tests.reporting.tables import TABLES

FORMS: dict[str, Callable[[Table], str]] = {".tex": latex, ".md": markdown, ".html": html}
PLAN = placement(names=("MLP front", "CB 0.5 (2 of 3)", "MLP end", "after attention"))
TABLE = ablation_table(PLAN, summarize(PLAN, told(PLAN)))
TEXT = latex(TABLE)


def read(table: Table, text: str, path: Path) -> tuple[list[Agreement], list[tuple[str, str]]]:
    """Every block of rows as it agrees; the sentences that say something else."""
    path.write_text(text, encoding="utf-8")
    rows = [row for row in paper_rows(path) if row.is_printed]
    blocks = [agreement(table, list(block)) for _, block in groupby(rows, lambda row: row.block)]
    lines = prose_in(path).get(table.name, ())
    changed = reworded([table], lines, reader(path))
    return blocks, [(one.printed, one.now) for one in changed]


def faults(table: Table, text: str, path: Path) -> list[tuple[str, str]]:
    blocks, changed = read(table, text, path)
    cells = [(one.printed, one.now) for block in blocks for one in block.disagreements]
    return [*cells, *changed]


def seen(table: Table, text: str, path: Path) -> bool:
    """Whether an edit is told. A number gone from a table of one row is told as left out."""
    blocks, changed = read(table, text, path)
    alone = any(block.left_out for block in blocks) and len(blocks) == 1
    return bool(changed) or any(block.disagreements for block in blocks) or alone


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("name", TABLES)
def test_a_table_as_it_was_written_agrees(name: str, suffix: str, tmp_path: Path) -> None:
    table = TABLES[name]()
    text = FORMS[suffix](table)
    path = tmp_path / f"table{suffix}"
    blocks, changed = read(table, text, path)
    assert faults(table, text, path) == []
    assert {row.key for row in paper_rows(path)} == {row.key for row in table.rows}
    spared = {"n", "the intervals of Training"}  # of which caption or note tells, for want of room
    assert len(blocks) > 1 or spared.issuperset(blocks[0].left_out)
    assert changed == []
    assert altered([table], saved(tmp_path / "table.csv", comma_separated(table))) == []


def saved(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", FORMS)
def test_the_views_of_a_factorial_agree_with_themselves_and_a_changed_number_is_found(
    suffix: str, tmp_path: Path
) -> None:
    planned = sizes()
    shown = list(views(planned, summarize(planned, told(planned))))
    assert [table.name for table in shown] == ["size-effects", "size-components", "size-pairs"]
    for table in shown:
        text = FORMS[suffix](table)
        assert faults(table, text, tmp_path / f"view{suffix}") == []
        for mutation in mutations(table, text, random.Random(1), 3):
            assert seen(table, mutation.text, tmp_path / f"view{suffix}"), mutation


@pytest.mark.parametrize("suffix", [".tex", ".md"])
@pytest.mark.parametrize("name", TABLES)
def test_every_edit_that_changes_a_claim_is_found(name: str, suffix: str, tmp_path: Path) -> None:
    table = TABLES[name]()
    text = FORMS[suffix](table)
    edits = list(mutations(table, text, random.Random(name), 1))
    missed = [edit for edit in edits if not seen(table, edit.text, tmp_path / f"x{suffix}")]
    assert missed == []


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tex", ".md"])
@pytest.mark.parametrize("name", ["whole", "parts", "two-way-hostile", "long-names", "symbols"])
def test_hundreds_of_edits_of_a_table_are_all_found(name: str, suffix: str, tmp_path: Path) -> None:
    table = TABLES[name]()
    text = FORMS[suffix](table)
    edits = list(mutations(table, text, random.Random(0), 40))
    assert len(edits) > 200
    missed = [edit for edit in edits if not seen(table, edit.text, tmp_path / f"x{suffix}")]
    assert missed == []


def edited(old: str, new: str, path: Path, *, count: int = 1) -> list[tuple[str, str]]:
    assert old in TEXT
    return faults(TABLE, TEXT.replace(old, new, count), path / "paper.tex")


def test_a_less_than_sign_that_is_gone_is_told(tmp_path: Path) -> None:
    assert edited("$<$0.001", "0.001", tmp_path) == [("0.001", "<0.001")]


def test_a_dagger_that_was_added_or_removed_is_told(tmp_path: Path) -> None:
    assert edited(r"\rlap{$^{\dagger}$}", "", tmp_path) == [("no mark", "†")]
    assert edited(r"$\pm$\,0.013 &", r"$\pm$\,0.013\dag &", tmp_path) == [("†", "no mark")]


def test_a_bold_face_that_was_added_or_removed_is_told(tmp_path: Path) -> None:
    crossed = TABLES["two-way"]()
    text = latex(crossed)
    number = re.findall(r"\\textbf\{([\d.]+)\}", text)[0]
    plain = text.replace(rf"\textbf{{{number}}}", number)
    assert faults(crossed, plain, tmp_path / "p.tex") == [(number, f"{number} in bold")]
    value = re.findall(r"none & ([\d.]+)", TEXT)[0]
    bold = edited(f"none & {value}", rf"none & {{\bf {value}}}", tmp_path)
    assert bold == [(f"{value} in bold", f"{value}, not in bold")]


def test_a_number_deleted_from_one_row_is_told_and_a_column_left_out_of_all_is_none(
    tmp_path: Path,
) -> None:
    row = next(line for line in TEXT.splitlines() if line.lstrip().startswith("MLP end"))
    cells = row.split(" & ")
    gone = TEXT.replace(row, " & ".join([*cells[:1], "", *cells[2:]]))
    deleted = [("", one) for one in cells[1].split(r"\,$\pm$\,")]
    assert faults(TABLE, gone, tmp_path / "p.tex") == deleted
    column = next(i for i, one in enumerate(TABLE.columns) if one.metric == "attention/entropy")
    less = replace(
        TABLE,
        columns=TABLE.columns[:column] + TABLE.columns[column + 1 :],
        rows=tuple(
            replace(one, cells=one.cells[:column] + one.cells[column + 1 :]) for one in TABLE.rows
        ),
    )
    blocks, changed = read(TABLE, latex(less), tmp_path / "p.tex")
    assert [one.disagreements for one in blocks] == [()]
    assert TABLE.columns[column].label in blocks[0].left_out
    assert changed == []


WHOLE = next(note for note in TABLE.warnings if "undecided: " in note)
CLAIM = WHOLE[WHOLE.index("helps: ") :]


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("helps: ", "hurts: "),
        ("undecided: MLP front", "equivalent: MLP front"),
        ("MLP end, after attention; undecided: MLP front", "MLP end, MLP front"),
        ("after attention; undecided: MLP front", "MLP front; undecided: after attention"),
    ],
)
def test_a_claim_that_says_the_contrary_or_is_of_another_arm_is_told(
    said: str, instead: str, suffix: str, tmp_path: Path
) -> None:
    text = FORMS[suffix](TABLE)
    assert said in CLAIM
    wrong = text.replace(CLAIM, CLAIM.replace(said, instead))
    assert wrong != text
    found = faults(TABLE, wrong, tmp_path / f"p{suffix}")
    assert [now.replace("\N{NON-BREAKING HYPHEN}", "-") for _, now in found] == [WHOLE]


def test_a_sentence_that_was_left_out_moved_or_put_otherwise_is_not_told(tmp_path: Path) -> None:
    assert CLAIM in TEXT
    for other in ("", f"{CLAIM} Our own words, of 2024, follow.", CLAIM.replace("MLP end", "Ours")):
        assert faults(TABLE, TEXT.replace(CLAIM, other), tmp_path / "p.tex") == []
    renamed = TEXT.replace("none", "baseline").replace("MLP front", "ours, 7 layers")
    assert [one for one in faults(TABLE, renamed, tmp_path / "p.tex") if "7" not in one[0]] == []


def test_every_kind_of_minus_sign_is_one(tmp_path: Path) -> None:
    table = TABLES["negative-values"]()
    text = latex(table)
    rows = [line for line in text.splitlines() if "% cbablate row" in line]
    assert any("$-$" in row for row in rows)
    for minus in ("-", "\u2212", r"\textminus ", "{-}", "$-$~"):
        other = text
        for row in rows:
            other = other.replace(row, row.replace("$-$", minus))
        assert faults(table, other, tmp_path / "p.tex") == []
        assert faults(table, text.replace("$-$", ""), tmp_path / "p.tex") != []


def test_a_field_of_raw_numbers_that_was_changed_is_told_with_its_line(tmp_path: Path) -> None:
    lines = comma_separated(TABLE).splitlines()
    head = lines[0].split(",")
    field = lines[3].split(",")
    field[head.index("mean")] = "99.9"
    wrong = saved(tmp_path / "t.csv", "\n".join([*lines[:3], ",".join(field), *lines[5:]]))
    (one,) = altered([TABLE], wrong)
    assert one.startswith("4: mean is 99.9, the ledger says ")


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ('<td class="number">&lt;0.001</td>', '<td class="number">0.001</td>'),
        ('<span class="mark">†</span>', ""),
        ("0.013</td>", "0.014</td>"),
        ("0.013</td>", "</td>"),
        ("helps: CB", "hurts: CB"),
    ],
)
def test_a_page_that_was_edited_is_told(said: str, instead: str, tmp_path: Path) -> None:
    page = html(TABLE)
    assert said in page
    assert len(faults(TABLE, page.replace(said, instead, 1), tmp_path / "p.html")) == 1
