"""Dry run: one update and one evaluation of an arm, to find what only a training step meets.

The update is the training's own, in training mode, on two random images of the data's size (one,
where the config's batch is one). So whatever a trial does from its first batch to its first
measurement has been done once, on next to no data.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from cbablate.data import identity
from cbablate.data.batches import Split
from cbablate.data.catalog import FOLDER
from cbablate.data.images import Images, opened
from cbablate.data.stream import training
from cbablate.errors import StudyError, TrialFailure, library_errors
from cbablate.fingerprint import derive_seed, fingerprint
from cbablate.models.verification import InputShape
from cbablate.probes.accuracy import score_batches
from cbablate.probes.attention.attention import attention_entropy
from cbablate.spec.budget import Budget
from cbablate.training.compute import choose
from cbablate.training.loop import fit, updates, updates_per_epoch
from cbablate.training.recipe import Recipe
from cbablate.workloads.images.image_config import shape as cost

__all__ = ["DryRun", "recipe_faults", "shape_of"]

Config = Mapping[str, Any]
_IMAGES = 2
_AUGMENTED = 8
"""How often one image is augmented: a policy draws what it does."""
_MANY = 1_000_000_000


@dataclass
class DryRun:
    """An update and an evaluation of each model that it is given, but for arms named `amiss`.

    Arms of one shape, which differ in rates alone, are trained once for all.
    """

    amiss: Container[str] = ()
    _tried: dict[str, str] = field(default_factory=dict)
    _read: set[str] = field(default_factory=set)

    def __call__(self, name: str, config: Config, model: nn.Module) -> None:
        """Train and evaluate the arm's model, which is of no use afterwards.

        Raises:
            EnvironmentFault: the precision asked for is not to be had.
            StudyError: the arm cannot be trained or evaluated.
        """
        if name in self.amiss:
            return
        key = _trains_alike(config)
        if key not in self._tried:
            self._tried[key] = _refusal(partial(self._train, config, model))
        if self._tried[key]:
            raise StudyError(self._tried[key])

    def _train(self, config: Config, model: nn.Module) -> None:
        shape, compute = shape_of(config), choose(config["precision"])
        plain = fingerprint(config["model"])
        recipe = Recipe.of(config)
        end = Budget(steps=min(_MANY, 2 + math.ceil(recipe.schedule["warmup_epochs"])))
        with _generators_kept(), compute.settings():
            if config["data"]["name"] == FOLDER:
                _augmented(config)
            images = _few(config, shape, compute.device)
            model = model.float().requires_grad_().to(compute.device)
            with library_errors(f"model '{config['model']['name']}' cannot be trained"):
                stream = fit(model, images, recipe, seed=0, budget=end, compute=compute)
                with closing(stream):
                    evaluated = next(stream).model
                    batches = images.val.in_order(_IMAGES)
                    score_batches(evaluated, batches, autocast=compute.autocast)
                    if plain not in self._read:
                        attention_entropy(evaluated, images.probed.images)
                        self._read.add(plain)


def recipe_faults(configs: Mapping[str, Config], *, budget: Budget | None) -> dict[str, list[str]]:
    """Sentences about arms whose optimizer, schedule or files cannot be had, by name.

    Raises:
        EnvironmentFault: the data are not to be had.
    """
    with _generators_kept():
        told = {name: _refusal(partial(_recipe, one, budget)) for name, one in configs.items()}
    return {name: [sentence] for name, sentence in told.items() if sentence}


def shape_of(config: Config) -> InputShape:
    """The images of a config's data, and how many classes they have."""
    facts = identity.facts(config["data"])
    return InputShape(facts.in_chans, facts.img_size, facts.num_classes)


def _refusal(attempt: Callable[[], None]) -> str:
    """What an attempt is refused with; "" where it is not."""
    try:
        attempt()
    except (StudyError, TrialFailure) as error:
        return str(error)
    return ""


def _recipe(config: Config, budget: Budget | None) -> None:
    """Optimizer and schedule of exactly this config, and what files are read through."""
    recipe = Recipe.of(config)
    optimizer = recipe.optimizer_for(nn.Linear(1, 1))
    facts = identity.facts(config["data"])
    per_epoch = updates_per_epoch(facts.sizes["train"], recipe)
    steps = _MANY * per_epoch if budget is None else updates(budget, per_epoch)
    recipe.schedule_for(optimizer, steps=steps, per_epoch=per_epoch)
    if config["data"]["name"] == FOLDER:
        opened(config)


def _trains_alike(config: Config) -> str:
    """The address of all that decides whether an update can be done at all."""
    optimizer = config["optimizer"]
    used = [bool(optimizer[key]) for key in ("weight_decay", "momentum")]
    alike = {key: value for key, value in cost(config).items() if key != "probes"}
    alone = config["batch_size"] == 1
    return fingerprint({**alike, "batch_size": alone, "used": used})


@contextmanager
def _generators_kept() -> Iterator[None]:
    """A block after which the global generators are what they were; augmentation seeds them."""
    states = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def _few(config: Config, shape: InputShape, device: torch.device) -> Images:
    """Two random images as each of the three splits."""
    drawn = torch.Generator().manual_seed(derive_seed(0, "dry run"))
    size = (_IMAGES, shape.channels, shape.size, shape.size)
    labels = torch.arange(_IMAGES) % shape.classes
    few = Split(torch.randn(size, generator=drawn).to(device), labels.to(device))
    return Images(
        facts=identity.facts(config["data"]),
        train=few,
        val=few,
        test=few,
        background=(0.0,) * shape.channels,
        streamed=config["data"]["name"] == FOLDER,
    )


def _augmented(config: Config) -> None:
    """A grey image gone through the augmentation of files, a few times."""
    transform = training(config["data"], config["augment"])
    side = 2 * config["data"]["img_size"]
    with library_errors("timm cannot augment a training image"):
        for _ in range(_AUGMENTED):
            transform(Image.new("RGB", (side, side), (127, 127, 127)))
