"""What a network sees together while it is evaluated, through every door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cbablate.data.images import load
from cbablate.probes import accuracy
from cbablate.probes.attention.attention import attention_entropy
from cbablate.probes.evaluation import evaluating
from cbablate.probes.probe import Held, Subject
from cbablate.probes.representation import features
from cbablate.workloads.images.image_classification import _Evaluated

COUNT, CLASSES = 600, 10
LABELS = torch.arange(COUNT) * CLASSES // COUNT
"""Class by class, as data sets are stored."""
IMAGES = torch.arange(COUNT).float().view(-1, 1, 1, 1) / COUNT


class Neighbour(nn.Module):
    """Names the class of the image before in the batch; notes which images it saw together."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[list[int]] = []
        self.block = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        at = (x[:, 0, 0, 0] * COUNT).round().long()
        self.seen.append(at.tolist())
        tokens = self.block(x.flatten(1)[..., None])
        tokens = nn.functional.scaled_dot_product_attention(*[tokens[:, None]] * 3)
        told = nn.functional.one_hot(LABELS[at].roll(1), CLASSES)
        return told + 0 * tokens.flatten(1).sum(dim=1, keepdim=True)


def subject(model: nn.Module) -> Subject:
    held = Held(IMAGES, LABELS)
    return Subject(model, held, held, held, blocks=(model.get_submodule("block"),))


DOORS: dict[str, Callable[[Neighbour], Any]] = {
    "score": lambda model: accuracy.score(model, IMAGES, LABELS),
    "attention_entropy": lambda model: attention_entropy(model, IMAGES),
    "hits": lambda model: subject(model).hits(IMAGES, LABELS),
    "slope": lambda model: subject(model).slope(IMAGES, LABELS),
    "features": lambda model: features(model, subject(model).blocks, IMAGES),
    "held out": lambda model: [model(images) for images, _ in Held(IMAGES, LABELS).batches(64)],
}


@pytest.mark.parametrize("door", sorted(DOORS))
def test_no_image_is_told_its_class_by_those_it_is_evaluated_with(door: str) -> None:
    model = Neighbour().eval()
    DOORS[door](model)
    seen = [batch for batch in model.seen if len(batch) > 1]
    assert sorted(image for batch in seen for image in batch) == list(range(COUNT))
    alike = sum(
        float((LABELS[batch] == LABELS[batch].roll(1)).sum()) for batch in map(torch.tensor, seen)
    )
    assert alike / COUNT < 0.17, "1 in 10 by chance"
    for batch in seen:
        most = int(torch.bincount(LABELS[torch.tensor(batch)]).max())
        assert most < 0.3 * len(batch), "a batch's mean would name the class"


def test_what_is_made_by_image_is_in_the_order_of_the_images() -> None:
    model = Neighbour().eval()
    (found,) = features(model, subject(model).blocks, IMAGES)
    assert torch.equal(found.flatten(), IMAGES.flatten())

    class Squared(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            half = x.flatten(1).square() / 2
            return torch.cat([half, torch.zeros_like(half)], dim=1)

    labels = torch.zeros(COUNT, dtype=torch.int64)
    held = Held(IMAGES, labels)
    slope = Subject(Squared(), held, held, held).slope(IMAGES, labels)
    expected = (torch.sigmoid(IMAGES.square() / 2) - 1) * IMAGES
    torch.testing.assert_close(slope, expected)


@pytest.mark.parametrize("split", ["val", "test", "train"])
def test_the_digits_are_not_evaluated_class_by_class(split: str) -> None:
    images = getattr(load("digits"), split)
    for batches in (images.in_order(512), _Evaluated(images).batches(64)):
        labels = torch.cat([labels for _, labels in batches])
        assert float((labels[1:] == labels[:-1]).double().mean()) < 0.17


def test_top1_of_networks_that_look_at_one_image_does_not_depend_on_the_order() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).eval()
    images = load("digits").test.held(1000)
    stored = accuracy.score_batches(model, [images.pair])
    drawn = accuracy.score_batches(model, images.in_order(512))
    assert drawn.top1 == stored.top1
    assert drawn.loss == pytest.approx(stored.loss, rel=1e-6)


def frozen() -> nn.Module:
    """A network in training mode, part of which stays in evaluation mode."""
    model = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Dropout(), nn.BatchNorm1d(1)), nn.ReLU())
    model.train()
    model[1].eval()
    model[1][1].train()  # type: ignore[index]  # a sequence
    return model


MODES: dict[str, Callable[[nn.Module], Any]] = {
    "score": lambda model: accuracy.score(model, IMAGES, torch.zeros(COUNT, dtype=torch.int64)),
    "attention_entropy": lambda model: attention_entropy(model, IMAGES),
}


@pytest.mark.parametrize("door", sorted(MODES))
def test_every_module_keeps_its_mode(door: str) -> None:
    model = frozen()
    before = [module.training for module in model.modules()]
    assert before == [True, True, False, False, True, True]
    MODES[door](model)
    assert [module.training for module in model.modules()] == before


def test_modes_are_put_back_after_an_error_too() -> None:
    model = frozen()
    before = [module.training for module in model.modules()]
    with pytest.raises(RuntimeError), evaluating(model):
        assert not any(module.training for module in model.modules())
        raise RuntimeError
    assert [module.training for module in model.modules()] == before
