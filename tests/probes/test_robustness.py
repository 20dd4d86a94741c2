"""Disturbances: what they do to images, and what is measured of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from cbablate.probes import calibration
from cbablate.probes.calibration import expected_calibration_error
from cbablate.probes.catalog import STRENGTHS
from cbablate.probes.expense.operations import measure as operations
from cbablate.probes.probe import Held, Subject
from cbablate.probes.robustness import adversarial, corruption, occlusion, shuffle
from cbablate.probes.robustness.adversarial import fgsm, pgd
from cbablate.probes.robustness.corruption import FAMILIES
from cbablate.probes.robustness.occlusion import hide, salience
from cbablate.probes.robustness.shuffle import shuffled
from tests.probes.subjects import subject


def pictures(side: int = 8, channels: int = 1) -> Tensor:
    drawn = torch.Generator().manual_seed(0)
    return torch.rand(6, channels, side, side, generator=drawn)


class Corner(nn.Module):
    """Says 1 where the pixel in the corner is bright."""

    def forward(self, x: Tensor) -> Tensor:
        bright = x[:, 0, 0, 0] * 10
        return torch.stack([torch.full_like(bright, 5.0), bright], dim=1)


def corner() -> Subject:
    images = torch.zeros(40, 1, 8, 8)
    images[::2, :, 0, 0] = 1.0
    images[:, :, 4, 4] = 0.5
    held = Held(images, (images[:, 0, 0, 0] > 0.5).long())
    return Subject(Corner(), held, held, held)


def test_hidden_cells_are_the_first_of_the_order_and_the_rest_stays() -> None:
    images = pictures()
    order = torch.arange(16).expand(6, 16)
    hidden = hide(images, order, 0.25, cells=(4, 4), colour=torch.tensor([7.0]))
    assert torch.equal(hidden[:, :, :2], torch.full((6, 1, 2, 8), 7.0))
    assert torch.equal(hidden[:, :, 2:], images[:, :, 2:])


def test_salient_cells_are_those_the_answer_depends_on() -> None:
    found = occlusion.measure(corner(), frozenset({"occlusion"})).vectors
    # the corner goes first where it matters most, last where the centre goes first
    assert found["robust/occlusion_salient"] == (50.0,) * 7
    assert found["robust/occlusion_centre"] == (100.0,) * 7


@pytest.mark.parametrize("size", [8, 10, 14, 15, 28, 30, 31, 32, 33, 96])
def test_the_cell_that_is_hidden_first_is_the_one_that_was_ranked_first(size: int) -> None:
    """Also where 14 cells do not divide the image: every single salient pixel goes first."""
    cells = (min(14, size),) * 2
    slope = torch.eye(size * size)[:: max(1, size // 8)].view(-1, 1, size, size)
    order = salience(slope, cells=cells).argsort(dim=1, descending=True, stable=True)
    share = 1 / (cells[0] * cells[1])
    hidden = hide(slope, order, share, cells=cells, colour=torch.tensor([-1.0]))
    assert not bool((hidden == 1).any())
    for image in hidden[:: len(hidden) // 5]:
        rows, columns = (image[0] == -1).nonzero().T
        assert (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1) == len(rows)


@pytest.mark.parametrize(("size", "cells"), [(32, (14, 14)), (8, (4, 4)), (30, (14, 14))])
def test_a_cells_salience_is_the_sum_over_what_is_hidden_with_it(
    size: int, cells: tuple[int, int]
) -> None:
    drawn = torch.Generator().manual_seed(0)
    slope = torch.randn(3, 2, size, size, generator=drawn)
    found = salience(slope, cells=cells)
    for cell in range(0, cells[0] * cells[1], 7):
        order = torch.arange(cells[0] * cells[1]).roll(-cell).expand(3, -1)
        kept = hide(slope, order, 1 / (cells[0] * cells[1]), cells=cells, colour=torch.zeros(2))
        lost = slope.abs().double().sum(dim=(1, 2, 3)) - kept.abs().double().sum(dim=(1, 2, 3))
        torch.testing.assert_close(found[:, cell], lost, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "model", "cells", "patch"),
    [
        ("vit_tiny_patch16_224", {"img_size": 32, "patch_size": 4}, (8, 8), (4, 4)),
        ("vit_tiny_patch16_224", {"img_size": 30, "patch_size": 14}, (2, 2), (14, 14)),
        ("swin_tiny_patch4_window7_224", {"img_size": 32, "window_size": 4}, (8, 8), (4, 4)),
        ("cait_xxs24_224", {"img_size": 32, "patch_size": 4}, (8, 8), (4, 4)),
        ("mixer_s32_224", {"img_size": 64}, (2, 2), (32, 32)),
        (
            "vit_tiny_r_s16_p8_224",
            {"img_size": 64},
            (2, 2),
            (32, 32),
        ),  # patches of a CNN's features
        ("pit_ti_224", {"img_size": 32, "patch_size": 8, "stride": 4}, (14, 14), None),
        ("resnet10t", {}, (14, 14), None),
    ],
)
def test_cells_are_the_models_patches_where_it_says_them(
    name: str, model: dict[str, Any], cells: tuple[int, int], patch: tuple[int, int] | None
) -> None:
    made = timm.create_model(name, **model)
    held = Held(pictures(model.get("img_size", 32), 3), torch.zeros(6, dtype=torch.int64))
    assert occlusion._cells(Subject(made, held, held, held), held.images) == (cells, patch)


def test_a_patch_and_no_more_is_hidden_where_patches_leave_a_rim() -> None:
    images = torch.ones(1, 1, 30, 30)
    one = {"cells": (2, 2), "patch": (14, 14), "colour": torch.zeros(1)}
    hidden = hide(images, torch.tensor([[0, 1, 2, 3]]), 0.25, **one)
    assert not bool(hidden[..., :14, :14].any())
    assert bool(hidden[..., 14:, :].all() and hidden[..., :, 14:].all())


def test_random_cells_are_the_same_for_every_model() -> None:
    seen: list[Tensor] = []

    class Camera(Corner):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.detach().clone())
            return super().forward(x)

    for _ in range(2):
        occlusion.measure(replace(corner(), model=Camera()), frozenset({"occlusion"}))
    half = len(seen) // 2
    assert all(torch.equal(a, b) for a, b in zip(seen[:half], seen[half:], strict=True))


@pytest.mark.parametrize(("size", "side"), [(8, 2), (8, 14), (9, 2), (28, 8)])
def test_shuffling_moves_pieces_and_loses_no_pixel(size: int, side: int) -> None:
    images = pictures(size)
    moved = shuffled(images, side)
    assert not torch.equal(moved, images)
    for one, other in zip(moved, images, strict=True):
        assert torch.equal(one.flatten().sort().values, other.flatten().sort().values)
    assert torch.equal(moved, shuffled(images, side))


def test_one_piece_stays_where_it_is() -> None:
    assert torch.equal(shuffled(pictures(), 1), pictures())


@pytest.mark.parametrize("attack", [fgsm, pgd])
def test_an_attack_raises_the_loss_and_keeps_to_its_radius_and_range(
    attack: Callable[..., Tensor],
) -> None:
    made = subject()
    images, labels = made.test.spaced(100)
    low, high = made.range()
    radius = 0.1 * (high - low)
    moved = attack(made, images, labels, radius=radius, bounds=(low, high))
    assert bool(((moved - images).abs() <= radius + 1e-6).all())
    assert bool((moved >= low - 1e-6).all() and (moved <= high + 1e-6).all())
    loss = nn.functional.cross_entropy
    with torch.no_grad():
        assert loss(made.model(moved), labels) > loss(made.model(images), labels)


def test_accuracy_falls_with_the_radius() -> None:
    images = torch.zeros(40, 1, 8, 8)
    images[::2, :, 0, 0] = 1.0
    images[:, :, 0, 0] += torch.linspace(0.485, 0.499, 40)[:, None] * (images[:, :, 0, 0] == 0)
    held = Held(images, (images[:, 0, 0, 0] > 0.5).long())
    found = adversarial.measure(Subject(Corner(), held, held, held), frozenset({"adversarial"}))
    for attack in ("fgsm", "pgd"):
        curve = found.vectors[f"robust/{attack}"]
        assert curve[0] > curve[-1]
        assert list(curve) == sorted(curve, reverse=True)
        assert found.metrics[f"robust/{attack}"] == pytest.approx(sum(curve) / len(curve))


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("channels", [1, 3])
def test_a_corruption_grows_with_its_severity(family: str, channels: int) -> None:
    images = nn.functional.interpolate(pictures(8, channels), size=64, mode="bilinear")
    apart = [
        float((FAMILIES[family](images, severity).clamp(0, 1) - images).square().mean())
        for severity in range(5)
    ]
    assert apart[0] > 0
    if family == "pixelate":  # sizes that divide the image's lose less than those beside them
        assert max(apart[:2]) < min(apart[3:])
    else:
        assert apart == sorted(apart)
    assert torch.equal(FAMILIES[family](images, 4), FAMILIES[family](images, 4))


def test_images_that_jpeg_cannot_store_have_no_such_corruption() -> None:
    held = Held(pictures(64, 2), torch.zeros(6, dtype=torch.int64))
    found = corruption.measure(Subject(Corner(), held, held, held), frozenset({"corruption"}))
    assert "2" in found.absent["robust/corruption_jpeg"].reason
    assert len(found.metrics) == 5


def test_a_corruption_that_changes_no_pixel_is_absent_and_not_resisted() -> None:
    held = Held(pictures(8), torch.zeros(6, dtype=torch.int64))
    found = corruption.measure(Subject(Corner(), held, held, held), frozenset({"corruption"}))
    assert "8 x 8" in found.absent["robust/corruption_blur"].reason
    assert "robust/corruption_blur" not in found.metrics


def test_a_curve_has_a_value_for_each_strength() -> None:
    found = shuffle.measure(corner(), frozenset({"shuffle"}))
    assert len(found.vectors["robust/shuffle"]) == len(STRENGTHS["shuffle"])


def test_the_calibration_error_is_how_far_confidence_is_from_hits() -> None:
    hits = torch.tensor([1.0, 1, 1, 0, 0, 1, 0, 0], dtype=torch.float64)
    sure = torch.tensor([0.8] * 4 + [0.5] * 4, dtype=torch.float64)
    # bins of 0.8 and 0.5: |0.75 - 0.8| and |0.25 - 0.5|, half of the images in each
    assert expected_calibration_error(sure, hits) == pytest.approx((0.05 + 0.25) / 2)
    assert expected_calibration_error(torch.ones(3).double(), torch.ones(3).double()) == 0


def test_calibration_is_of_all_test_images() -> None:
    found = calibration.measure(corner(), frozenset({"calibration"})).metrics
    sure = 1 / (1 + torch.exp(torch.tensor(-5.0))).item()
    assert found["test/confidence"] == pytest.approx(100 * sure, abs=1e-4)
    assert found["test/ece"] == pytest.approx(100 * (1 - sure), abs=1e-4)


def test_operations_are_counted_by_hand() -> None:
    """A linear layer of 4 to 3 with a bias, then a ReLU."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU())
    held = Held(torch.zeros(1, 1, 2, 2), torch.zeros(1))
    found = operations(Subject(model, held, held, held), frozenset({"flops"})).metrics
    assert found == pytest.approx({"flops": 24e-6, "activations": 3e-3, "pointwise": 3e-3})


def test_attention_s_products_are_counted() -> None:
    made = subject()
    found = operations(made, frozenset({"flops"})).metrics
    tokens, width, hidden, depth = 17, 16, 32, 2
    block = 2 * tokens * (4 * width**2 + 2 * width * hidden) + 4 * tokens**2 * width
    patches = 2 * 16 * 4 * width
    assert found["flops"] * 1e6 == pytest.approx(depth * block + patches + 2 * width * 10)
