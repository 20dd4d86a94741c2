from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cbablate.data.images import load
from cbablate.data.split import carved, subset


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.data())
def test_what_is_carved_and_what_is_left_are_all_images_once(
    classes: list[int], data: st.DataObject
) -> None:
    labels = np.asarray(classes, dtype=np.int64)
    pixels = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    count = data.draw(st.integers(0, len(labels)))
    (kept, _), (held, of) = carved(pixels, labels, count)
    assert len(held) == count
    assert sorted([*kept.ravel().tolist(), *held.ravel().tolist()]) == list(range(len(labels)))
    for label in set(classes):
        assert abs((of == label).sum() - count * classes.count(label) / len(classes)) < 1


@given(st.permutations(list(range(24))), st.integers(1, 23))
def test_a_subset_does_not_depend_on_the_order_of_the_images(order: list[int], count: int) -> None:
    labels = np.asarray([0, 1, 1] * 8, dtype=np.int64)
    pixels = np.arange(24, dtype=np.uint8).reshape(-1, 1, 1, 1)
    plain, of = subset(pixels, labels, count)
    mixed, _ = subset(pixels[order], labels[order], count)
    assert np.array_equal(plain, mixed)
    assert len(plain) == count
    assert abs((of == 1).sum() - count * 2 / 3) < 1


def test_a_subset_trains_on_less_and_is_judged_on_the_same() -> None:
    whole, part = load("digits"), load("digits", part=200)
    assert len(part.train) == part.facts.sizes["train"] == 200
    some = {image.numpy().tobytes() for image in part.train.held(1).images}
    every = {image.numpy().tobytes() for image in whole.train.held(1).images}
    assert len(some) == 200
    assert some < every
    for name in ("val", "test"):
        assert np.array_equal(getattr(part, name).images, getattr(whole, name).images)
