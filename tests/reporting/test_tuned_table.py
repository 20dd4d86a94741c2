"""The table of a study that tunes its arms, in every form, and what stands under it."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from cbablate.analysis.outcome import outcome
from cbablate.planning.plan import Plan
from cbablate.planning.plan import plan as replanned
from cbablate.records.record import Record
from cbablate.reporting.figures.figure import write_figure
from cbablate.reporting.forms.form import FORMS, render
from cbablate.reporting.model.cell import DASH
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages import publication
from cbablate.reporting.pages.explanation import explanation
from cbablate.reporting.pages.publication import publish
from cbablate.reporting.sentences.tuning_note import view_luck
from cbablate.reporting.tables.arms import outcome_table
from tests.analysis.fabrication import FROZEN, Telling
from tests.analysis.tuned import (
    BOTH,
    places_told,
    proposed,
    replicated,
    searched,
    sweep,
    thirds,
    tuned_places,
    tuned_toys,
)
from tests.reporting.golden import check

PLACES = tuned_places()


def table_of(plan: Plan, facts: list[Record]) -> Table:
    return outcome_table(outcome(plan, facts))


def cells(table: Table, label: str) -> list[str]:
    (index,) = (i for i, column in enumerate(table.columns) if column.label == label)
    return [row.cells[index].plain for row in table.rows]


def note(table: Table, start: str) -> str:
    found = [line for line in table.notes if line.startswith(start)]
    return found[0] if found else ""


@pytest.fixture(scope="module")
def table() -> Table:
    return table_of(PLACES, places_told(PLACES))


@pytest.mark.parametrize(("form", "suffix"), [("markdown", "md"), ("latex", "tex"), ("csv", "csv")])
def test_it_looks_as_it_did_when_a_person_approved_of_it(form: str, suffix: str) -> None:
    frozen = tuned_places(FROZEN)
    check(f"tuned.{suffix}", render(table_of(frozen, places_told(frozen)), form))


def test_each_arm_stands_at_its_tuned_and_at_the_fixed_hyperparameters(table: Table) -> None:
    labels = [column.label for column in table.columns]
    assert labels == ["Placement", "Top-1", "Δ", "p", "Fixed", "Δ fixed", "Entropy", "n"]
    tuned, fixed = cells(table, "Top-1"), cells(table, "Fixed")
    for here, there in zip(tuned, fixed, strict=True):
        assert float(here.split()[0]) - float(there.split()[0]) == pytest.approx(1, abs=0.3)
    assert cells(table, "Δ fixed")[0] == "ref."


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_spells_both(table: Table, form: str) -> None:
    text = render(table, form)
    for row, place in ((row, place) for row in table.rows for place in (1, 4)):
        centre = row.cells[place].plain.split()[0]
        if form != "csv":
            assert centre in text
    assert text.count("fixed" if form == "csv" else "ixed") >= 1


def test_the_sheet_has_each_arm_twice_with_what_was_chosen(table: Table) -> None:
    at = {name: place for place, name in enumerate(table.sheet.header)}
    rows = [row for row in table.sheet.rows if row[at["metric"]] == "test/top1"]
    words = [row[at["hyperparameters"]] for row in rows]
    assert words == ["tuned"] * 5 + ["fixed"] * 5
    assert {row[at["optimizer.lr"]] for row in rows[5:]} == {2e-3}
    assert all(1e-3 <= float(str(row[at["optimizer.lr"]])) <= 1e-2 for row in rows[:5])


def test_the_notes_say_what_each_arm_got_used_and_chose(table: Table) -> None:
    given = note(table, "Each arm is tuned by 12 trials of at most 20 epochs")
    assert "sampler tpe (n_startup_trials 4), pruner median (first_rung 4)" in given
    assert "chosen on val/top1 alone" in given
    assert "seeds that no replicate has" in given
    used = "Used: 12 trials (4 complete, 8 pruned; 88 epochs) for each arm."
    assert note(table, "Used:") == used
    assert note(table, "Chosen: none optimizer.lr 0.00")
    survived = note(table, "Does it survive tuning")
    assert survived.startswith("Does it survive tuning? One search of each arm does not tell")
    assert "after attention: helps" in survived
    assert not note(table, "TUNING")


def test_unequal_effort_is_said_before_anything_else() -> None:
    def ending(search: int, number: int) -> str:
        return "error" if (search, number) == (2, 6) else "complete"

    table = table_of(PLACES, places_told(PLACES, ending))
    assert table.notes[0].startswith("TUNING EFFORT DIFFERS between arms")
    assert "none 12; MLP front 12; MLP middle 11" in table.notes[0]
    assert "MLP middle 12 trials (11 complete, 1 failed;" in note(table, "Used:")


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_study_that_is_not_tuned_yet_has_a_table_of_dashes(form: str) -> None:
    table = table_of(PLACES, [])
    assert table.notes[0].startswith("TUNING IS NOT OVER")
    assert "none (0 of 12 trials)" in table.notes[0]
    assert cells(table, "n") == ["0/6"] * 5
    assert render(table, form)


def test_an_arm_whose_search_goes_on_has_no_tuned_value_yet() -> None:
    def ending(search: int, number: int) -> str:
        return "open" if (search, number) == (4, 11) else "complete"

    table = table_of(PLACES, places_told(PLACES, ending))
    assert table.notes[0] == (
        "TUNING IS NOT OVER, so these have no tuned values yet: after attention (11 of 12 trials)."
    )
    assert cells(table, "Top-1")[-1] == "–"  # noqa: RUF001 - the dash is what is printed
    assert cells(table, "Fixed")[-1] != "–"  # noqa: RUF001 - likewise


def test_a_search_that_found_nothing_usable_is_said() -> None:
    def ending(search: int, _number: int) -> str:
        return "diverged" if search == 1 else "complete"

    table = table_of(PLACES, places_told(PLACES, ending))
    assert table.notes[0] == (
        "TUNING FOUND NOTHING USABLE, so these have no tuned values: MLP front."
    )


def test_a_choice_at_the_edge_of_the_space_is_said() -> None:
    planned, telling = tuned_toys(), Telling()
    for number in range(6):
        trial = proposed(
            telling, planned, 0, number, {"rate": 0.3, "start": 3 - number % 2, "fault": "none"}
        )
        telling.complete(trial, {"val/score": -float(number)})
    replicated(telling, planned, primary="test/score")
    edge = note(table_of(planned, telling.facts), "Chosen at the edge")
    assert edge.endswith("baseline (start).")


def test_without_factors_the_rows_are_fixed_and_tuned() -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, lambda s, n, p: {"val/score": float(n)})
    replicated(telling, planned, primary="test/score")
    table = table_of(planned, telling.facts)
    assert [row.cells[0].plain for row in table.rows] == ["fixed", "tuned"]
    assert cells(table, "Δ")[1].startswith("+1.")
    assert [column.label for column in table.columns] == ["Arm", "Score", "Δ", "p", "n"]


def test_what_is_published_has_the_figures_of_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[str, Figure] = {}

    def keep(figure: Figure, path: Path) -> None:
        """Setting a page takes matplotlib a second; one figure is set below."""
        drawn[path.name.split(".")[1]] = figure
        path.write_bytes(b"")

    monkeypatch.setattr(publication, "write_figure", keep)
    monkeypatch.setattr(publication, "report", lambda *_plan, **_found: "drawn elsewhere")
    planned, telling = tuned_toys({"ceiling": 2.0}, how=sweep(objectives=BOTH)), Telling()
    searched(
        telling, planned, lambda s, n, p: {"val/score": n % 3 + 0.5 + 10 * s, "cost": float(n)}
    )
    replicated(telling, planned, primary="test/score")
    written = {path.name for path in publish(planned, telling.facts, tmp_path)}
    for word in ("history", "slices", "parallel", "pareto"):
        assert {f"toys-tuning-{word}.pdf", f"toys-tuning-{word}.png"} <= written
    figure = next(f for name, f in drawn.items() if name.startswith("toys-tuning-pareto"))
    write_figure(figure, tmp_path / "one.png")
    write_figure(figure, tmp_path / "other.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
    marks = sum(len(line.get_xdata()) for line in figure.axes[0].lines)
    assert marks == 12, "every complete trial of both arms has a mark"


def test_searches_without_a_value_have_no_figures(tmp_path: Path) -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, lambda s, n, p: {}, ending=lambda _s, _n: "error")
    written = [path.name for path in publish(planned, telling.facts, tmp_path)]
    assert written == ["toys.html", "toys.tex", "toys.md", "toys.csv"]


def test_the_sheet_calls_rows_tuned_and_fixed_whatever_the_search_came_to() -> None:
    facts = places_told(PLACES, lambda s, n: "diverged" if s == 1 else thirds(s, n))
    sheet = table_of(PLACES, facts).sheet
    place = [sheet.header.index(name) for name in ("arm", "hyperparameters", "metric", "n")]
    rows = [tuple(row[at] for at in place) for row in sheet.rows]
    said = {(arm, word): n for arm, word, metric, n in rows if metric == "test/top1"}
    assert len(said) == 2 * len(PLACES.arms), "each arm has a row of either kind"
    assert (said["MLP front", "tuned"], said["MLP front", "fixed"]) == (0, 6)


def test_an_arm_whose_search_found_nothing_has_no_timing_in_its_tuned_row() -> None:
    study = PLACES.study.model_copy(update={"report": ("test/top1", "throughput/train")})
    plan = replanned(study, PLACES.description)
    telling = Telling()
    telling.facts += places_told(plan, lambda s, n: "diverged" if s == 1 else thirds(s, n))
    for arm in (*plan.arms, *outcome(plan, telling.facts).plan.arms):
        telling.time(arm.id, [1000.0])
    timed = cells(table_of(plan, telling.facts), "Training")
    assert [cell == DASH for cell in timed] == [False, True, False, False, False]


def test_the_mark_of_a_difference_that_does_not_survive_tuning_is_explained() -> None:
    telling = Telling()
    telling.session()
    searched(telling, PLACES, lambda s, n, p: {"val/top1": 1000 * p["optimizer.lr"] + s + n})
    rows = outcome(PLACES, telling.facts).plan
    for part, step in ((PLACES, 2.0), (rows, 0.0)):
        for trial in part.trials:
            shift = step * [arm.id for arm in part.arms].index(trial.arm)
            value = 90 + random.Random(trial.id).gauss(shift, 0.3)
            telling.complete(trial, {"test/top1": value, "attention/entropy": 1.0})
    found = table_of(PLACES, telling.facts)
    assert any("†" in cell for cell in cells(found, "Δ fixed"))
    assert not any("†" in cell for cell in cells(found, "Δ"))
    assert note(found, "Δ fixed is tested alike").endswith(
        "†: adjusted p < 0.05, and the exact sign-flip test agrees."
    )


def several(searches: int) -> Table:
    """The table of places, each arm searched so often, two replicates a search."""
    planned = tuned_places(searches=searches, replicates=2 * searches)
    return table_of(planned, places_told(planned))


def test_of_one_search_no_difference_has_a_mark_a_bold_face_or_a_word() -> None:
    found = table_of(PLACES, places_told(PLACES))
    assert not any("†" in cell for cell in cells(found, "Δ"))
    assert not any(getattr(cell, "best", False) for row in found.rows for cell in row.cells)
    assert "none is called the arm's, as the luck of one search" in note(found, "Findings on")
    assert note(found, "At the hyperparameters that its one search chose: MLP front (+0.03 to")
    assert note(found, "One search of each arm: intervals hold for the hyperparameters")
    assert "one search of 12 trials, whose luck is in no interval" in found.statement[-1]
    assert "no difference is called the arm's: that takes `searches: 3`" in " ".join(found.brief)
    assert not any("helps" in one for one in found.brief)


@pytest.mark.parametrize("searches", [3, 6])
def test_of_several_searches_the_table_says_how_many_replicates_and_searches(
    searches: int,
) -> None:
    found = several(searches)
    n = 2 * searches
    assert f"Means of n = {n} seeds over {searches} searches" in found.statement[0]
    mark = note(replace(found, notes=found.shown), "†: p < 0.05")
    assert ("the sign-flip test agrees" in mark) == (searches == 6)
    assert f"Each arm tuned by {searches} searches of 12 trials, then" in found.statement[-1]
    assert cells(found, "n") == [str(n)] * 5
    assert note(found, f"±: half-width of the 95 % t-interval over the {searches} searches' means")
    assert "paired by search." in note(found, "Δ: difference")
    assert note(found, f"Each arm is tuned by {searches} searches of 12 trials each,")
    assert f"from {n} fresh seeds, 2 a search," in note(found, "Each arm is tuned")
    assert "with intervals over seeds and differences paired by seed." in note(found, "Each arm is")
    assert "Fixed: at the hyperparameters as written, over seeds and" in found.statement[-1]
    assert note(found, f"Intervals and tests are over the {searches} searches of each arm")
    assert note(found, "Chosen: none, search #0 optimizer.lr")
    alone = "below 6 searches of each arm the t test decides alone"
    assert (alone in note(found, "Findings on Top-1")) == (searches == 3)
    assert "after attention: helps, then helps" in note(found, "Does it survive tuning")
    assert any("†" in cell for cell in cells(found, "Δ"))


def test_of_two_searches_there_are_intervals_and_no_findings() -> None:
    planned = tuned_places(searches=2, replicates=8)
    found = table_of(planned, places_told(planned))
    assert note(found, "Findings: none, for want of searches; 2 of each arm")
    assert all("±" in cell and "†" not in cell for cell in cells(found, "Δ")[1:])


def test_the_sheet_names_the_searches_and_gives_no_arm_the_values_of_one() -> None:
    found = several(3)
    at = {name: place for place, name in enumerate(found.sheet.header)}
    rows = [row for row in found.sheet.rows if row[at["metric"]] == "test/top1"]
    assert [row[at["searches"]] for row in rows] == [3] * 5 + [None] * 5
    assert [row[at["optimizer.lr"]] for row in rows[:5]] == [None] * 5
    assert [row[at["pairs"]] for row in rows[1:5]] == [6] * 4


def test_an_explanation_gives_the_hyperparameters_of_each_search() -> None:
    planned = tuned_places(searches=3, replicates=6)
    said = explanation(planned, places_told(planned), "MLP end", "Δ")
    assert "Mean of n = 3 paired differences of searches, each the mean over" in said
    assert "Entered: 6 pairs" in said
    assert "Hyperparameters by search, replicate #r at those of #(r mod 3):" in said
    assert said.count("optimizer.weight_decay") == 3


def test_a_view_of_tuned_arms_says_what_its_intervals_leave_out() -> None:
    for searches, words in ((1, "One search of each arm"), (3, "the unit is the search, 3 of")):
        planned = tuned_places(searches=searches, replicates=6)
        (said,) = view_luck(outcome(planned, []).plan)
        assert words in said
