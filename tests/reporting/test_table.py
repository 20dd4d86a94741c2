"""The ablation table: which columns, which cells, in which order."""

# ruff: noqa: RUF001 - the dash is what is printed

from __future__ import annotations

import random

import pytest

from cbablate.analysis.summary import summarize
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from cbablate.reporting.model.cell import Blank, Count, Probability, Range, Spread, Text
from cbablate.reporting.model.table import Table
from cbablate.reporting.tables.arms import ablation_table
from tests.analysis.fabrication import FROZEN, Telling, patchy, placement, sizes, told
from tests.toys import toy_plan


def table_of(plan: Plan, facts: list[Record]) -> Table:
    return ablation_table(plan, summarize(plan, facts))


def cells(table: Table, label: str) -> list[str]:
    (index,) = (i for i, column in enumerate(table.columns) if column.label == label)
    return [row.cells[index].plain for row in table.rows]


def test_columns_are_what_the_study_reports() -> None:
    table = table_of(placement(), told(placement()))
    assert [(c.label, c.unit, c.arrow) for c in table.columns] == [
        ("Placement", "", ""),
        ("Top-1", "%", "↑"),
        ("Δ", "pp", ""),
        ("p", "", ""),
        ("Entropy", "nats", ""),
        ("Training", "img/s", "↑"),
        ("Parameters", "", "↓"),
        ("n", "", ""),
    ]
    kinds = (Text, Spread, Spread, Probability, Spread, Range, Spread, Count)
    assert tuple(type(cell) for cell in table.rows[1].cells) == kinds


def test_the_first_reported_trial_metric_has_the_differences() -> None:
    report = ("throughput/train", "attention/entropy", "test/top1", "attention/entropy")
    table = table_of(placement(report=report), told(placement(report=report)))
    labels = [column.label for column in table.columns]
    assert labels == ["Placement", "Training", "Entropy", "Δ", "p", "Top-1", "n"]
    assert table.columns[3].unit == "nats"


def test_the_reference_has_no_difference_but_a_word() -> None:
    table = table_of(placement(), told(placement()))
    assert cells(table, "Δ")[0] == "ref."
    assert cells(table, "p")[0] == "–"


def test_what_is_equal_in_all_replicates_has_no_spread() -> None:
    assert cells(table_of(placement(), told(placement())), "Parameters")[0] == "115,210"


def test_a_difference_is_marked_only_where_its_adjusted_p_is_small() -> None:
    plan = placement()
    table = table_of(plan, told(plan))
    summary = summarize(plan, told(plan))
    for one, cell in zip(summary.arms, cells(table, "Δ"), strict=True):
        contrast = one.contrasts.get("test/top1")
        sure = contrast is not None and (contrast.p_adjusted or 1.0) < 0.05
        assert cell.endswith("†") == sure
    assert {cell.endswith("†") for cell in cells(table, "Δ")} == {True, False}


def test_missing_replicates_are_visible() -> None:
    plan = placement()
    assert cells(table_of(plan, told(plan, skip=patchy)), "n") == ["6", "6", "4/6", "5/6", "5/6"]


def test_nothing_run_is_a_table_of_dashes() -> None:
    table = table_of(placement(), [])
    for row in table.rows:
        assert all(isinstance(cell, Blank) for cell in row.cells[1:-1])
    assert cells(table, "n") == ["0/6"] * 5


def test_one_replicate_has_neither_spread_nor_p() -> None:
    plan = placement(replicates=1)
    table = table_of(plan, told(plan))
    assert all("±" not in cell for cell in cells(table, "Top-1") + cells(table, "Δ"))
    assert set(cells(table, "p")) == {"–"}


def test_a_factorial_has_a_column_a_factor_and_rows_in_groups() -> None:
    plan = sizes()
    table = table_of(plan, told(plan))
    assert cells(table, "Width") == ["48", "", "", "", "96", "", "", ""]
    assert cells(table, "Depth") == ["4", "", "6", ""] * 2
    assert cells(table, "Context") == ["none", "CB"] * 4
    assert [row.opens for row in table.rows] == [False, False, *[True, False] * 3]
    assert [cell == "ref." for cell in cells(table, "Δ")] == [True, False] * 4


def test_the_compared_factor_stands_last_wherever_the_study_has_it() -> None:
    first, last = sizes(contrast_first=True), sizes()
    one, other = (table_of(plan, told(plan)) for plan in (first, last))
    for label in ("Width", "Depth", "Context"):
        assert cells(one, label) == cells(other, label)


def test_a_factorial_without_contrast_has_one_reference() -> None:
    plan = sizes(contrast=None)
    table = table_of(plan, told(plan))
    assert [cell == "ref." for cell in cells(table, "Δ")] == [True, *[False] * 7]
    assert cells(table, "Width") == ["48", "", "", "", "96", "", "", ""]


def test_a_metric_that_nobody_described_has_four_digits() -> None:
    plan = placement(report=("my/loss",), replicates=2, description=FROZEN)
    telling = Telling()
    for index, trial in enumerate(plan.trials):
        telling.complete(trial, {"my/loss": 12.3456 + index})
    table = table_of(plan, telling.facts)
    assert table.columns[1].label == "my/loss"
    assert cells(table, "my/loss")[0] == "14.85 ± 31.77"


def test_a_study_that_reports_timings_only_counts_its_trials() -> None:
    plan = placement(report=("throughput/train",))
    table = table_of(plan, told(plan, skip=patchy))
    assert [column.label for column in table.columns] == ["Placement", "Training", "n"]
    assert cells(table, "n") == ["6", "6", "4/6", "5/6", "5/6"]


def test_a_study_of_one_arm_compares_nothing() -> None:
    plan = toy_plan()
    table = table_of(plan, [])
    assert [column.label for column in table.columns] == ["Arm", "Score", "n"]
    assert table.method == ()


def test_the_order_of_facts_changes_no_byte() -> None:
    plan = placement(replicates=3)
    facts = told(plan, skip=patchy)
    turned = list(facts)
    random.Random(0).shuffle(turned)
    assert table_of(plan, turned) == table_of(plan, facts)


@pytest.mark.parametrize("size", [1e-200, 1e150, 1.7e308])
def test_values_of_any_size_are_written(size: float) -> None:
    plan = placement(report=("my/loss",), replicates=3, description=FROZEN)
    telling = Telling()
    for index, trial in enumerate(plan.trials):
        telling.complete(trial, {"my/loss": size * (1 - index % 3 / 10)})
    for row in table_of(plan, telling.facts).rows:
        assert all(len(cell.plain) < 40 for cell in row.cells)
