"""`Probe`: the port of what is measured on a trained network, and what it is handed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cbablate.probes.evaluation import indices
from cbablate.records.sketch import Sketch

__all__ = ["Absent", "Held", "Probe", "ProbeResult", "Sample", "Subject"]


_BATCH = 256
_BACK = 128
"""Images at a time where a gradient is taken."""


class Sample(Protocol):
    """Images that a probe may look at, of shape (C, H, W), float32 and normalised, with labels."""

    def __len__(self) -> int:
        """How many images there are."""
        ...

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All of them once, in evaluation order, at most `size` at a time."""
        ...

    def spaced(self, count: int) -> tuple[Tensor, Tensor]:
        """At most `count` of them, evenly spaced over the stored order: the same ones each time.

        They are in the stored order, class by class: who runs a network over them does so in
        evaluation order (`evaluation.indices`).
        """
        ...


@dataclass(frozen=True)
class Held:
    """A sample that is held as two tensors: images (N, C, H, W) and labels (N,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images, at most `size` at a time."""
        for index in indices(len(self), size, self.labels.device):
            yield self.images[index], self.labels[index]

    def spaced(self, count: int) -> tuple[Tensor, Tensor]:
        """At most `count` images, evenly spaced."""
        if count >= len(self):
            return self.images, self.labels
        at = torch.arange(count, device=self.labels.device) * len(self) // count
        return self.images[at], self.labels[at]


@dataclass(frozen=True)
class Absent:
    """A quantity that a network does not have, and why, as a clause ("the model has no ...").

    It is not 0, and enters no mean.
    """

    reason: str


@dataclass(frozen=True)
class Subject:
    """A trained network with what may be looked at.

    `held_out` are validation images, `test` is for what reports on the test split, `train` for
    what describes the training. `blocks` are the model's transformer blocks, first one first;
    `initial` makes the network as it was before training.
    """

    model: nn.Module
    held_out: Sample
    test: Sample
    train: Sample
    blocks: tuple[nn.Module, ...] = ()
    initial: Callable[[], nn.Module] | None = None
    batch_size: int = 64
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext
    seed: int = 0
    gradients: tuple[float, ...] = ()
    """Norms of the loss's gradient by block at the last update, where they were asked for."""

    def logits(self, images: Tensor) -> Tensor:
        """What the model answers, in float32, in the precision it is evaluated in."""
        with self.autocast():
            outputs: Tensor = self.model(images)
        return outputs.float()

    def range(self) -> tuple[Tensor, Tensor]:
        """The darkest and the brightest value of each channel, of shape (C, 1, 1).

        They are those of at most 2,048 training images: what a pixel can be, whatever the
        normalisation.
        """
        images, _ = self.train.spaced(2048)
        low, high = images.amin(dim=(0, 2, 3)), images.amax(dim=(0, 2, 3))
        return low[:, None, None], high[:, None, None]

    def slope(self, images: Tensor, labels: Tensor) -> Tensor:
        """The gradient of the images' losses with regard to their pixels, of the images' shape."""
        found = torch.empty_like(images)
        for some in indices(len(labels), _BACK, labels.device):
            with torch.enable_grad():
                shown = images[some].requires_grad_()
                loss = cross_entropy(self.logits(shown), labels[some], reduction="sum")
                found[some] = torch.autograd.grad(loss, shown)[0]
        return found

    def hits(self, images: Tensor, labels: Tensor) -> float:
        """Top-1 accuracy in percent on some images."""
        correct = 0
        with torch.inference_mode():
            for some in indices(len(labels), _BATCH, labels.device):
                correct += int((self.logits(images[some]).argmax(dim=1) == labels[some]).sum())
        return 100.0 * correct / len(labels)


@dataclass(frozen=True)
class ProbeResult:
    """What a probe found: scalars, values along an axis, sketches for later, and what is absent
    with the reason."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    vectors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    absent: Mapping[str, Absent] = field(default_factory=dict)
    sketches: Mapping[str, Sketch] = field(default_factory=dict)


class Probe(Protocol):
    """Measures a subject, by the metrics that the catalog lists for the probes in `asked`.

    Probes that share a pass over the network are one function, called once with all their names.
    The model is in evaluation mode, random numbers are seeded, and both are as they were
    afterwards (`measuring` sees to it); a probe leaves weights, buffers, gradients and hooks as
    it found them. What it cannot measure is `Absent`, never 0.
    """

    def __call__(self, subject: Subject, asked: frozenset[str]) -> ProbeResult:
        """The metrics and sketches of `asked`, every one found or absent."""
        ...
