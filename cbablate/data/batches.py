"""`Batches`: a split as training and scoring see it, whether it is held in memory or streamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from cbablate.fingerprint import derive_seed
from cbablate.planning.evaluation import evaluation_batches

__all__ = ["Batch", "Batches", "Split", "order"]

Batch = tuple[Tensor, Tensor]
"""Images of shape (B, C, H, W), float32 and normalised, and classes of shape (B,), int64."""


class Batches(Protocol):
    """Images with their classes, handed out in batches on the device that trains."""

    def __len__(self) -> int:
        """How many images there are."""
        ...

    def epoch(self, batch: int, *, count: int, seed: int, epoch: int) -> Iterator[Batch]:
        """`count` full batches in the order of this seed and epoch, augmented where it streams.

        The same seed and epoch give the same bits, whatever ran before and however many
        processes read. The tensors are the caller's own.
        """
        ...

    def in_order(self, batch: int) -> Iterator[Batch]:
        """Every image once, as it is evaluated, in the batches of `evaluation_batches`."""
        ...

    def thinned(self, most: int) -> Batches:
        """All that are held already; else at most so many, spread evenly over the stored order."""
        ...

    def held(self, most: int) -> Split:
        """The same as tensors, each image as it is evaluated, in the stored order."""
        ...


@dataclass(frozen=True)
class Split:
    """`Batches` that are held as tensors: images of shape (N, C, H, W) and labels of shape (N,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def pair(self) -> Batch:
        """Images and labels."""
        return self.images, self.labels

    def epoch(self, batch: int, *, count: int, seed: int, epoch: int) -> Iterator[Batch]:
        """`count` full batches in the order of this seed and epoch; copies."""
        chosen = order(len(self), seed=seed, epoch=epoch).to(self.labels.device)
        for index in torch.split(chosen, batch)[:count]:
            yield self.images[index], self.labels[index]

    def in_order(self, batch: int) -> Iterator[Batch]:
        """Every image once, in evaluation order; copies."""
        for chosen in evaluation_batches(len(self), batch):
            index = torch.tensor(chosen, device=self.labels.device)
            yield self.images[index], self.labels[index]

    def thinned(self, most: int) -> Split:
        """All of it, whatever `most`."""
        del most
        return self

    def held(self, most: int) -> Split:
        """All of it, whatever `most`."""
        del most
        return self


def order(length: int, *, seed: int, epoch: int) -> Tensor:
    """The permutation of so many images that belongs to a seed and an epoch."""
    drawn = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    return torch.randperm(length, generator=drawn)
