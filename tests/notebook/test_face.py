"""How studies, plans, completions and tables look in a notebook, and in a line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate import api
from cbablate.notebook.face import html, latex, markdown
from cbablate.planning.plan import plan
from cbablate.records.book import Book
from cbablate.reporting.model.cell import Text
from cbablate.reporting.model.table import Table
from cbablate.running.completion import completion
from cbablate.spec.factor import Factor, Level
from tests.analysis.fabrication import Telling, placement, told
from tests.reporting.typesetting import needs_tex, typeset
from tests.toys import toy_file, toy_plan

PLACES = placement()
TABLE = api.table_of(PLACES, told(PLACES))
OURS = {
    *("text", "begin", "end", "hline", "pm", "dagger", "uparrow", "downarrow", "Delta"),
    *("backslash", "sim", "wedge"),
}
"""Commands that LaTeX with amsmath and MathJax without an extension know."""
HOSTILE = r"a%b_c & $d$ #{e} ~^\\ <script>"


def hostile() -> Table:
    rows = [replace(row, cells=(Text(HOSTILE), *row.cells[1:])) for row in TABLE.rows]
    return replace(TABLE, rows=tuple(rows))


def test_a_value_is_a_short_line_where_nothing_richer_can_be_shown(tmp_path: Path) -> None:
    study = api.load_study(toy_file(tmp_path))
    planned = api.plan(study)
    done = completion(planned, Book())
    table = api.table_of(planned, [])
    assert repr(study) == "<StudyFile toys: Does a higher ceiling score higher?>"
    assert repr(study.study) == "<Study toys: Does a higher ceiling score higher?>"
    assert repr(planned) == "<Plan toys: 4 arms, 12 trials of 4 epochs>"
    assert repr(done) == "<Completion toys: 12 waiting of 12 trials; exit code 3>"
    assert re.fullmatch(r"<Table toys: 4 rows, \d columns>", repr(table))
    assert str(table).count("\n") > 5


def test_a_page_of_a_table_has_its_caption_rows_notes_and_signs() -> None:
    shown = TABLE._repr_html_()
    assert TABLE.caption in shown
    assert shown.count("<tr") == len(TABLE.rows) + 1
    assert all(arm.name in shown for arm in PLACES.arms)
    assert "†" in shown
    assert shown.count("<li>") == len(TABLE.warnings) + bool(TABLE.bold)
    assert "<html" not in shown
    assert not re.search(r"(?m)^(?:body|table|th|td)\b.*\{", shown)  # a style of the whole notebook


def test_styles_touch_nothing_but_what_is_ours() -> None:
    style = re.search(r"<style>(.*?)</style>", html(PLACES), re.DOTALL)
    assert style
    rules = [line for line in style[1].splitlines() if "{" in line]
    assert rules
    assert all(line.startswith(".cbablate") for line in rules)


def test_foreign_words_are_words_in_every_form() -> None:
    table = hostile()
    assert "<script>" not in html(table)
    assert "<script>" not in markdown(table)
    planned = toy_plan({"ceiling": 2.0})
    asked = planned.study.model_copy(update={"question": "<script>\x1b[31m"})
    for shown in (html(replace(planned, study=asked)), markdown(replace(planned, study=asked))):
        assert "<script>" not in shown
        assert "\x1b" not in shown


def test_a_plan_of_thousands_of_arms_is_cut_and_says_so() -> None:
    levels = tuple(
        Level(name=f"l{n}", changes={"ceiling": 1.0 + n} if n else {}) for n in range(3000)
    )
    small = toy_plan({"ceiling": 2.0}, replicates=2)
    asked = small.study.model_copy(update={"factors": (Factor(name="ceiling", levels=levels),)})
    wide = plan(asked, small.description)
    assert len(html(wide)) < 5_000
    assert "And 2,980 more arms." in html(wide)


def test_a_table_of_hundreds_of_rows_is_cut_and_says_so() -> None:
    long = replace(TABLE, rows=TABLE.rows * 100)
    for shown in (html(long), markdown(long)):
        assert f"And {len(long.rows) - 200} more rows." in shown
    assert html(long).count("<tr") == 201


def test_a_completion_says_what_failed_and_why() -> None:
    planned, telling = toy_plan({"ceiling": 2.0}, replicates=4), Telling()
    for trial in planned.trials:
        telling.measure(trial, {"val/score": 1.0})
        telling.end(trial, "failed", "error", reason="out of memory")
    shown = html(completion(planned, Book.of(telling.facts)))
    assert shown.count("out of memory") == 5
    assert "3 more trials failed." in shown


def test_values_of_other_kinds_offer_no_latex() -> None:
    assert latex(PLACES) is None
    assert PLACES._repr_latex_() is None


def test_latex_of_a_table_has_no_command_that_mathjax_lacks() -> None:
    for table in (TABLE, hostile()):
        text = latex(table)
        assert text is not None
        assert {*re.findall(r"\\([A-Za-z]+)", text)} <= OURS
        assert text.count(r"\\") == len(table.rows) + 1
        inner = "".join(re.findall(r"\\text\{([^{}]*)\}", text))
        assert not set(inner) & set("\\%$#&_^~")


class TestTypeset:
    pytestmark = needs_tex

    @pytest.mark.parametrize("table", [TABLE, hostile()], ids=["places", "hostile"])
    def test_latex_of_a_table_needs_no_package_but_amsmath(
        self, table: Table, tmp_path: Path
    ) -> None:
        body = (latex(table) or "").replace("−", "-")  # noqa: RUF001
        source = (
            "\\documentclass{article}\\usepackage[a3paper,landscape]{geometry}"
            f"\\usepackage{{amsmath}}\\begin{{document}}\n{body}\n\\end{{document}}"
        )
        text, _ = typeset(source, tmp_path)
        assert "after attention" in text or "<script>" in text.replace(" ", "")
