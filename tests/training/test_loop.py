from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cbablate.data.images import Images, Split, load
from cbablate.errors import TrialFailure
from cbablate.models.building import build
from cbablate.spec.budget import Budget
from cbablate.training.compute import Compute
from cbablate.training.loop import Progress, fit, updates_per_epoch
from cbablate.training.recipe import Recipe
from tests.workloads.images import tiny

CPU = Compute(torch.device("cpu"), "float32")


def few(count: int = 100) -> Images:
    """Digits, of which only so many are trained on."""
    whole = load("digits")
    part = Split(whole.train.images[:count], whole.train.labels[:count])
    return dataclasses.replace(whole, train=part)


def trained(
    model: nn.Module, config: dict[str, Any], *, budget: Budget, seed: int = 0, count: int = 100
) -> list[Progress]:
    stream = fit(model, few(count), Recipe.of(config), seed=seed, budget=budget, compute=CPU)
    return list(stream)


class Watching(nn.Module):
    """A linear classifier that writes down which images it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 10)
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.flatten(1).clone())
        logits: Tensor = self.head(x.flatten(1))
        return logits


@pytest.mark.slow
@pytest.mark.parametrize(
    ("budget", "spent"),
    [
        (Budget(epochs=3), [1, 2, 3]),
        (Budget(steps=6), [3, 6]),
        (Budget(steps=7), [3, 6, 7]),
        (Budget(steps=1), [1]),
    ],
)
def test_spent_counts_the_budgets_own_units_and_ends_with_it(
    budget: Budget, spent: list[int]
) -> None:
    config = tiny({"batch_size": 32})
    model = Watching()
    assert [p.spent for p in trained(model, config, budget=budget)] == spent
    updates = budget.amount if budget.unit == "steps" else 3 * budget.amount
    assert len(model.seen) == updates


def test_an_epoch_sees_no_image_twice_and_the_next_sees_another_order() -> None:
    model = Watching()
    progress = trained(model, tiny({"batch_size": 32}), budget=Budget(epochs=2))
    first, second = torch.cat(model.seen[:3]), torch.cat(model.seen[3:])
    assert len(torch.unique(first, dim=0)) == progress[0].images == 96
    assert not torch.equal(first, second)


def test_the_order_follows_the_seed_alone() -> None:
    one, arm, other = Watching(), Watching(), Watching()
    trained(one, tiny(), budget=Budget(epochs=1), seed=1)
    trained(arm, tiny({"optimizer.lr": 1e-4}), budget=Budget(epochs=1), seed=1)
    trained(other, tiny(), budget=Budget(epochs=1), seed=2)
    assert torch.equal(one.seen[0], arm.seen[0])
    assert not torch.equal(one.seen[0], other.seen[0])


def test_a_batch_larger_than_the_data_is_all_of_them() -> None:
    config = tiny({"batch_size": 500})
    assert updates_per_epoch(len(few().train), Recipe.of(config)) == 1
    assert trained(Watching(), config, budget=Budget(epochs=1))[0].images == 100


def test_images_that_mix_in_pairs_are_an_even_number_where_they_do_not_fill_a_batch() -> None:
    config = tiny({"batch_size": 64, "augment": {"mixup": 0.8}})
    assert trained(Watching(), config, budget=Budget(epochs=1), count=31)[0].images == 30


def _bytes(model: nn.Module) -> bytes:
    return b"".join(tensor.numpy().tobytes() for tensor in model.state_dict().values())


def _after(config: dict[str, Any], seed: int) -> bytes:
    model = build(config, seed=seed, num_classes=10)
    with CPU.settings():
        trained(model, config, budget=Budget(epochs=1), seed=seed)
    return _bytes(model)


def test_weights_after_a_training_do_not_depend_on_what_was_trained_before() -> None:
    noisy = tiny(
        {
            "model": {"drop_path_rate": 0.2, "proj_drop_rate": 0.2, "attn_drop_rate": 0.1},
            "augment": {"shift": 1, "mixup": 0.8, "cutmix": 1.0, "reprob": 0.5, "smoothing": 0.1},
        }
    )
    first = _after(noisy, 1)
    _after(tiny({"model.depth": 1}), 2)
    assert _after(noisy, 1) == first
    assert _after(noisy, 2) != first


def test_arms_meet_the_same_dropout() -> None:
    class Dropping(Watching):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(nn.functional.dropout(x, 0.5, self.training))

    one, other = Dropping(), Dropping()
    trained(one, tiny(), budget=Budget(epochs=1))
    torch.rand(1)
    trained(other, tiny({"optimizer.lr": 1e-4}), budget=Budget(epochs=1))
    assert torch.equal(one.seen[0], other.seen[0])


def test_training_data_are_never_written_to() -> None:
    before = load("digits").train.images.clone()
    config = tiny({"augment": {"mixup": 0.8, "cutmix": 1.0, "reprob": 0.9}})
    trained(build(config, seed=0, num_classes=10), config, budget=Budget(epochs=1))
    assert torch.equal(load("digits").train.images, before)


def test_a_loss_that_is_not_finite_is_a_divergence_at_its_update() -> None:
    class Breaking(Watching):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * (float("nan") if len(self.seen) == 5 else 1.0)

    with pytest.raises(TrialFailure, match="at update 5") as raised:
        trained(Breaking(), tiny({"batch_size": 32}), budget=Budget(epochs=5))
    assert raised.value.failure == "diverged"


def test_gradients_are_clipped_to_the_norm_asked_for() -> None:
    optimizer = {"name": "momentum", "momentum": 0.0, "weight_decay": 0.0}
    config = tiny({"clip_grad": 1e-6, "optimizer": optimizer})
    model = Watching()
    before = model.head.weight.detach().clone()
    trained(model, config, budget=Budget(steps=1))
    assert 0 < (model.head.weight - before).norm() < 1.1e-6 * 2e-3 + 1e-8


def test_every_head_of_a_distilled_model_learns() -> None:
    class Two(Watching):
        def __init__(self) -> None:
            super().__init__()
            self.other = nn.Linear(64, 10)

        def forward(self, x: Tensor) -> Any:
            return self.head(x.flatten(1)), self.other(x.flatten(1))

    model = Two()
    before = model.other.weight.detach().clone()
    trained(model, tiny(), budget=Budget(steps=1))
    assert not torch.equal(model.other.weight, before)


def test_running_out_of_memory_is_told_with_the_batch() -> None:
    class Huge(Watching):
        def forward(self, x: Tensor) -> Tensor:
            raise torch.OutOfMemoryError("tried to allocate")

    with pytest.raises(TrialFailure, match="batch_size 64"):
        trained(Huge(), tiny(), budget=Budget(epochs=1))


@pytest.mark.slow
def test_the_average_of_weights_is_that_of_the_weights_after_every_update() -> None:
    """As timm takes it: the first update's weights, then a step of 1 - decay towards each."""
    model, shadow = (build(tiny(), seed=0, num_classes=10) for _ in range(2))
    config = tiny({"batch_size": 100})
    decayed = tiny({"batch_size": 100, "model_ema": True, "model_ema_decay": 0.75})
    expected: dict[str, Tensor] = {}
    stream = [
        fit(each, few(), Recipe.of(told), seed=0, budget=Budget(steps=4), compute=CPU)
        for each, told in ((model, config), (shadow, decayed))
    ]
    for plain, averaged in zip(*stream, strict=True):
        assert plain.model is model
        assert averaged.loss == plain.loss  # what is trained is not averaged
        now = {name: tensor.double() for name, tensor in model.state_dict().items()}
        before = expected or now
        expected = {name: 0.75 * before[name] + 0.25 * tensor for name, tensor in now.items()}
        found = averaged.model.state_dict()
        assert all(torch.allclose(found[n].double(), expected[n], atol=1e-6) for n in found)
    assert averaged.model is not shadow


def test_the_average_of_a_model_has_its_own_operators() -> None:
    """A copy whose hooks called the operators in training would be half averaged."""
    context = {"operator": "cb_s", "place": "mlp.end"}
    config = tiny({"context": context, "model_ema": True, "model_ema_decay": 0.5})
    model = build(config, seed=0, num_classes=10)
    evaluated = trained(model, config, budget=Budget(steps=2))[-1].model.eval()
    images = few().train.images[:4]
    before = evaluated(images)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert torch.equal(evaluated(images), before)
