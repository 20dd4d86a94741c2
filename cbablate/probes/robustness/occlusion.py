"""The probe `occlusion`: accuracy on test images of which a share is hidden.

Images, at most 1,000 of them evenly spaced, are cut into cells: the model's own patches where it
says which, else at most 14 a side, of equal size where 14 divides the side. Hidden cells take the
mean colour of the training images. They are hidden in an order, so that what is hidden at one
strength stays so at the next:

    centre   cells nearest to the centre of the image first
    random   an order drawn for each image, the same for every model
    salient  cells first whose pixels the loss of the true class depends on most: the sum of the
             size of its gradient; the order is each model's own
"""

from __future__ import annotations

import torch
from torch import Tensor

from cbablate.probes.catalog import STRENGTHS
from cbablate.probes.geometry import patches_of
from cbablate.probes.probe import ProbeResult, Subject
from cbablate.probes.robustness.curve import curve, joined

__all__ = ["hide", "measure", "salience"]

_IMAGES = 1000
_CELLS = 14
_DRAWN = 20_260
"""The seed of the random order. One for all trials, so that all are shown the same images."""


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """Top-1 by share hidden, in the three orders."""
    images, labels = subject.test.spaced(_IMAGES)
    cells, patch = _cells(subject, images)
    colour = subject.train.spaced(2048)[0].mean(dim=(0, 2, 3))
    count = cells[0] * cells[1]
    drawn = torch.Generator().manual_seed(_DRAWN)
    salient = salience(subject.slope(images, labels), cells=cells, patch=patch)
    orders = {
        "centre": _from_centre(cells).expand(len(images), count),
        "random": torch.rand(len(images), count, generator=drawn).argsort(dim=1),
        "salient": salient.argsort(dim=1, descending=True, stable=True),
    }
    return joined(
        curve(
            subject,
            f"robust/occlusion_{name}",
            labels,
            strengths=STRENGTHS["occlusion"],
            disturbed=lambda share, order=order: hide(  # type: ignore[misc]  # bound early
                images, order.to(images.device), share, cells=cells, patch=patch, colour=colour
            ),
        )
        for name, order in orders.items()
    )


def hide(
    images: Tensor,
    order: Tensor,
    share: float,
    *,
    cells: tuple[int, int],
    colour: Tensor,
    patch: tuple[int, int] | None = None,
) -> Tensor:
    """Images (n, C, H, W) with the first cells of each one's order (n, cells) in one colour (C,).

    The number of cells is the share of all, rounded to the nearest. `patch` is the size of a cell
    in pixels; without it, cells cover the image as evenly as whole pixels allow.
    """
    count = round(share * cells[0] * cells[1])
    mask = torch.zeros(order.shape, dtype=torch.bool, device=images.device)
    mask.scatter_(1, order[:, :count], True)
    where = _cell_of_pixels(images, cells, patch)
    return torch.where(mask[:, None, where], colour.view(1, -1, 1, 1), images)


def salience(
    slope: Tensor, *, cells: tuple[int, int], patch: tuple[int, int] | None = None
) -> Tensor:
    """The sum of a gradient's size over the pixels of each cell, (n, cells), from (n, C, H, W)."""
    where = _cell_of_pixels(slope, cells, patch).flatten()
    size = slope.abs().double().sum(dim=1).flatten(1)
    return size.new_zeros(len(size), cells[0] * cells[1]).index_add_(1, where, size)


def _cell_of_pixels(
    images: Tensor, cells: tuple[int, int], patch: tuple[int, int] | None
) -> Tensor:
    """The number of the cell that each pixel lies in, of shape (H, W).

    A rim that patches leave over is seen by no patch; it goes with the last ones.
    """
    sides = images.shape[-2:]
    if patch is None:
        down, across = (
            torch.arange(side, device=images.device) * count // side
            for side, count in zip(sides, cells, strict=True)
        )
    else:
        down, across = (
            (torch.arange(side, device=images.device) // size).clamp_max(count - 1)
            for side, size, count in zip(sides, patch, cells, strict=True)
        )
    return down[:, None] * cells[1] + across


def _cells(subject: Subject, images: Tensor) -> tuple[tuple[int, int], tuple[int, int] | None]:
    """How many cells there are down and across, and their size where it is a patch's."""
    height, width = images.shape[-2:]
    patches = patches_of(subject.model)
    return patches or ((min(_CELLS, height), min(_CELLS, width)), None)


def _from_centre(cells: tuple[int, int]) -> Tensor:
    down, across = (
        (torch.arange(side, dtype=torch.float64) - (side - 1) / 2) / side for side in cells
    )
    return (down[:, None].square() + across[None, :].square()).flatten().argsort(stable=True)
