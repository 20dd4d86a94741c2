"""The probe `occlusion`: accuracy on test images of which a share is hidden.

Images, at most 1,000 of them evenly spaced, are cut into cells: the model's own patches where it
says which, else at most 14 a side. Hidden cells take the mean colour of the training images. They
are hidden in an order, so that what is hidden at one strength stays so at the next:

    centre   cells nearest to the centre of the image first
    random   an order drawn for each image, the same for every model
    salient  cells first whose pixels the loss of the true class depends on most: the sum of the
             size of its gradient; the order is each model's own
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, interpolate

from cbablate.probes.catalog import STRENGTHS
from cbablate.probes.curve import curve, joined
from cbablate.probes.geometry import Grid, grid_of
from cbablate.probes.probe import Finding, Subject

__all__ = ["hide", "measure"]

_IMAGES = 1000
_BATCH = 128
_CELLS = 14
_DRAWN = 20_260
"""The seed of the random order. One for all trials, so that all are shown the same images."""


def measure(subject: Subject, asked: frozenset[str]) -> Finding:
    """Top-1 by share hidden, in the three orders."""
    images, labels = subject.test.spaced(_IMAGES)
    cells = _cells(subject, images)
    colour = subject.train.spaced(2048)[0].mean(dim=(0, 2, 3))
    count = cells[0] * cells[1]
    drawn = torch.Generator().manual_seed(_DRAWN)
    orders = {
        "centre": _from_centre(cells).expand(len(images), count),
        "random": torch.rand(len(images), count, generator=drawn).argsort(dim=1),
        "salient": _salience(subject, images, labels, cells).argsort(dim=1, descending=True),
    }
    return joined(
        curve(
            subject,
            f"robust/occlusion_{name}",
            labels,
            strengths=STRENGTHS["occlusion"],
            disturbed=lambda share, order=order: hide(  # type: ignore[misc]  # bound early
                images, order.to(images.device), share, cells=cells, colour=colour
            ),
        )
        for name, order in orders.items()
    )


def hide(
    images: Tensor, order: Tensor, share: float, *, cells: tuple[int, int], colour: Tensor
) -> Tensor:
    """Images (n, C, H, W) with the first cells of each one's order (n, cells) in one colour (C,).

    The number of cells is the share of all, rounded to the nearest.
    """
    count = round(share * cells[0] * cells[1])
    mask = torch.zeros(order.shape, device=images.device)
    mask.scatter_(1, order[:, :count], 1.0)
    spread = interpolate(mask.view(-1, 1, *cells), size=images.shape[-2:], mode="nearest")
    return torch.where(spread > 0, colour.view(1, -1, 1, 1), images)


def _cells(subject: Subject, images: Tensor) -> tuple[int, int]:
    grid = grid_of(subject.model)
    if isinstance(grid, Grid):
        return grid.sides
    height, width = images.shape[-2:]
    return min(_CELLS, height), min(_CELLS, width)


def _from_centre(cells: tuple[int, int]) -> Tensor:
    down, across = (
        (torch.arange(side, dtype=torch.float64) - (side - 1) / 2) / side for side in cells
    )
    return (down[:, None].square() + across[None, :].square()).flatten().argsort(stable=True)


def _salience(subject: Subject, images: Tensor, labels: Tensor, cells: tuple[int, int]) -> Tensor:
    """How much the loss depends on each cell, of shape (n, cells)."""
    parts = []
    for start in range(0, len(labels), _BATCH):
        some = slice(start, start + _BATCH)
        with torch.enable_grad():
            shown = images[some].clone().requires_grad_()
            loss = cross_entropy(subject.logits(shown), labels[some], reduction="sum")
            (slope,) = torch.autograd.grad(loss, shown)
        size = slope.abs().sum(dim=1, keepdim=True)
        parts.append(torch.nn.functional.adaptive_avg_pool2d(size, cells).flatten(1).cpu())
    return torch.cat(parts)
