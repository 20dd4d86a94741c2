from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cbablate.probes import accuracy
from cbablate.probes.expense import parameters


class Says(nn.Module):
    """Gives the logits that are written in the images; noisy in training."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.randn(len(x), 3) if self.training else x.flatten(1)


def test_accuracy_is_the_share_of_hits_in_percent_and_loss_its_mean() -> None:
    logits = torch.tensor([[9.0, 0, 0], [0, 9.0, 0], [0, 0, 9.0], [9.0, 0, 0]])
    labels = torch.tensor([0, 1, 2, 2])
    found = accuracy.score(Says().train(), logits.view(4, 3, 1, 1), labels)
    assert found.top1 == 75.0
    assert found.loss == pytest.approx(nn.functional.cross_entropy(logits, labels).item())


def test_batches_weigh_by_their_images(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(7) % 3
    whole = accuracy.score(Says(), logits.view(7, 3, 1, 1), labels)
    monkeypatch.setattr(accuracy, "BATCH", 3)
    parts = accuracy.score(Says(), logits.view(7, 3, 1, 1), labels)
    assert parts.top1 == whole.top1
    assert parts.loss == pytest.approx(whole.loss)


@pytest.mark.parametrize("training", [True, False])
def test_a_model_is_left_in_the_mode_it_was_in(training: bool) -> None:
    model = Says().train(training)
    accuracy.score(model, torch.zeros(2, 3, 1, 1), torch.zeros(2, dtype=torch.int64))
    assert model.training == training


def test_parameters_are_counted_once_and_only_where_they_learn() -> None:
    shared = nn.Linear(3, 4)
    model = nn.Sequential(shared, shared, nn.Linear(4, 2))
    assert parameters.count(model) == 16 + 10
    shared.bias.requires_grad_(False)
    assert parameters.count(model) == 12 + 10
