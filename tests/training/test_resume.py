"""A training cut short and taken up again, against one that never stopped: equal bit for bit."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cbablate.models.building import build
from cbablate.spec.budget import Budget
from cbablate.training.loop import Progress, fit
from cbablate.training.recipe import Recipe
from cbablate.training.snapshot import Unusable, read_state, write_state
from tests.training.test_loop import CPU, few
from tests.workloads.images import tiny

# One process makes what these look at.
pytestmark = pytest.mark.xdist_group("resume")

NOISY: dict[str, Any] = {
    "model": {"drop_path_rate": 0.2, "proj_drop_rate": 0.2, "attn_drop_rate": 0.1},
    "augment": {"shift": 1, "mixup": 0.8, "cutmix": 1.0, "reprob": 0.5, "smoothing": 0.1},
    "context": {"operator": "cb_s"},
    "clip_grad": 1.0,
    "model_ema": True,
    "model_ema_decay": 0.9,
    "schedule": {"name": "cosine", "warmup_epochs": 1.5},
    "batch_size": 32,
}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adamw": {"name": "adamw", "lr": 2e-3, "weight_decay": 0.05},
    "momentum": {"name": "momentum", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.01},
    "radam": {"name": "radam", "lr": 2e-3, "weight_decay": 0.01},
}
EPOCHS = 4
ABOUT = {"config": "a"}

Told = tuple[list[tuple[int, float]], bytes]


def config_with(optimizer: str) -> dict[str, Any]:
    return tiny({**NOISY, "optimizer": OPTIMIZERS[optimizer]})


def training(
    config: dict[str, Any], since: Mapping[str, Any] | None = None
) -> tuple[nn.Module, Any]:
    model = build(config, seed=1, num_classes=10)
    recipe, budget = Recipe.of(config), Budget(epochs=EPOCHS)
    stream = fit(model, few(), recipe, seed=1, budget=budget, compute=CPU, since=since)
    return model, stream


def bits(model: nn.Module) -> bytes:
    return b"".join(tensor.numpy().tobytes() for tensor in model.state_dict().values())


def finished(config: dict[str, Any], since: Mapping[str, Any] | None = None) -> Told:
    """What is told from here to the end, and the weights at the end, with their average."""
    model, stream = training(config, since)
    with CPU.settings():
        left: list[Progress] = list(stream)
    return [(each.spent, each.loss) for each in left], bits(model) + bits(left[-1].model)


def left_after(config: dict[str, Any], epoch: int, folder: Path) -> dict[str, Any]:
    """The state that a training closed after this epoch left on disk."""
    _, stream = training(config)
    with CPU.settings():
        progress: Progress = [next(stream) for _ in range(epoch)][-1]
        write_state(folder, progress.state(), about=ABOUT)
        stream.close()
    return read_state(folder, about=ABOUT)


def disturb() -> None:
    """Every generator of the process somewhere else, as in another process."""
    random.seed()
    np.random.seed()
    torch.seed()


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_training_closed_after_any_epoch_ends_in_the_same_bits(
    optimizer: str, tmp_path: Path
) -> None:
    config = config_with(optimizer)
    told, weights = finished(config)
    for epoch in range(1, EPOCHS):
        state = left_after(config, epoch, tmp_path)
        disturb()
        assert finished(config, state) == (told[epoch:], weights), f"closed after {epoch}"


@pytest.mark.parametrize(
    ("optimizer", "part"),
    [
        ("adamw", "model"),
        ("adamw", "optimizer"),
        ("adamw", "updates"),
        ("adamw", "average"),
        ("adamw", "exp_avg"),
        ("adamw", "exp_avg_sq"),
        ("adamw", "step"),
        ("momentum", "model"),
        ("momentum", "optimizer"),
        ("momentum", "updates"),
        ("momentum", "momentum_buffer"),
    ],
)
def test_leaving_any_one_part_out_ends_in_other_bits(
    optimizer: str, part: str, parts: Callable[[str], tuple[Any, Any, Told]]
) -> None:
    fresh, whole, told = parts(optimizer)
    lacking = without(copy.deepcopy(whole), part, fresh)
    assert finished(config_with(optimizer), lacking) != told


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Any, Any, Told]]:
    """The states after one and after two epochs, and what comes of the second, by optimizer."""

    @cache
    def made(optimizer: str) -> tuple[Any, Any, Told]:
        config, folder = config_with(optimizer), tmp_path_factory.mktemp(optimizer)
        fresh, whole = (left_after(config, epoch, folder) for epoch in (1, 2))
        return fresh, whole, finished(config, copy.deepcopy(whole))

    return made


def without(whole: dict[str, Any], part: str, fresh: Mapping[str, Any]) -> dict[str, Any]:
    """The state with one part as it is when a training begins, or nearly so."""
    if part == "updates":
        return {**whole, "updates": fresh["updates"]}
    if part in whole:
        return {**whole, part: fresh[part]}
    optimizer = whole["optimizer"]
    forgotten = {
        index: {**of, part: torch.zeros_like(of[part])} for index, of in optimizer["state"].items()
    }
    return {**whole, "optimizer": {**optimizer, "state": forgotten}}


def test_a_state_cut_off_anywhere_is_not_used(tmp_path: Path) -> None:
    left_after(config_with("adamw"), 1, tmp_path)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    for length in (0, 1, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        with pytest.raises(Unusable, match="cannot be read"):
            read_state(tmp_path, about=ABOUT)
    file.unlink()
    with pytest.raises(Unusable, match="cannot be read"):
        read_state(tmp_path, about=ABOUT)


def test_a_state_of_something_else_is_not_used(tmp_path: Path) -> None:
    write_state(tmp_path, {"updates": 3}, about={"config": "a", "torch": "2.1"})
    assert read_state(tmp_path, about={"config": "a", "torch": "2.1"}) == {"updates": 3}
    with pytest.raises(Unusable, match=r"of another torch: '2\.1', not '3\.0'"):
        read_state(tmp_path, about={"config": "a", "torch": "3.0"})
    with pytest.raises(Unusable, match="of another seed: None, not 1"):
        read_state(tmp_path, about={"config": "a", "seed": 1})


class _Runs:
    """What a hostile file would have the reader run."""

    def __reduce__(self) -> Any:
        return (print, ("it ran",))


def test_a_state_that_is_more_than_plain_data_is_not_opened_another_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_state(tmp_path, {"updates": _Runs()}, about=ABOUT)
    with pytest.raises(Unusable, match="cannot be read"):
        read_state(tmp_path, about=ABOUT)
    assert "it ran" not in capsys.readouterr().out
