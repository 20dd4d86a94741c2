"""What a table says of the tests that its study asked for."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from typing import Any

import pytest

from cbablate.analysis.summary import summarize
from cbablate.reporting.forms.form import render
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.note import notes
from cbablate.reporting.tables.arms import ablation_table
from cbablate.spec.analysis import Analysis
from tests.analysis.fabrication import Telling
from tests.analysis.grid import facts_of, grid, laid


def noisy(at: Sequence[int], replicate: int) -> float:
    return at[0] + 0.3 * replicate + random.Random(7 * replicate + at[0]).gauss(0, 0.1)


def table(replicates: int = 10, **how: str) -> Table:
    plan = grid(3, replicates=replicates, design="one_at_a_time", analysis=Analysis(**how))
    facts = facts_of(plan, laid(plan, noisy))
    return ablation_table(plan, summarize(plan, facts))


def bootstrapped(*pairs: int) -> Table:
    """The table of two arms that have so many seeds of twelve, and bootstrap intervals."""
    plan = grid(3, replicates=12, design="one_at_a_time", analysis=Analysis(interval="bca"))
    values = laid(plan, noisy)
    for arm, known in zip(plan.arms[1:], pairs, strict=True):
        values[arm.id] = {r: value for r, value in values[arm.id].items() if r < known}
    return ablation_table(plan, summarize(plan, facts_of(plan, values)))


def column(table: Table, label: str) -> list[str]:
    (index,) = (i for i, one in enumerate(table.columns) if one.label == label)
    return [row.cells[index].plain for row in table.rows]


def test_a_bootstrap_interval_stands_in_parentheses_with_its_coverage_in_the_notes() -> None:
    bca = table(interval="bca")
    assert all("(" in cell for cell in column(bca, "Δ")[1:])
    assert any("With 10 pairs they cover 90.8 %" in note for note in bca.notes)
    assert "BCa intervals of 9,999 resamples" in bca.method[0]
    assert "single 95 % BCa" in bca.method[0]
    assert column(bca, "p") == column(table(), "p")
    marked = [cell.endswith("†") for cell in column(table(), "Δ")]
    assert [cell.endswith("†") for cell in column(bca, "Δ")] == marked
    assert any(marked)
    assert str(bca) == str(table(interval="bca"))


def test_the_coverage_of_bootstrap_intervals_is_of_those_that_are_printed() -> None:
    said = bootstrapped(12, 7)
    assert any("With 12 pairs they cover 90.8 %" in note for note in said.notes)
    assert "Below 10 pairs no BCa interval is given." in said.notes
    none = bootstrapped(7, 7)
    assert not any("they cover" in note for note in none.notes)


def test_of_an_interval_that_is_not_given_nothing_is_said_to_be_in_it() -> None:
    said = " ".join((*bootstrapped(12, 7).notes, *(bootstrapped(12, 7).brief or ())))
    assert "adjusted p < 0.05, but no BCa interval is given of so few pairs: ceiling 2" in said
    assert "has 0 in it" not in said


def test_dunnetts_test_is_named_with_its_joint_intervals() -> None:
    said = table(correction="dunnett")
    assert any(
        "Dunnett's two-sided test over 2 comparisons with seeds as blocks" in n for n in said.notes
    )
    assert any("simultaneous 95 % intervals of Δ by Dunnett's correction" in n for n in said.notes)
    assert "Holm" not in " ".join((*said.notes[:3], *said.method))


def test_the_sign_flip_tests_p_is_the_one_that_is_printed_and_corrected() -> None:
    said = table(test="sign_flip")
    assert any("exact sign-flip test, Šidák-adjusted over 2 comparisons" in n for n in said.notes)
    assert column(said, "p")[1:] == ["0.004", "0.004"], "1 - (1 - 2 / 2^10)^2"


@pytest.mark.parametrize("form", ["latex", "markdown", "text"])
def test_every_form_spells_a_bootstrap_interval(form: str) -> None:
    assert "BCa" in render(table(interval="bca"), form)


def test_the_sheet_names_test_correction_and_interval_and_has_effect_sizes() -> None:
    rows = [*csv.DictReader(io.StringIO(render(table(correction="dunnett"), "csv")))]
    one = next(row for row in rows if row["pairs"])
    assert (one["test"], one["correction"], one["interval"]) == ("t", "dunnett", "t")
    assert one["intervals"] == "simultaneous"
    assert float(one["effect_size_dz"]) > float(one["hedges_g"]) > 0
    assert float(one["pairing_gain"]) > 1


def test_what_pairing_gained_is_a_sentence() -> None:
    (said,) = (note for note in table().notes if note.startswith("Pairing"))
    assert "times shorter (correlation of paired seeds" in said


def test_arms_without_a_common_seed_are_named_as_not_paired() -> None:
    plan = grid(2, replicates=6)
    telling = Telling()
    for trial in plan.trials:
        if (trial.replicate < 3) == (trial.arm == plan.arms[0].id):
            telling.complete(trial, {"test/score": trial.replicate * 0.1, "val/score": 0.0})
    said = " ".join(notes(plan, summarize(plan, telling.facts)))
    welch = (
        "‡: not paired, as no seed is shared (Welch's t test and t-interval instead): ceiling 1."
    )
    assert welch in said
    assert "Findings: none, as no arm is paired, and p is Welch's t test's alone." in said
    assert "two-sided Welch's t test, one comparison" in said and "paired by" not in said


@pytest.mark.parametrize("interval", ["t", "bca"])
def test_welchs_interval_is_marked_and_takes_no_note_from_the_others(interval: Any) -> None:
    plan = grid(3, replicates=24, design="one_at_a_time", analysis=Analysis(interval=interval))
    telling = Telling()
    for trial in plan.trials:
        apart = trial.arm == plan.arms[1].id
        if (trial.replicate < 12) != apart:
            value = noisy([1 + (trial.arm == plan.arms[2].id)], trial.replicate)
            telling.complete(trial, {"test/score": value, "val/score": 0.0})
    said = ablation_table(plan, summarize(plan, telling.facts))
    assert [cell[-1] for cell in column(said, "Δ")[1:]] == ["‡", "†"]
    rows = [*csv.DictReader(io.StringIO(render(said, "csv")))]
    kinds = [row["interval"] for row in rows if row["metric"] == "test/score" and row["against"]]
    assert kinds == ["welch", interval]
    if interval == "bca":
        assert "With 12 pairs they cover 90.8 %" in " ".join(said.notes)
