from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from cbablate.analysis.summary import summarize
from cbablate.errors import CbablateError
from cbablate.reporting.figures.interaction import interaction_figure
from cbablate.reporting.forms.form import render
from cbablate.reporting.forms.latex import document
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.publication import publish
from cbablate.reporting.tables.catalog import VIEWS
from cbablate.reporting.tables.view import WRITTEN, views
from tests.analysis.fabrication import FROZEN, patchy, sizes, told
from tests.analysis.grid import facts_of, grid, laid
from tests.analysis.sketches import grams, sketched
from tests.reporting.corrupted import corrupted, varied
from tests.reporting.golden import check
from tests.reporting.typesetting import needs_tex, typeset

PLAN = sizes(description=FROZEN)
FACTS = told(PLAN)


def view(name: str) -> Table:
    if name == "robust":
        planned, summary, _ = corrupted(varied)
        return VIEWS[name](planned, summary)
    facts = sketched(PLAN, FACTS, grams) if name == "alignment" else FACTS
    return VIEWS[name](PLAN, summarize(PLAN, facts))


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_looks_as_approved(name: str) -> None:
    check(f"{view(name).name}.txt", str(view(name)))


@pytest.mark.parametrize("name", VIEWS)
def test_the_numbers_of_a_view_read_back_from_its_csv(name: str) -> None:
    table = view(name)
    read = [*csv.reader(io.StringIO(render(table, "csv")))]
    assert read[0] == list(table.sheet.header)
    assert len(read) == 1 + len(table.sheet.rows)
    assert all(len(row) == len(read[0]) for row in read)


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs_tex) for name in VIEWS])
def test_a_view_compiles_as_latex(name: str, tmp_path: Path) -> None:
    shown, log = typeset(document(view(name)), tmp_path)
    assert "Overfull" not in log
    assert view(name).rows[0].cells[0].plain.partition(" ")[0] in shown


@pytest.mark.slow
def test_a_finished_factorial_is_published_with_its_views_and_its_interaction_plot(
    tmp_path: Path,
) -> None:
    names = {path.name for path in publish(PLAN, FACTS, tmp_path)}
    assert {f"size-{name}.tex" for name in WRITTEN if name != "alignment"} <= names
    assert "size-interaction.pdf" in names


def test_a_study_without_enough_whole_replicates_has_no_effects_yet_and_says_what_it_has() -> None:
    plan = grid(2, 3, replicates=1)
    facts = facts_of(plan, laid(plan, lambda at, _r: float(sum(at))))
    summary = summarize(plan, facts)
    assert [table.name for table in views(plan, summary)] == ["grid-pairs"]
    with pytest.raises(CbablateError, match="two replicates or more that all 6 arms"):
        VIEWS["effects"](plan, summary)


def test_replicates_left_out_of_the_effects_are_in_the_notes() -> None:
    facts = told(PLAN, skip=patchy)
    table = VIEWS["effects"](PLAN, summarize(PLAN, facts))
    assert any("Left out" in note and "#0, #1" in note for note in table.notes)


@pytest.mark.parametrize("design", ["leave_one_out", "cumulative"])
def test_the_notes_of_components_say_what_the_design_cannot_tell(design: str) -> None:
    plan = grid(2, 2, 2, design=design)
    facts = facts_of(plan, laid(plan, lambda at, r: sum(at) + 0.1 * r * at[0]))
    table = VIEWS["components"](plan, summarize(plan, facts))
    said = " ".join(table.notes)
    assert ("need not add up" in said) == (design == "leave_one_out")
    assert ("another order gives other numbers" in said) == (design == "cumulative")
    assert "Shapley" not in said


def test_an_interaction_plot_has_a_panel_for_each_other_factor_and_words_as_they_are() -> None:
    figure = interaction_figure(PLAN, summarize(PLAN, FACTS))
    assert [axis.get_xlabel() for axis in figure.axes] == ["width", "depth"]
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["48", "96"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["none", "CB"]
    assert legend.get_title().get_text() == "context"


def test_an_interaction_plot_of_one_factor_is_refused() -> None:
    plan = grid(2)
    facts = facts_of(plan, laid(plan, lambda at, r: at[0] + 0.1 * r))
    with pytest.raises(CbablateError, match="no two factors"):
        interaction_figure(plan, summarize(plan, facts))
