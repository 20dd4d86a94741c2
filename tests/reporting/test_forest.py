"""The forest plot."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from cbablate.analysis.summary import summarize
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from cbablate.reporting.figures.figure import write_figure
from cbablate.reporting.figures.forest import _LOOKS, MOST_ROWS, forest_figure
from tests.analysis.fabrication import FROZEN, Telling, placement, sizes, told
from tests.toys import toy_plan

TOP1 = "test/top1"


def drawn(plan: Plan, facts: list[Record]) -> list[list[float]]:
    """Where the lines of the axes lie, the zero line first."""
    axis = forest_figure(plan, summarize(plan, facts)).axes[0]
    return [[float(x) for x in line.get_xdata()] for line in axis.get_lines()]


def words(plan: Plan, facts: list[Record]) -> list[str]:
    axis = forest_figure(plan, summarize(plan, facts)).axes[0]
    return [text.get_text() for text in axis.texts]


def test_every_arm_is_a_row_with_its_interval_its_mark_and_its_pairs() -> None:
    plan = placement()
    contrasts = [one.contrasts[TOP1] for one in summarize(plan, told(plan)).arms[1:]]
    expected: list[list[float | None]] = [[0.0, 0.0]]
    for one in contrasts:
        expected += [[one.low, one.high], [one.difference]]
    assert drawn(plan, told(plan)) == expected
    names = [arm.name for arm in plan.arms[1:]]
    assert words(plan, told(plan)) == [*(w for name in names for w in (name, "6")), "n"]


def test_the_first_arm_stands_on_top() -> None:
    low, high = forest_figure(placement(), summarize(placement(), [])).axes[0].get_ylim()
    assert low > high


def test_the_margin_is_shaded_and_named_only_if_there_is_one() -> None:
    for margin, shades in ((None, 0), (0.5, 1)):
        plan = placement(margin=margin)
        figure = forest_figure(plan, summarize(plan, told(plan)))
        assert len(figure.axes[0].patches) == shades
        entries = [text.get_text() for text in figure.legends[0].get_texts()]
        assert ("margin" in entries) == bool(shades)


def test_the_legend_has_the_claims_that_occur_and_no_others() -> None:
    plan = placement()
    figure = forest_figure(plan, summarize(plan, told(plan)))
    claims = {one.findings[TOP1].claim for one in summarize(plan, told(plan)).arms[1:]}
    assert {text.get_text() for text in figure.legends[0].get_texts()} == claims


def test_claims_differ_in_more_than_colour() -> None:
    assert len({(face == edge, mark) for edge, face, mark in _LOOKS.values()}) >= 5


def test_an_arm_without_a_pair_keeps_its_row() -> None:
    plan = placement(names=("one", "two"))
    facts = told(plan, skip=lambda _trial, arm: "lost" if arm == 2 else "")
    assert words(plan, facts) == ["one", "6", "two", "0", "n"]
    assert len(drawn(plan, facts)) == 3


def test_one_pair_is_drawn_without_an_interval() -> None:
    plan = placement(replicates=1, names=("one",))
    assert [len(line) for line in drawn(plan, told(plan))] == [2, 1]


def test_the_reference_and_the_direction_are_told() -> None:
    plan = placement(description=FROZEN)
    figure = forest_figure(plan, summarize(plan, told(plan)))
    assert figure.get_suptitle() == "simultaneous 95 % intervals; against “none”"
    assert figure.axes[0].get_xlabel() == "Δ Top-1 (pp), better →"
    plan = placement(report=("params",), description=FROZEN)
    assert forest_figure(plan, summarize(plan, [])).axes[0].get_xlabel() == "← better, Δ Parameters"
    plan = placement(report=("attention/entropy",), description=FROZEN)
    assert forest_figure(plan, summarize(plan, [])).axes[0].get_xlabel() == "Δ Entropy (nats)"
    plan = sizes()
    figure = forest_figure(plan, summarize(plan, told(plan)))
    assert figure.get_suptitle().endswith("against the arm that differs in context only")


@pytest.mark.parametrize("plan", [toy_plan(), placement(report=("throughput/train",))])
def test_without_differences_there_is_no_plot(plan: Plan) -> None:
    with pytest.raises(LookupError, match="has no differences that could be drawn"):
        forest_figure(plan, summarize(plan, []))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".pdf", ".png"])
def test_the_same_records_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    plan = placement(margin=0.5)
    written = []
    for name in ("one", "other"):
        path = tmp_path / f"{name}{suffix}"
        write_figure(forest_figure(plan, summarize(plan, told(plan))), path)
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_hostile_names_and_a_single_arm_are_drawn_without_a_warning(tmp_path: Path) -> None:
    names = (r"$\frac{1}$ a_b", "中文 🔥", "\x1b[31m", "long " * 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for count in (1, 4):
            plan = placement(names=names[:count], description=FROZEN)
            write_figure(forest_figure(plan, summarize(plan, told(plan))), tmp_path / "figure.png")
    shown = words(plan, told(plan))
    assert shown[0] == names[0]
    assert "<U+4E2D>" in shown[2]
    assert len(shown[6]) <= 32


@pytest.mark.parametrize("size", [1e-200, 1e150, 1.7e308])
def test_values_of_any_size_are_drawn(size: float, tmp_path: Path) -> None:
    plan = placement(report=("my/loss",), replicates=3, description=FROZEN)
    telling = Telling()
    for index, trial in enumerate(plan.trials):
        telling.complete(trial, {"my/loss": size * (1 - index % 4 / 10)})
    write_figure(forest_figure(plan, summarize(plan, telling.facts)), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_of_very_many_arms_the_first_are_drawn_and_the_rest_counted() -> None:
    plan = toy_plan(*({"ceiling": 1.0 + i} for i in range(1, MOST_ROWS + 11)), replicates=1)
    figure = forest_figure(plan, summarize(plan, []))
    assert len(figure.axes[0].texts) == 2 * MOST_ROWS + 1
    assert "(first 100 of 110)" in figure.get_suptitle()
