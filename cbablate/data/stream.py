"""`Stream`: batches read from image files as they are needed, through timm's transforms.

timm's own `create_loader` draws the order and the augmentation of an image from generators that
each worker process has, so its numbers depend on how many workers there are. Here every image is
given a seed of its own, from the trial's seed, the epoch and its place in it; torch's `DataLoader`
then only decides who reads it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image, UnidentifiedImageError
from timm.data import create_transform
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cbablate.data.batches import Batch, Split, order
from cbablate.errors import EnvironmentFault, library_errors
from cbablate.fingerprint import derive_seed
from cbablate.planning.evaluation import evaluation_batches

__all__ = ["MEAN", "STD", "WORKERS", "Stream", "evaluating", "training", "workers"]

MEAN, STD = IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
WORKERS = "CBABLATE_WORKERS"
_MOST_WORKERS = 8
_HELD = 256
"""Images that are read at a time where they are held as tensors."""

Transform = Callable[[Image.Image], Tensor]
Item = tuple[int, int]
"""An image's index, and the seed that its augmentation draws from."""


def training(data: Mapping[str, Any], augment: Mapping[str, Any]) -> Transform:
    """timm's transform of a training image: crop, flip, colours, RandAugment, normalisation.

    Random erasing and mixing come later, on the device, batch by batch.

    Raises:
        StudyError: timm does not know the policy.
    """
    with library_errors(
        f"timm {timm.__version__} cannot make the augmentation of training images, auto_augment "
        f"'{augment.get('auto_augment')}' with it",
        hint="a policy that it knows is rand-m9-mstd0.5-inc1",
    ):
        made: Transform = create_transform(
            data["img_size"],
            is_training=True,
            scale=augment.get("scale"),
            hflip=augment.get("hflip", 0.5),
            color_jitter=augment.get("color_jitter"),
            auto_augment=augment.get("auto_augment"),
            interpolation=data["interpolation"],
            mean=MEAN,
            std=STD,
            normalize=True,
        )
    return made


def evaluating(data: Mapping[str, Any]) -> Transform:
    """timm's transform of an image that is evaluated: resized, and its middle cut out."""
    made: Transform = create_transform(
        data["img_size"],
        is_training=False,
        crop_pct=data["crop_pct"],
        interpolation=data["interpolation"],
        mean=MEAN,
        std=STD,
        normalize=True,
    )
    return made


def workers() -> int:
    """How many processes read images: `CBABLATE_WORKERS`, else one a core but one, at most 8.

    Numbers do not depend on it. 0 reads in this process.

    Raises:
        EnvironmentFault: the variable holds no whole number.
    """
    said = os.environ.get(WORKERS)
    if said is None:
        has_affinity = hasattr(os, "sched_getaffinity")  # on Linux
        cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
        return min(_MOST_WORKERS, cores - 1)
    if not said.isdecimal():
        raise EnvironmentFault(
            f"the environment variable {WORKERS} is '{said}': write how many processes read "
            "images, 0 or more"
        )
    return int(said)


@dataclass(frozen=True)
class Stream:
    """`Batches` of image files: paths under `root`, with their classes."""

    root: Path
    files: tuple[tuple[str, int], ...]
    device: torch.device
    evaluated: Transform
    trained: Transform
    repeats: int = 1
    """How often an epoch shows an image, each time augmented anew: repeated augmentation. The
    epoch keeps its length, so only one image in `repeats` is in it."""

    def __len__(self) -> int:
        return len(self.files)

    def epoch(self, batch: int, *, count: int, seed: int, epoch: int) -> Iterator[Batch]:
        """`count` full batches, augmented, in the order of this seed and epoch."""
        chosen = order(len(self), seed=seed, epoch=epoch).repeat_interleave(self.repeats)
        items = [
            (index, derive_seed(seed, "image", epoch, place))
            for place, index in enumerate(chosen[: count * batch].tolist())
        ]
        yield from self._loaded(_cut(items, batch), self.trained)

    def in_order(self, batch: int) -> Iterator[Batch]:
        """Every image once, not augmented, in evaluation order."""
        batches = evaluation_batches(len(self), batch)
        yield from self._loaded([[(i, 0) for i in chosen] for chosen in batches], self.evaluated)

    def held(self, most: int) -> Split:
        """At most so many images, spread evenly over the stored order, as tensors on the device."""
        part = self.thinned(most)
        items = [(index, 0) for index in range(len(part))]
        images, labels = zip(*part._loaded(_cut(items, _HELD), self.evaluated), strict=True)
        return Split(torch.cat(images), torch.cat(labels))

    def thinned(self, most: int) -> Stream:
        """The same with at most so many files, spread evenly over the classes."""
        count = min(most, len(self))
        chosen = tuple(self.files[i * len(self) // count] for i in range(count))
        return replace(self, files=chosen)

    def _loaded(self, batches: list[list[Item]], transform: Transform) -> Iterator[Batch]:
        read = workers() if len(batches) > 1 else 0
        loader = DataLoader(
            _Files(self.root, self.files, transform),
            batch_sampler=batches,
            num_workers=read,
            pin_memory=self.device.type == "cuda",
            # Drawn by us: without it, the loader would take a number from torch's generator.
            generator=torch.Generator().manual_seed(0),
            worker_init_fn=_alone if read else None,
            collate_fn=_collated,
        )
        for loaded in loader:
            if isinstance(loaded, str):
                raise EnvironmentFault(loaded)
            images, labels = loaded
            yield (
                images.to(self.device, non_blocking=True),
                labels.to(self.device, non_blocking=True),
            )


class _Files(Dataset[tuple[Tensor, int] | str]):
    """Image files, each read with the generators of all libraries seeded by its item.

    An image that cannot be read is a sentence: an error would reach the trial as a traceback.
    """

    def __init__(
        self, root: Path, files: tuple[tuple[str, int], ...], transform: Transform
    ) -> None:
        self._root = root
        self._files = files
        self._transform = transform

    def __getitem__(self, item: Item) -> tuple[Tensor, int] | str:
        index, seed = item
        name, label = self._files[index]
        try:
            with Image.open(self._root / name) as file:
                image = file.convert("RGB")
        except (OSError, UnidentifiedImageError, ValueError) as error:
            return (
                f"image {self._root / name} cannot be read ({error}): put it right, or take it "
                "out, which makes it another data set"
            )
        with _seeded(seed):
            return self._transform(image), label


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The generators that transforms draw from, seeded; set back afterwards.

    Where no other process reads, they are those of the trial, whose evaluation may draw too.
    """
    before = random.getstate(), np.random.get_state(), torch.default_generator.get_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.default_generator.set_state(before[2])


def _cut(items: list[Item], batch: int) -> list[list[Item]]:
    """The items in batches; the last may be smaller."""
    return [items[start : start + batch] for start in range(0, len(items), batch)]


def _collated(items: list[tuple[Tensor, int] | str]) -> Batch | str:
    """A batch of what was read; the first sentence, if an image could not be."""
    read = []
    for item in items:
        if isinstance(item, str):
            return item
        read.append(item)
    images, labels = zip(*read, strict=True)
    return torch.stack(images), torch.tensor(labels, dtype=torch.int64)


def _alone(worker: int) -> None:
    """One thread a reader: what is read side by side must not crowd the cores."""
    del worker
    torch.set_num_threads(1)
