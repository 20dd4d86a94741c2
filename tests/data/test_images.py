from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.data import images
from cbablate.data.catalog import DATASETS
from cbablate.data.location import found
from cbablate.data.sets import digits
from cbablate.data.split import stratified
from cbablate.errors import EnvironmentFault


def _pixels(split: images.Split) -> list[str]:
    return [hashlib.sha256(image.numpy().tobytes()).hexdigest() for image in split.images]


HERE = sorted(name for name, facts in DATASETS.items() if not facts.files or found(facts))
"""The data sets that this machine has; none is fetched for a test."""


@pytest.mark.parametrize("name", HERE)
def test_a_data_set_is_what_its_catalog_says(name: str) -> None:
    facts = DATASETS[name]
    loaded = images.load(name)
    shape = (facts.in_chans, facts.img_size, facts.img_size)
    assert loaded.overlap == {"val": 0, "test": 0}
    for split in ("train", "val", "test"):
        part = getattr(loaded, split)
        assert part.images.shape == (facts.sizes[split], *shape)
        assert part.images.dtype == torch.float32
        assert part.labels.dtype == torch.int64
        assert set(part.labels.tolist()) == set(range(facts.num_classes))


@pytest.mark.parametrize("name", ["digits", "context_task"])
def test_no_image_lies_in_two_splits(name: str) -> None:
    loaded = images.load(name)
    train, val, test = (set(_pixels(part)) for part in (loaded.train, loaded.val, loaded.test))
    assert train.isdisjoint(val)
    assert test.isdisjoint(train | val)


def test_digits_have_no_duplicates() -> None:
    loaded = images.load("digits")
    every = [digest for part in (loaded.train, loaded.val, loaded.test) for digest in _pixels(part)]
    assert len(set(every)) == len(every) == 1797


def test_training_images_are_normalised_and_the_background_is_a_pixel_of_them() -> None:
    loaded = images.load("digits")
    assert abs(loaded.train.images.mean()) < 1e-3
    assert abs(loaded.train.images.std() - 1.0) < 1e-3
    assert loaded.train.images.min().item() == pytest.approx(loaded.background[0])


def test_data_of_other_content_are_refused_with_both_hashes(
    monkeypatch: pytest.MonkeyPatch, fresh: None
) -> None:
    other = dataclasses.replace(DATASETS["digits"], content="0" * 20)
    monkeypatch.setattr(images, "DATASETS", {"digits": other})
    with pytest.raises(EnvironmentFault) as raised:
        images.load("digits")
    assert "0" * 20 in str(raised.value)
    assert DATASETS["digits"].content in str(raised.value)


def test_images_of_other_splits_that_are_trained_on_are_counted() -> None:
    source = digits.read()
    (train, _), (test, labels) = source.splits["train"], source.splits["test"]
    leaky = test.copy()
    leaky[:3] = train[0]
    splits = {**source.splits, "test": (leaky, labels)}
    assert dataclasses.replace(source, splits=splits).overlap() == {"val": 0, "test": 3}


def test_a_changed_pixel_changes_the_content() -> None:
    source = digits.read()
    pixels, labels = source.splits["test"]
    changed = pixels.copy()
    changed[0, 0, 0, 0] += 1
    altered = dataclasses.replace(source, splits={**source.splits, "test": (changed, labels)})
    assert altered.content() != source.content()


def test_an_unknown_data_set_lists_those_there_are() -> None:
    with pytest.raises(LookupError, match="digits"):
        images.load("digit")


@pytest.fixture
def fresh() -> Iterator[None]:
    """No data set loaded before or after."""
    images._load.cache_clear()
    yield
    images._load.cache_clear()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=60))
def test_a_split_keeps_every_image_once_and_its_classes_in_proportion(
    classes: list[int],
) -> None:
    labels = np.asarray(classes, dtype=np.int64)
    pixels = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    parts = stratified(pixels, labels)
    kept = np.concatenate([part[0].ravel() for part in parts.values()])
    assert sorted(kept.tolist()) == list(range(len(labels)))
    for label in set(classes):
        counts = {name: int((part[1] == label).sum()) for name, part in parts.items()}
        assert abs(counts["train"] - 0.6 * classes.count(label)) <= 0.5
        assert abs(counts["val"] - 0.2 * classes.count(label)) <= 0.5


@given(st.permutations(list(range(20))))
def test_a_split_does_not_depend_on_the_order_of_the_images(order: list[int]) -> None:
    labels = np.asarray([0, 1] * 10, dtype=np.int64)
    pixels = np.arange(20, dtype=np.uint8).reshape(-1, 1, 1, 1)
    plain = stratified(pixels, labels)
    mixed = stratified(pixels[order], labels[order])
    for name, (chosen, _) in plain.items():
        assert np.array_equal(chosen, mixed[name][0])
