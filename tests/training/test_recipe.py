from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from cbablate.errors import StudyError
from cbablate.training.recipe import Recipe
from tests.workloads.images import tiny


def recipe(**changes: object) -> Recipe:
    return Recipe.of(tiny(dict(changes)))


def rates(made: Recipe, steps: int, per_epoch: int) -> list[float]:
    optimizer = made.optimizer_for(nn.Linear(1, 1))
    schedule = made.schedule_for(optimizer, steps=steps, per_epoch=per_epoch)
    seen = []
    for update in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        schedule.step_update(update + 1)
    return seen


def test_cosine_falls_from_the_rate_to_its_end() -> None:
    seen = rates(recipe(**{"schedule.min_lr": 1e-4}), steps=100, per_epoch=10)
    expected = [1e-4 + 0.5 * (2e-3 - 1e-4) * (1 + math.cos(math.pi * t / 100)) for t in range(100)]
    assert seen == pytest.approx(expected)


def test_warm_up_rises_update_by_update() -> None:
    seen = rates(recipe(**{"schedule.warmup_epochs": 1.5}), steps=100, per_epoch=10)
    assert seen[0] == 1e-6
    assert seen[:15] == sorted(set(seen[:15]))
    assert seen[14] < seen[15] == max(seen)


def test_constant_stays() -> None:
    assert set(rates(recipe(**{"schedule.name": "constant"}), 30, 10)) == {2e-3}


def test_a_warm_up_longer_than_the_budget_is_refused_with_both() -> None:
    made = recipe(**{"schedule.warmup_epochs": 3})
    with pytest.raises(StudyError, match=r"30 updates .* 20 updates in all"):
        rates(made, steps=20, per_epoch=10)


@pytest.mark.parametrize("name", ["adamw", "sgd", "lamb", "nadamw"])
def test_an_optimizer_of_timm_learns(name: str) -> None:
    model = nn.Linear(2, 1)
    before = model.weight.detach().clone()
    optimizer = recipe(**{"optimizer.name": name}).optimizer_for(model)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert not torch.equal(model.weight, before)


def test_vectors_are_not_decayed() -> None:
    groups = recipe().optimizer_for(nn.Linear(2, 3)).param_groups
    assert {group["weight_decay"]: group["params"][0].ndim for group in groups} == {0.0: 1, 0.05: 2}


def test_a_misspelt_optimizer_is_told_with_close_names() -> None:
    with pytest.raises(StudyError, match=r"no optimizer 'adamv'.*adam"):
        recipe(**{"optimizer.name": "adamv"}).optimizer_for(nn.Linear(1, 1))
