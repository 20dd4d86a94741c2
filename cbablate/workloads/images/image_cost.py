"""The cost of `image_classification`: what a trial will take, from a few of its updates."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from cbablate.data.batches import Batch
from cbablate.data.images import Images, opened
from cbablate.models.building import build
from cbablate.probes import measuring
from cbablate.probes.accuracy import BATCH, score_batches
from cbablate.probes.attention.attention import attention_entropy
from cbablate.spec.budget import Budget
from cbablate.training.compute import Compute, choose
from cbablate.training.loop import Update, updates_per_epoch
from cbablate.training.recipe import Recipe
from cbablate.workloads import peak_memory as resident
from cbablate.workloads.images.image_classification import subject_of

__all__ = ["cost"]

_FEWEST, _MOST, _SECONDS = 3, 30, 2.0
"""So many updates are timed: at least, at most, and no more than fill this time."""
_TILES = 2
"""Batches that are scored to tell how long scoring takes."""


def cost(config: Mapping[str, Any], *, budget: Budget) -> dict[str, Any]:
    """The cost of a resolved config; see `Probe`.

    An update is timed with the batch that it waits for, after one that warms up; scoring on a few
    batches, and in proportion to how many there are; what the config's `probes` ask for, once.
    """
    compute = choose(config["precision"])
    with torch.random.fork_rng(), compute.settings():
        _start_peak(compute)
        began = time.perf_counter()
        images = opened(config, compute.device)
        model = build(config, seed=0, num_classes=images.facts.num_classes).to(compute.device)
        compute.synchronize()
        setup = time.perf_counter() - began
        recipe = Recipe.of(config)
        per_epoch = updates_per_epoch(len(images.train), recipe)
        steps = budget.amount if budget.unit == "steps" else budget.amount * per_epoch
        update = Update(model, images, recipe, seed=0, steps=steps, compute=compute)
        updates = _updates(model, images, update, batch=recipe.batch_size, compute=compute)
        image = _scoring(model, images, compute)
        epoch_end = image * len(images.val)
        unit = per_epoch if budget.unit == "epochs" else 1
        end = image * (len(images.test) + len(images.fitted)) + _measuring(
            config, model, images, compute
        )
        return {
            "setup": setup,
            "units": [unit * (each + epoch_end / per_epoch) for each in updates],
            "end": end,
            "memory": _peak(compute),
            "device": compute.name,
        }


def _updates(
    model: nn.Module, images: Images, update: Update, *, batch: int, compute: Compute
) -> list[float]:
    """Seconds of each timed update, its batch included."""
    model.train()
    batches = _epochs(images, min(batch, len(images.train)))
    update(*next(batches))
    taken: list[float] = []
    while len(taken) < _FEWEST or (len(taken) < _MOST and sum(taken) < _SECONDS):
        taken.append(_timed(lambda: update(*next(batches)), compute))
    return taken


def _epochs(images: Images, batch: int) -> Iterator[Batch]:
    """Batches without end, as a training sees them."""
    per_epoch = len(images.train) // batch
    for epoch in itertools.count():
        yield from images.train.epoch(batch, count=per_epoch, seed=0, epoch=epoch)


def _scoring(model: nn.Module, images: Images, compute: Compute) -> float:
    """Seconds to score one image."""
    tiles = list(itertools.islice(images.val.in_order(BATCH), _TILES))
    score_batches(model, tiles[:1], autocast=compute.autocast)
    taken = _timed(lambda: score_batches(model, tiles, autocast=compute.autocast), compute)
    return taken / sum(len(labels) for _, labels in tiles)


def _measuring(
    config: Mapping[str, Any], model: nn.Module, images: Images, compute: Compute
) -> float:
    """Seconds of what is measured once, at the end: attention entropy, and the probes asked for."""

    def measure() -> None:
        attention_entropy(model, images.probed.images)
        if config.get("probes"):
            measuring.measure(subject_of(config, model, images, compute, 0, ()), config["probes"])

    return _timed(measure, compute)


def _timed(work: Callable[[], object], compute: Compute) -> float:
    compute.synchronize()
    began = time.perf_counter()
    work()
    compute.synchronize()
    return time.perf_counter() - began


def _start_peak(compute: Compute) -> None:
    if compute.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(compute.device)
    resident.start_peak()


def _peak(compute: Compute) -> int:
    """The most memory: of the GPU as its allocator held it, else of this process."""
    if compute.device.type == "cuda":
        return torch.cuda.max_memory_reserved(compute.device)
    return resident.peak()
