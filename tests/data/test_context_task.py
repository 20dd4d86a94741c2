from __future__ import annotations

import numpy as np
import pytest

from cbablate.data.sets import context_task
from cbablate.data.sets.context_task import GRID, read, read_twin, references


def test_the_twin_has_the_same_images_in_the_same_splits() -> None:
    for name, (images, labels) in read().splits.items():
        others, named = read_twin().splits[name]
        assert np.array_equal(images, others)
        assert 0.5 < (labels == named).mean() < 0.65


def test_knowing_how_images_are_made_one_patch_says_little_of_the_task_and_all_of_its_twin() -> (
    None
):
    known = references()
    task, twin = known["context_task"], known["context_task_twin"]
    assert task["whole image"] > 97
    assert task["middle 3 x 3"] < 75
    assert task["middle patch"] == pytest.approx(task["one patch, no noise"], abs=2)
    assert task["all but the middle patch"] > 90
    assert twin["whole image"] > 99
    assert twin["all but the middle patch"] == 50


def test_no_linear_function_of_pixels_tells_the_classes_apart() -> None:
    for source in (read(), read_twin()):
        (train, labels), (test, truth) = source.splits["train"], source.splits["test"]
        seen, new = (
            (x.reshape(len(x), -1) / 255 - context_task.MEAN) / context_task.STD
            for x in (train, test)
        )
        probe, *_ = np.linalg.lstsq(seen, 2.0 * labels - 1, rcond=None)
        assert 0.46 < ((new @ probe > 0) == truth).mean() < 0.54


def test_the_middle_patch_decides_the_twin_and_no_other_does() -> None:
    images, labels = read_twin().splits["train"]
    pixels = (images[:, 0].astype(float) - 128) / 32
    patches = pixels.reshape(-1, GRID, 2, GRID, 2).transpose(0, 1, 3, 2, 4)
    rows = (patches[..., 0, :].sum(-1) - patches[..., 1, :].sum(-1)) ** 2
    columns = (patches[..., 0].sum(-1) - patches[..., 1].sum(-1)) ** 2
    said = (columns > rows).reshape(len(labels), -1)
    agreement = (said == labels[:, None]).mean(axis=0)
    middle = GRID * GRID // 2
    assert agreement[middle] > 0.99
    assert np.abs(np.delete(agreement, middle) - 0.5).max() < 0.05
