r"""LaTeX tables: they compile, say what they should, and no name gets out of its cell."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate.analysis.summary import summarize
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from cbablate.reporting.forms.form import render
from cbablate.reporting.forms.latex import document, latex
from cbablate.reporting.forms.tex_text import prose
from cbablate.reporting.model.cell import Blank, Number
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.table import Table
from cbablate.reporting.tables.arms import ablation_table
from cbablate.spec.typesetting import Typesetting
from tests.analysis.fabrication import FROZEN, patchy, placement, told
from tests.reporting import golden
from tests.reporting.typesetting import bare, needs_tex, typeset

HOSTILE = (
    r"a_b & 50% #1 {x} ~^\ $\alpha",
    r"[1cm] * \input{/etc/passwd}",
    "Ünï -- “quoted” λ≥½ 中文🔥 <b>|",
    "a_long-name_without_any_space_" * 3 + "0123456789",
)
KEY = r" cbablate row placement [0-9a-f]{10}"
QUESTION = "Is 100% of $x_1$ \\write18{id}\n\n\\end{document} % more & more?"


def table_of(plan: Plan, facts: list[Record]) -> Table:
    return ablation_table(plan, summarize(plan, facts))


@pytest.fixture(scope="module")
def hostile() -> Table:
    plan = placement(names=HOSTILE, question=QUESTION, factor="% of ^^M", description=FROZEN)
    return table_of(plan, told(plan, skip=patchy))


def test_a_table_is_as_a_person_approved_of_it() -> None:
    plan = placement(description=FROZEN)
    golden.check("placement.tex", latex(table_of(plan, told(plan, skip=patchy))))


def test_hostile_names_are_as_a_person_approved_of_them(hostile: Table) -> None:
    golden.check("hostile.tex", latex(hostile))


def test_it_is_ascii_but_for_words_that_are_so_and_no_comment_is_ended_by_a_name(
    hostile: Table,
) -> None:
    assert latex(replace(hostile, rows=hostile.rows[:3], notes=(), brief=())).isascii()
    text = latex(hostile)
    assert "\r" not in text
    text = text.removesuffix("% cbablate end placement\n")
    before, _, float_ = text.partition("\\begin{table*}")
    above = before[: before.index("\\makeatletter")]
    assert all(line.startswith("% ") for line in above.splitlines())
    assert "U+4E2D CJK UNIFIED IDEOGRAPH-4E2D" in before
    for line in float_.replace(r"\%", "").splitlines():
        code, sign, comment = line.partition("%")
        assert not sign or (code.endswith(r"\\ ") and re.fullmatch(KEY, comment)), line


def test_every_row_has_as_many_cells_as_the_table_has_columns(hostile: Table) -> None:
    wide = replace(hostile, typesetting=Typesetting(style="tmlr"))
    lines = [re.sub(rf" %{KEY}$", "", line) for line in latex(wide).splitlines()]
    rows = [line for line in lines if line.endswith(r" \\")]
    counts = {row.replace(r"\&", "").count("&") + 1 for row in rows}
    assert len(rows) == 5 + 2
    assert counts == {len(hostile.columns)}


def test_each_row_and_the_table_carry_a_key_to_their_trials() -> None:
    plan = placement()
    table = table_of(plan, told(plan))
    text = latex(table)
    assert f"% cbablate data placement {table.data}\n" in text
    for row, arm in zip(table.rows, plan.arms, strict=True):
        assert row.arm == arm.id
        assert f"% cbablate row placement {arm.id[:10]}\n" in text


def test_the_same_table_gives_the_same_bytes() -> None:
    plan = placement()
    facts = told(plan)
    assert latex(table_of(plan, facts)) == latex(table_of(plan, list(reversed(facts))))


def test_a_long_table_goes_on_in_another_float() -> None:
    plan = placement(replicates=1)
    table = table_of(plan, told(plan))
    long = replace(table, rows=tuple(table.rows[i % 5] for i in range(100)))
    text = latex(replace(long, typesetting=Typesetting(long=False)))
    assert text.count(r"\begin{table*}") == 3
    assert text.count("(2 of 3)") == 1
    assert r"\label{tab:placement-3}" in text


def test_a_table_of_more_than_forty_rows_runs_over_pages_with_its_heads_repeated() -> None:
    plan = placement(replicates=1)
    table = replace(table_of(plan, told(plan)), typesetting=Typesetting(style="tmlr"))
    for rows, long in ((40, False), (41, True)):
        text = latex(replace(table, rows=tuple(table.rows[i % 5] for i in range(rows))))
        assert (r"\begin{longtable}" in text) == long
        assert text.count(r"\toprule") == (2 if long else 1)
        assert text.count("% cbablate row") == rows
        assert ("longtable" in text.partition(r"\begin")[0]) == long


def test_captions_stand_where_the_style_wants_them() -> None:
    table = table_of(placement(), [])
    for style, below in (("plain", False), ("neurips", False), ("icml", False), ("cvpr", True)):
        how = Typesetting.model_validate({"style": style})
        text = latex(replace(table, typesetting=how))
        assert (text.index(r"\caption") > text.index(r"\bottomrule")) == below


def test_the_source_says_what_to_do_where_there_is_no_float_with_a_star() -> None:
    table = table_of(placement(), [])
    for width, star in (("text", True), ("column", False)):
        text = latex(replace(table, typesetting=Typesetting(width=width)))
        assert (r"\begin{table*}" in text) == star
        assert ("as in beamer, leave out its star" in text) == star


def test_a_label_and_a_first_sentence_are_the_authors() -> None:
    plan = placement()
    table = table_of(plan, told(plan))
    how = Typesetting(caption="Ours & theirs", label="tab:main")
    text = latex(replace(table, typesetting=how))
    assert r"\label{tab:main}" in text
    assert rf"\caption{{Ours \& theirs. {prose(table.statement[0])}" in text
    assert "Where in a transformer" not in text.partition(r"\begin{table}")[2]


def test_how_a_table_is_set_changes_no_other_form() -> None:
    plan = placement()
    table = table_of(plan, told(plan))
    how = Typesetting(style="icml", orientation="landscape", long=True, caption="x", label="y")
    for form in ("markdown", "csv", "text"):
        assert render(replace(table, typesetting=how), form) == render(table, form)


def test_plain_numbers_and_blanks_are_set_too() -> None:
    plan = placement()
    column = Column("x", "spread")
    rows = (Row((Number(12.5, 1),)), Row((Number(None, 1),)), Row((Blank(),)))
    text = latex(replace(table_of(plan, []), columns=(column,), rows=rows, notes=(), brief=()))
    assert "    12.5 \\\\\n    -- \\\\\n    -- \\\\" in text
    assert "minipage" not in text


@pytest.mark.parametrize("reader", [pytest.param("pdflatex", marks=needs_tex)])
def test_hostile_names_are_printed_as_they_are(reader: str, hostile: Table, tmp_path: Path) -> None:
    shown, log = typeset(document(hostile), tmp_path)
    page = bare(shown)
    for name in HOSTILE[:2] + HOSTILE[3:]:
        assert bare(name) in page
    assert "<U+4E2D><U+6587><U+1F525><b>|" in page
    assert bare(QUESTION) in page
    assert "root:" not in page
    assert "Overfull" not in log
    assert "Missing character" not in log
