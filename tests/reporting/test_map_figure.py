from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cbablate.analysis.measures.attention_map import attention_maps
from cbablate.analysis.outcome import outcome
from cbablate.analysis.summary import summarize
from cbablate.analysis.trial_outcome import outcomes
from cbablate.planning.trial import Trial
from cbablate.probes.catalog import MAPS
from cbablate.records.sketch import Sketch
from cbablate.reporting.figures.alignment import alignment_figure
from cbablate.reporting.figures.figure import write_figure
from cbablate.reporting.figures.map_figure import map_figure
from cbablate.reporting.figures.picture import pictures
from cbablate.reporting.pages.publication import publish
from tests.analysis.fabrication import placement, told
from tests.analysis.sketches import grams, maps, sketched

PLAN = placement(replicates=3)


def left(trial: Trial, arm: int) -> dict[str, Sketch]:
    """The second arm has none, the third saw other images, the fourth has none of replicate 0."""
    if arm == 1 or (arm, trial.replicate) == (3, 0):
        return {}
    return maps(trial, arm, about="others" if arm == 2 else "the same")


def test_maps_are_those_of_one_replicate_on_the_same_images_and_the_rest_has_reasons() -> None:
    found = attention_maps(summarize(PLAN, sketched(PLAN, told(PLAN), left)))
    assert found.replicate == 1
    names = {arm: PLAN.arm_of[arm].name for arm in (*found.looked, *found.lacking)}
    assert [names[arm] for arm in found.looked] == ["none", "MLP end", "after attention"]
    assert {names[arm]: why for arm, why in found.lacking.items()} == {
        "MLP front": "its trial has left none",
        "MLP middle": "it was shown other images",
    }
    trial = next(t for t in PLAN.trials if t.arm == PLAN.arms[3].id and t.replicate == 1)
    rows = Sketch.unpacked(maps(trial, 3)[MAPS].packed).rows
    looked = found.looked[trial.arm]
    assert [*looked.maps] == [1, 4]
    assert np.array(looked.maps[4][1]).ravel().tolist() == [*rows[7]]
    assert np.array(looked.pictures[1]).ravel().tolist() == [*rows[5]]


def test_without_maps_there_is_no_figure() -> None:
    with pytest.raises(LookupError, match="no completed trial has left maps"):
        map_figure(PLAN, summarize(PLAN, told(PLAN)))


@pytest.mark.slow
@pytest.mark.parametrize("colours", [1, 3])
def test_the_figure_shows_images_above_the_arms_and_says_what_is_missing(colours: int) -> None:
    facts = sketched(PLAN, told(PLAN), lambda t, a: {} if a == 1 else maps(t, a, colours=colours))
    figure = map_figure(PLAN, summarize(PLAN, facts))
    drawn = [axis for axis in figure.axes if axis.images]
    assert len(drawn) == 4 * 5  # two images, first and last layer; the images and four arms
    scales = {axis.images[0].get_clim() for axis in drawn[4:]}
    assert len(scales) == 2  # one a layer
    assert {axis.images[0].get_cmap().name for axis in drawn[4:]} == {"cividis"}
    words = io.BytesIO()
    write_figure(figure, words, form="svg")
    text = re.sub(r"<!--|-->", "", words.getvalue().decode())
    assert "no map: its trial has left none" in text
    assert "after attention" in text


@pytest.mark.slow
def test_what_trials_left_is_published_and_reported(tmp_path: Path) -> None:
    plan = placement(replicates=2, names=("MLP end",))
    facts = sketched(plan, told(plan), grams, maps)
    names = [path.name for path in publish(plan, facts, tmp_path)]
    assert {"placement-maps.pdf", "placement-alignment.pdf", "placement-alignment.tex"} <= {*names}
    with (
        Image.open(tmp_path / "placement-maps.png") as wide,
        Image.open(tmp_path / "placement-alignment.png") as narrow,
    ):
        assert (wide.width, narrow.width) == (
            1432,
            975,
        )  # as wide as the text of `article`, and a column
    shown = [*pictures(outcome(plan, facts), outcomes(plan, facts))]
    assert [one.word for one in shown][-2:] == ["alignment", "maps"]


def test_the_yardstick_is_the_line_of_reference_and_has_no_band() -> None:
    figure = alignment_figure(PLAN, summarize(PLAN, sketched(PLAN, told(PLAN), grams)))
    (axis,) = figure.axes
    lines = axis.get_legend_handles_labels()[1]
    assert lines == ["none, other seed", "MLP front", "MLP middle", "MLP end", "after attention"]
    assert len(axis.collections) == 4
