"""Figures by layer."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cbablate.analysis.outcome import outcome
from cbablate.analysis.summary import summarize
from cbablate.planning.plan import Plan
from cbablate.records.book import Book
from cbablate.records.record import Record
from cbablate.reporting.figures.figure import line_figure, settings, write_figure
from cbablate.reporting.figures.layers import layer_figure, layers_figure
from cbablate.reporting.figures.picture import pictures
from cbablate.statistics.estimate import Estimate
from tests.analysis.fabrication import FROZEN, Telling, placement, sizes, told

ENTROPY = "attention/entropy"


def drawn(plan: Plan, facts: list[Record]) -> list[dict[str, list[float]]]:
    """The lines of each panel, by label."""
    figure = layer_figure(plan, summarize(plan, facts), ENTROPY)
    return [
        {str(line.get_label()): list(line.get_ydata()) for line in axis.get_lines()}
        for axis in figure.axes
    ]


def test_every_arm_is_a_line_through_its_means() -> None:
    plan = placement()
    summary = summarize(plan, told(plan))
    (panel,) = drawn(plan, told(plan))
    assert list(panel) == [arm.name for arm in plan.arms]
    for one in summary.arms:
        assert panel[one.arm.name] == [layer.mean for layer in one.vectors[ENTROPY]]


def test_a_factorial_has_a_panel_for_each_reference() -> None:
    plan = sizes()
    figure = layer_figure(plan, summarize(plan, told(plan)), ENTROPY)
    assert [axis.get_title() for axis in figure.axes] == [
        f"width {w}, depth {d}" for w in (48, 96) for d in (4, 6)
    ]
    assert all(list(panel) == ["none", "CB"] for panel in drawn(plan, told(plan)))


def test_an_odd_number_of_panels_leaves_no_empty_axes() -> None:
    plan = sizes()
    facts = told(plan, skip=lambda _trial, arm: "lost" if arm > 5 else "")
    assert len(layer_figure(plan, summarize(plan, facts), ENTROPY).axes) == 3


def test_one_replicate_is_drawn_without_a_band() -> None:
    plan = placement(replicates=1)
    figure = layer_figure(plan, summarize(plan, told(plan)), ENTROPY)
    assert len(figure.axes[0].collections) == 0
    several = layer_figure(placement(), summarize(placement(), told(placement())), ENTROPY)
    assert len(several.axes[0].collections) == 5


def test_an_unknown_vector_is_named_with_those_there_are() -> None:
    plan = placement()
    with pytest.raises(LookupError, match="there are: attention/entropy"):
        layer_figure(plan, summarize(plan, told(plan)), "heads")
    with pytest.raises(LookupError, match="none yet"):
        layer_figure(plan, summarize(plan, []), ENTROPY)


@pytest.mark.parametrize("suffix", [".pdf", ".png"])
def test_the_same_records_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    plan = placement(replicates=2)
    written = []
    for name in ("one", "other"):
        path = tmp_path / f"{name}{suffix}"
        write_figure(layer_figure(plan, summarize(plan, told(plan)), ENTROPY), path)
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert b"CreationDate" not in written[0]


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    plan = placement(replicates=2)
    figure = layer_figure(plan, summarize(plan, told(plan)), ENTROPY)
    with pytest.raises(LookupError, match=r"there is no form '\.gif' of a figure"):
        write_figure(figure, tmp_path / "figure.gif")


def test_names_are_words_not_mathematics(tmp_path: Path) -> None:
    names = (r"$\frac{1}$ a_b", "中文 🔥", "\x1b[31m", "long " * 20)
    plan = placement(names=names, replicates=2, description=FROZEN)
    figure = layer_figure(plan, summarize(plan, told(plan)), ENTROPY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that the font lacks would warn
        write_figure(figure, tmp_path / "figure.png")
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown[1] == r"$\frac{1}$ a_b"
    assert "<U+4E2D>" in shown[2]
    assert shown[3] == "<U+001B>[31m"
    assert len(shown[4]) == 40


def test_many_arms_stay_distinct() -> None:
    from cbablate.reporting.figures.figure import _style

    styles = {tuple(map(str, _style(index).values())) for index in range(28)}
    assert len(styles) == 28


def test_layers_without_a_value_are_left_out() -> None:
    plan = placement(names=("one",), replicates=2, description=FROZEN)
    telling = Telling()
    for trial in plan.trials:
        telling.complete(trial, {}, vectors={ENTROPY: [1.0, float("nan"), 3.0]})
    (panel,) = drawn(plan, telling.facts)
    assert panel["none"] == [1.0, 3.0]


def test_a_network_of_one_layer_has_no_figure_by_layer() -> None:
    planned = placement()
    words = []
    for layers in (1, 2):
        telling = Telling()
        telling.session()
        for trial in planned.trials:
            telling.complete(trial, {"test/top1": 1.0}, vectors={ENTROPY: [1.0] * layers})
        found = outcome(planned, Book.of(telling.facts))
        words.append({one.word for one in pictures(found, [])})
    assert words[1] - words[0] == {ENTROPY}


def test_a_vector_along_another_axis_is_drawn_at_its_places() -> None:
    name = "robust/fgsm"
    plan = placement(names=("one",), replicates=2)
    telling = Telling()
    for trial in plan.trials:
        values = [90.0, 80.0, 60.0, 30.0, 10.0]
        telling.complete(trial, {name: 54.0}, vectors={name: values})
    figure = layer_figure(plan, summarize(plan, telling.facts), name)
    (axis,) = figure.axes
    assert axis.get_xlabel() == "Radius (1/255)"
    assert list(axis.get_lines()[0].get_xdata()) == [0.5, 1.0, 2.0, 4.0, 8.0]
    layers = layer_figure(placement(), summarize(placement(), told(placement())), ENTROPY)
    assert layers.axes[0].get_xlabel() == "Layer"
    assert list(layers.axes[0].get_lines()[0].get_xdata()) == [0, 1, 2, 3]


def test_an_arm_looks_the_same_whichever_others_have_values() -> None:
    plan = sizes()

    def looks(facts: list[Record]) -> set[tuple[str, str]]:
        figure = layer_figure(plan, summarize(plan, facts), ENTROPY)
        lines = [line for axis in figure.axes for line in axis.get_lines()]
        return {(str(line.get_label()), str(line.get_color())) for line in lines}

    first = plan.arms[0].id
    assert looks(told(plan)) == looks(told(plan, skip=lambda t, _: "lost" * (t.arm == first)))


def known(mean: float) -> Estimate:
    return Estimate(mean, mean - 0.1, mean + 0.1, 0.1, 5, 5)


def flat_curves(arms: int) -> dict[str, list[tuple[float, Estimate]]]:
    """Accuracies that rise soon and then lie close together, by arm's name."""
    return {
        f"arm {arm}": [
            (float(epoch), known(90 - 70 / epoch**2 + 0.3 * arm)) for epoch in range(1, 21)
        ]
        for arm in range(arms)
    }


def test_the_end_of_flat_curves_is_drawn_larger_in_an_inset() -> None:
    figure = line_figure({"": flat_curves(3)}, along="Epochs", up="Top-1", tail=True)
    (inset,) = figure.axes[0].child_axes
    low, high = inset.get_ylim()
    assert high - low < 5
    assert [len(line.get_xdata()) for line in inset.get_lines()] == [6, 6, 6]
    steep = {"arm": [(float(x), known(float(x))) for x in range(20)]}
    assert not line_figure({"": steep}, along="x", up="y", tail=True).axes[0].child_axes


@pytest.mark.parametrize("arms", [2, 5, 9, 14])
def test_the_legend_takes_less_than_a_third_of_the_height_and_stays_on_the_figure(
    arms: int,
) -> None:
    figure = line_figure({"": flat_curves(arms)}, along="Epochs", up="Top-1")
    FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    width, height = figure.get_size_inches() * figure.dpi
    assert box.height < height / 3
    assert box.x0 >= 0
    assert box.x1 <= width


def test_several_vectors_share_a_legend_and_have_panels_of_one_height() -> None:
    plan = placement()
    figure = layers_figure(plan, summarize(plan, told(plan)), [ENTROPY, ENTROPY])
    FigureCanvasAgg(figure).draw()
    assert len(figure.legends) == 1
    heights = {round(axis.get_position().height, 3) for axis in figure.axes}
    assert len(heights) == 1


def test_figures_are_set_in_the_letters_of_papers_with_true_minus_signs(tmp_path: Path) -> None:
    plan = placement()
    figure = layer_figure(plan, summarize(plan, told(plan)), ENTROPY)
    write_figure(figure, tmp_path / "f.pdf")
    assert b"STIXGeneral" in (tmp_path / "f.pdf").read_bytes()
    assert settings()["axes.unicode_minus"]
