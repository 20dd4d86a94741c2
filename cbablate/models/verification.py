"""What is wrong with configs that only building the models can tell."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cbablate.errors import StudyError
from cbablate.fingerprint import derive_seed, fingerprint
from cbablate.models.building import build

__all__ = ["Shape", "verify"]

Config = Mapping[str, Any]
_SPREAD = 0.02
"""How far weights are moved off their start, where an operator may do nothing yet."""


@dataclass(frozen=True)
class Shape:
    """The images a model is given, and how many classes it tells apart."""

    channels: int
    size: int
    classes: int


def verify(configs: Mapping[str, Config], shape: Callable[[Config], Shape]) -> dict[str, list[str]]:
    """Sentences about what is wrong, by arm name, from resolved configs by arm name.

    Every arm's model is built and given two random images in float64. The model must take them;
    with context it must compute another function than without; and two arms that differ in
    context must not compute the same one bit for bit, unless one detaches what the other does not
    and so learns differently. Functions are compared at weights moved off their start, alike in
    all arms, because an operator that has yet to learn may begin as another.
    """
    told: dict[str, list[str]] = {}
    outputs: dict[str, Tensor] = {}
    plain: dict[str, Tensor] = {}
    for name, config in configs.items():
        try:
            outputs[name] = _output(config, shape(config))
            if config.get("context"):
                key = _without_context(config)
                if key not in plain:
                    plain[key] = _output({**config, "context": ()}, shape(config))
                if _alike(outputs[name], plain[key]):
                    told.setdefault(name, []).append(
                        "its context does not change what the model computes, so it is not under "
                        "test"
                    )
        except StudyError as error:
            told.setdefault(name, []).append(str(error))
    for one, other in itertools.combinations(outputs, 2):
        if not _only_context_differs(configs[one], configs[other]):
            continue
        if torch.equal(outputs[one], outputs[other]):
            for name, twin in ((one, other), (other, one)):
                told.setdefault(name, []).append(
                    f"its context is written differently from that of arm '{twin}', but both "
                    "models compute the same function"
                )
    return told


def _output(config: Config, shape: Shape) -> Tensor:
    """What the config's model says of two fixed random images, at moved weights."""
    model = build(config, seed=0, num_classes=shape.classes).double().eval()
    drawn = torch.Generator().manual_seed(derive_seed(0, "images"))
    size = (2, shape.channels, shape.size, shape.size)
    images = torch.randn(size, generator=drawn, dtype=torch.float64)
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(0, "noise"))  # that placebos draw from
        _move(model)
        try:
            output = model(images)
        except (AssertionError, RuntimeError, ValueError, TypeError, IndexError) as error:
            raise StudyError(
                f"model '{config['model']['name']}' does not take the data's images of "
                f"{shape.channels} x {shape.size} x {shape.size}: {error} "
                f"(model.in_chans and model.img_size say what it takes)"
            ) from error
    if not isinstance(output, Tensor) or output.shape != (2, shape.classes):
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise StudyError(
            f"model '{config['model']['name']}' gives {found} for two images, where a classifier "
            f"of {shape.classes} classes gives (2, {shape.classes})"
        )
    return output


def _move(model: nn.Module) -> None:
    for name, parameter in model.named_parameters():
        drawn = torch.Generator().manual_seed(derive_seed(0, "moved", name))
        noise = torch.randn(parameter.shape, generator=drawn, dtype=parameter.dtype)
        parameter.data.add_(noise, alpha=_SPREAD)


def _alike(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-12, atol=1e-14)


def _without_context(config: Config) -> str:
    return fingerprint({"model": config["model"], "data": config["data"]})


def _only_context_differs(one: Config, other: Config) -> bool:
    """Whether two arms train alike but for a context that is written differently.

    A context that is detached trains otherwise, though the forward pass be the same.
    """
    rest = [{**config, "context": None} for config in (one, other)]
    if rest[0] != rest[1] or one.get("context") == other.get("context"):
        return False
    return _detached(one) == _detached(other)


def _detached(config: Config) -> set[bool]:
    """Whether gradients flow back through the contexts: some, all or none of them."""
    return {placement.get("detach", False) for placement in config.get("context", ())}
