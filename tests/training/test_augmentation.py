from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cbablate.training.augmentation import Augmentation, shifted
from cbablate.training.compute import Compute
from tests.workloads.images import tiny

GROUND = torch.tensor([-1.0, -2.0]).view(1, 2, 1, 1)


def made(seed: int = 0, **augment: Any) -> Augmentation:
    return Augmentation(
        tiny({"augment": augment})["augment"],
        seed=seed,
        num_classes=10,
        background=(-1.0, -2.0),
        compute=Compute(torch.device("cpu"), "float32"),
    )


def batch() -> tuple[Tensor, Tensor]:
    drawn = torch.Generator().manual_seed(0)
    return torch.rand(8, 2, 8, 8, generator=drawn), torch.arange(8)


@settings(deadline=None)
@given(st.integers(1, 3), st.data())
def test_a_shifted_image_is_the_image_moved_over_the_background(by: int, data: Any) -> None:
    images = batch()[0][:1]
    down, right = (data.draw(st.integers(-by, by)) for _ in range(2))
    moved = shifted(images, torch.tensor([[by - down, by - right]]), by, GROUND)
    for row in range(8):
        for column in range(8):
            y, x = row - down, column - right
            inside = 0 <= y < 8 and 0 <= x < 8
            expected = images[0, :, y, x] if inside else GROUND[0, :, 0, 0]
            assert torch.equal(moved[0, :, row, column], expected)


@pytest.mark.parametrize(
    "augment", [{"shift": 1}, {"hflip": 0.5}, {"mixup": 0.8}, {"cutmix": 1.0}, {"reprob": 0.9}]
)
def test_draws_belong_to_seed_and_update_whatever_was_drawn_before(
    augment: dict[str, Any],
) -> None:
    images, labels = batch()
    one, targets = made(**augment)(images.clone(), labels, 3)
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    again, same = made(**augment)(images.clone(), labels, 3)
    assert torch.equal(one, again)
    assert torch.equal(targets, same)
    assert not torch.equal(one, images)
    for other in (
        made(**augment)(images.clone(), labels, 4),
        made(seed=1, **augment)(images.clone(), labels, 3),
    ):
        assert not torch.equal(one, other[0])


def test_mirroring_turns_the_share_of_images_asked_for_left_to_right() -> None:
    images, labels = batch()
    all_of_them, _ = made(hflip=1.0)(images.clone(), labels, 0)
    assert torch.equal(all_of_them, images.flip(3))
    many = images.repeat(50, 1, 1, 1)
    some, _ = made(hflip=0.25)(many.clone(), labels.repeat(50), 0)
    turned = (some == many.flip(3)).flatten(1).all(dim=1)
    assert 0.15 < turned.double().mean() < 0.35
    assert torch.equal(some[~turned], many[~turned])


def test_mixing_gives_smoothed_probabilities() -> None:
    images, labels = batch()
    _, targets = made(mixup=0.8, cutmix=1.0, smoothing=0.1)(images, labels, 0)
    assert targets.shape == (8, 10)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(8))
    assert targets.min().item() == pytest.approx(0.01)


def test_nothing_asked_for_is_nothing_done() -> None:
    images, labels = batch()
    same, targets = made()(images.clone(), labels, 0)
    assert torch.equal(same, images)
    assert targets is labels
