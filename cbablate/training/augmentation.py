"""What is done to a batch of training images before the network sees it, on the device."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from timm.data.mixup import Mixup
from timm.data.random_erasing import RandomErasing
from torch import Tensor

from cbablate.errors import library_errors
from cbablate.fingerprint import derive_seed
from cbablate.training.compute import Compute

__all__ = ["Augmentation", "shifted"]


class Augmentation:
    """Shift, mirroring, timm's random erasing and timm's mixup and cutmix, in this order.

    Draws belong to the seed and the number of the update, so they are the same in every arm and
    do not depend on what ran before. timm draws from the generators of Python and numpy, which
    are therefore seeded anew for each update that needs them.
    """

    def __init__(
        self,
        augment: Mapping[str, Any],
        *,
        seed: int,
        num_classes: int,
        background: tuple[float, ...],
        compute: Compute,
    ) -> None:
        self._seed = seed
        self._compute = compute
        self._shift: int = augment["shift"]
        self._flip: float = augment.get("hflip", 0.0)
        self._background = torch.tensor(background, device=compute.device).view(1, -1, 1, 1)
        self._erase, self._mix = None, None
        with library_errors("timm cannot make the augmentation of training images"):
            if augment["reprob"] > 0:
                device = str(compute.device)
                self._erase = RandomErasing(augment["reprob"], mode="pixel", device=device)
            if augment["mixup"] > 0 or augment["cutmix"] > 0:
                self._mix = Mixup(
                    mixup_alpha=augment["mixup"],
                    cutmix_alpha=augment["cutmix"],
                    label_smoothing=augment["smoothing"],
                    num_classes=num_classes,
                )

    def __call__(self, images: Tensor, labels: Tensor, update: int) -> tuple[Tensor, Tensor]:
        """The batch as update number `update` sees it; may write into `images`.

        Targets are classes of shape (B,), or with mixing probabilities of shape (B, classes).
        """
        if self._shift:
            drawn = torch.Generator().manual_seed(derive_seed(self._seed, "shift", update))
            offsets = torch.randint(2 * self._shift + 1, (len(images), 2), generator=drawn)
            images = shifted(images, offsets.to(images.device), self._shift, self._background)
        if self._flip:
            drawn = torch.Generator().manual_seed(derive_seed(self._seed, "hflip", update))
            chosen = torch.rand(len(images), generator=drawn) < self._flip
            chosen = chosen.view(-1, 1, 1, 1).to(images.device)
            images = torch.where(chosen, images.flip(3), images)
        if self._erase is not None or self._mix is not None:
            drawn_from = derive_seed(self._seed, "augment", update)
            random.seed(drawn_from)
            np.random.seed(drawn_from)
            self._compute.seed(drawn_from)
        if self._erase is not None:
            images = self._erase(images)
        if self._mix is not None:
            mixed: tuple[Tensor, Tensor] = self._mix(images, labels)
            return mixed
        return images, labels


def shifted(images: Tensor, offsets: Tensor, by: int, background: Tensor) -> Tensor:
    """Each image moved by its offset, the uncovered pixels filled with the background.

    `images` is of shape (B, C, H, W). `offsets`, of shape (B, 2), is where in the image framed by
    `by` pixels of background its window begins, row and column, each from 0 to 2 `by`; `by`
    itself leaves the image as it was.
    """
    batch, channels, height, width = images.shape
    device = images.device
    size = (batch, channels, height + 2 * by, width + 2 * by)
    framed = background.to(images.dtype).expand(size).clone()
    framed[:, :, by : by + height, by : by + width] = images
    rows = offsets[:, 0, None] + torch.arange(height, device=device)
    columns = offsets[:, 1, None] + torch.arange(width, device=device)
    return framed[
        torch.arange(batch, device=device)[:, None, None, None],
        torch.arange(channels, device=device)[None, :, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]
