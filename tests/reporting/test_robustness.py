"""Summaries over corruptions and data sets: what they say, and when there is nothing to say."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import scipy.stats

from cbablate.analysis.summary import Summary, summarize
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan, plan
from cbablate.reporting.forms.form import render
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.report import report, robust_part
from cbablate.reporting.pages.report_pdf import report_tex
from cbablate.reporting.tables.robustness import robust_table
from cbablate.reporting.tables.view import view
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Metric, Objective
from cbablate.spec.study import Study
from cbablate.statistics.robust import interquartile_mean
from tests.analysis.fabrication import FROZEN, Telling, placement
from tests.reporting.corrupted import corrupted, varied


@pytest.fixture(scope="module")
def study() -> tuple[Plan, Summary, Telling]:
    return corrupted(varied)


@pytest.fixture(scope="module")
def table(study: tuple[Plan, Summary, Telling]) -> Table:
    return robust_table(study[0], study[1])


def row(table: Table, name: str) -> list[str]:
    (found,) = (one for one in table.rows if one.cells[0].plain == name)
    return [cell.plain for cell in found.cells]


def test_an_arm_is_told_by_its_interquartile_mean_over_all_tasks_and_seeds(table: Table) -> None:
    for at, name in enumerate(("none", "a", "b")):
        values = [varied(at, task, replicate) for task in range(6) for replicate in range(6)]
        said = row(table, name)
        assert said[1].startswith(f"{interquartile_mean(values):.2f} (")
        assert said[-1] == "36"
    assert row(table, "none")[2] == "ref."
    assert 0.5 < float(row(table, "a")[2].split()[0]) < float(row(table, "b")[2].split()[0]) <= 1


def test_the_reference_is_above_its_own_quartiles_a_quarter_half_and_three_quarters(
    table: Table,
) -> None:
    shares = [float(text) for text in row(table, "none")[3:6]]
    assert shares == pytest.approx([0.75, 0.5, 0.25], abs=0.04)
    better = [float(text) for text in row(table, "b")[3:6]]
    assert all(one >= other for one, other in zip(better, shares, strict=True))


def test_one_broken_task_hardly_moves_it() -> None:
    planned, summary, _ = corrupted(lambda a, k, r: 0.0 if k == 0 else varied(a, 1, r + 10 * k))
    said = float(row(robust_table(planned, summary), "none")[1].split()[0])
    assert said == pytest.approx(48.0, abs=0.7)


def test_an_interval_is_as_wide_as_one_training_a_seed_makes_it() -> None:
    """All kinds of a seed are one network's: six of them tell as much as their mean does."""
    of_seed = [0.4, -1.1, 1.6, -0.5, 0.9, -1.3]
    planned, summary, _ = corrupted(lambda a, k, r: 60 + of_seed[r] + 0.01 * ((a + 2 * k + r) % 5))
    ends = row(robust_table(planned, summary), "none")[1].split("(")[1].rstrip(")")
    low, high = (float(end) for end in ends.split("\u2013"))
    half = scipy.stats.t.ppf(0.975, 5) * statistics.stdev(of_seed) / math.sqrt(6)
    assert 1.8 * half < high - low < 4 * half, "seeds drawn within tasks gave 0.5 times it"


@pytest.mark.slow
def test_every_form_has_it_and_twice_gives_the_same_bytes(
    study: tuple[Plan, Summary, Telling], table: Table
) -> None:
    shown, again = (view("robust", study[0], study[1]) for _ in range(2))
    for form in ("latex", "markdown", "csv"):
        assert render(again, form) == render(shown, form)
    assert render(shown, "csv") == render(table, "csv")
    assert "Over 6 corruptions: Top-1, Gaussian noise; " in str(table)
    assert "\\toprule" in render(table, "latex")
    assert "probability of improvement" in render(table, "csv")
    assert "IQM" in render(table, "markdown")


def test_a_task_that_an_arm_lacks_is_left_out_and_named() -> None:
    planned, _, telling = corrupted(varied)
    for fact in telling.facts:
        if fact.kind == "measured" and fact.subject in {
            trial.id for trial in planned.trials if trial.arm == planned.arms[1].id
        }:
            fact.body["metrics"].pop("robust/corruption_jpeg")
    found = robust_table(planned, summarize(planned, telling.facts))
    assert "Left out, as not every arm has it: Top-1, JPEG." in found.notes
    assert row(found, "none")[-1] == "30"


def test_a_study_with_nothing_to_summarise_over_is_told_what_it_would_need() -> None:
    planned = placement()
    with pytest.raises(CbablateError, match="nothing to summarise over: that needs 3 data sets"):
        robust_table(planned, summarize(planned, []))
    planned, _, telling = corrupted(varied)
    with pytest.raises(CbablateError, match="completed 0 of its 6 tasks"):
        robust_table(planned, summarize(planned, telling.facts[:1]))


@pytest.mark.slow
def test_the_report_has_a_part_for_it_and_leaves_it_out_where_there_is_none(
    study: tuple[Plan, Summary, Telling],
) -> None:
    from cbablate.analysis.outcome import outcome

    planned, _, telling = study
    page = report(planned, telling.facts)
    assert '<section id="robust"' in page
    assert "IQM: mean of the middle half" in page
    source = report_tex(outcome(planned, telling.facts), (), pictures=(), questions=())
    assert r"\section*{Robustness}" in source
    bare = placement()
    assert robust_part(bare, summarize(bare, [])) is None


def over_data(direction: Any = "maximize", **more: Any) -> tuple[Plan, Summary]:
    """Two arms on three data sets, as a factorial; values far apart between data sets."""
    sets = ("digits", "letters", "cats")
    metric = Metric("test/loss", "Loss", "", 3, direction)
    described = replace(FROZEN, metrics={"test/loss": metric, "val/loss": metric})
    study = Study(
        name="sets",
        question="Everywhere?",
        workload="images",
        baseline={"data": {"name": "digits"}, "context": "none"},
        factors=(
            Factor(
                name="data",
                levels=tuple(
                    Level(name=name, changes={"data.name": name} if k else {})
                    for k, name in enumerate(sets)
                ),
            ),
            Factor(
                name="context",
                levels=(Level(name="none"), Level(name="CB", changes={"context": "cb"})),
            ),
        ),
        design="factorial",
        contrast="context",
        budget=Budget(epochs=1),
        replicates=4,
        objective=Objective(metric="val/loss", direction=direction),
        report=("test/loss",),
        **more,
    )
    planned = plan(study, described)
    telling = Telling()
    telling.session()
    for trial in planned.trials:
        levels = planned.arm_of[trial.arm].levels
        far = 10.0 * sets.index(levels["data"]) + 0.01 * trial.replicate
        value = far + (0.5 if levels["context"] == "CB" else 0.0)
        telling.complete(trial, {"test/loss": value, "val/loss": value})
    return planned, summarize(planned, telling.facts)


def test_data_sets_that_are_a_factor_are_tasks_and_the_other_factors_the_arms() -> None:
    found = robust_table(*over_data())
    assert found.caption == "How do the arms do over 3 data sets at once?"
    assert [one.cells[0].plain for one in found.rows] == ["none", "CB"]
    assert row(found, "CB")[2] == "1.00", "all seeds say the same, so there is no interval"


def test_of_a_loss_less_is_better_and_its_mean_keeps_its_sign() -> None:
    found = robust_table(*over_data("minimize"))
    assert row(found, "CB")[2] == "0.00"
    assert float(row(found, "CB")[1].split()[0]) == pytest.approx(10.5, abs=0.1)
    assert [column.label for column in found.columns][3].startswith("< ")
    low, high = row(found, "none")[1].split("(")[1].rstrip(")").split("\u2013")
    assert float(low) <= float(high)


def test_the_command_has_a_word_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from cbablate.cli.main import app
    from tests.toys import toy_file

    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["table", str(toy_file(tmp_path)), "--robust"])
    assert isinstance(said.exception, CbablateError)
    assert "nothing to summarise over" in str(said.exception)
