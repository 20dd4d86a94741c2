"""A model from a config: made by timm, initialised by name, with context placed in it."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from typing import Any, NoReturn
from unittest import mock

import timm
import torch
from timm.models import build_model_with_cfg
from torch import nn

from cbablate.errors import StudyError, library_errors
from cbablate.fingerprint import derive_seed
from cbablate.models.initialisation import initialise, initialiser
from cbablate.models.placing import operators_of, place
from cbablate.models.weights import load
from cbablate.spec.yaml.scalar import cut

__all__ = ["build", "skeleton"]


_NOT_TIMMS = ("name", "pretrained", "checkpoint")
"""Keys of a config's `model` that are no arguments of timm's class."""


def build(config: Mapping[str, Any], *, seed: int, num_classes: int) -> nn.Module:
    """The network of a resolved config (`model`, `context`) on the CPU, in float32.

    Weights follow `seed` and their own names: arms whose models share a module, in name and
    shape, start with equal bits in it, and operators with parameters draw theirs last. A model
    that timm cannot initialise again starts from one seed for all of it instead, so there only
    arms of one shape start equal. Where the config names a checkpoint, or timm's own weights,
    these take the place of all but a head of another shape.

    Raises:
        EnvironmentFault: weights that the config names cannot be had.
        StudyError: timm has no such model, it does not take an argument, or it lacks the blocks
            or the place asked for.
    """
    name = config["model"]["name"]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(seed, "init"))
        model = skeleton(config["model"], num_classes)
    with library_errors(f"timm cannot draw the weights of '{name}'"):
        again = initialiser(model)
        if again is not None:
            initialise(model, again, seed=seed)
    load(model, config["model"])
    with library_errors(f"context cannot be placed in model '{name}'"):
        place(model, config.get("context", ()))
    for where, placed in operators_of(model):
        reset = getattr(placed, "reset_parameters", None)
        if reset is not None:
            initialise(placed, reset, seed=seed, prefix=f"{where}.")
    return model


def skeleton(keys: Mapping[str, Any], num_classes: int) -> nn.Module:
    """timm's model of a config's `model`, with exactly the arguments given; no weights loaded.

    Raises:
        StudyError: timm has no model of this name, or it does not take these arguments.
    """
    arguments = {key: value for key, value in keys.items() if key not in _NOT_TIMMS}
    name = keys["name"]
    if "." in name and not keys.get("pretrained"):
        plain, _, tag = name.partition(".")
        raise StudyError(
            f"model '{name}' names the pretrained weights '{tag}', but starts from fresh ones: "
            f"write '{plain}', or pretrained: true"
        )
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
        hint = f"; close to it are {', '.join(close)}" if close else ""
        raise StudyError(f"timm {timm.__version__} has no model '{name}'{hint}")
    asked = ", ".join(f"{key}={value}" for key, value in arguments.items()) or "no arguments"
    with library_errors(f"timm cannot make '{name}' with {cut(asked, 200)}"):
        return _made(name, {"num_classes": num_classes, **arguments})


class _Recorded(Exception):
    """What a function of timm was about to make a model of: not an error, a way out of it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.arguments = arguments
        self.named = named


def _made(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """timm's model, also where its function sets an argument that is given here.

    Most of timm's functions let their own arguments be replaced. Some, as those of MlpMixer, pass
    both on and raise; what these would make is then recorded, and made with ours in their stead.
    """
    try:
        model: nn.Module = timm.create_model(name, pretrained=False, **arguments)
    except TypeError as error:
        if "multiple values for keyword" not in str(error):
            raise
    else:
        return model

    def record(*positional: Any, **named: Any) -> NoReturn:
        raise _Recorded(*positional, **named)

    function = timm.model_entrypoint(name.partition(".")[0])
    with mock.patch.object(sys.modules[function.__module__], "build_model_with_cfg", record):
        try:
            function()
        except _Recorded as told:
            recorded = told
    made: nn.Module = build_model_with_cfg(*recorded.arguments, **{**recorded.named, **arguments})
    return made
