"""The probe `shuffle`: accuracy on test images whose pieces have changed places.

At most 1,000 test images, evenly spaced, are cut into k x k equal pieces, put in an order drawn
for each image, the same for every model (as in Naseer et al., arXiv 2105.10497). Where k does not
divide the side, the rim that is left over stays in its place; an image with fewer than k pixels a
side is cut into its pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cbablate.probes.catalog import STRENGTHS
from cbablate.probes.probe import ProbeResult, Subject
from cbablate.probes.robustness.curve import curve

__all__ = ["measure", "shuffled"]

_IMAGES = 1000
_DRAWN = 20_261


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """Top-1 by pieces a side."""
    images, labels = subject.test.spaced(_IMAGES)
    return curve(
        subject,
        "robust/shuffle",
        labels,
        strengths=STRENGTHS["shuffle"],
        disturbed=lambda side: shuffled(images, int(side)),
    )


def shuffled(images: Tensor, side: int) -> Tensor:
    """Images (n, C, H, W) with their pieces, `side` of them a side, in an order of their own."""
    count, channels, height, width = images.shape
    down, across = min(side, height), min(side, width)
    tall, wide = height // down, width // across
    inner = images[..., : tall * down, : wide * across]
    pieces = inner.reshape(count, channels, down, tall, across, wide).permute(0, 2, 4, 1, 3, 5)
    pieces = pieces.reshape(count, down * across, channels, tall, wide)
    drawn = torch.Generator().manual_seed(_DRAWN + side)
    order = torch.rand(count, down * across, generator=drawn).argsort(dim=1).to(images.device)
    moved = pieces.gather(1, order[..., None, None, None].expand_as(pieces))
    moved = moved.reshape(count, down, across, channels, tall, wide).permute(0, 3, 1, 4, 2, 5)
    whole = images.clone()
    whole[..., : tall * down, : wide * across] = moved.reshape(inner.shape)
    return whole
