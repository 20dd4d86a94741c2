"""The probe `adversarial`: accuracy on test images changed to raise the loss of their class.

At most 500 test images, evenly spaced. No pixel moves further than a radius, in 1/255 of the
range between the darkest and the brightest value of its channel, nor out of that range.

    fgsm  one step of the radius along the sign of the gradient (arXiv 1412.6572)
    pgd   10 steps of a quarter of the radius, from a random start in it (arXiv 1706.06083)

Accuracy under an attack bounds robustness from above: a stronger attack may find more.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cbablate.probes.catalog import STRENGTHS
from cbablate.probes.probe import ProbeResult, Subject
from cbablate.probes.robustness.curve import curve, joined

__all__ = ["fgsm", "measure", "pgd"]

_IMAGES = 500
_STEPS = 10
_DRAWN = 20_262


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """Top-1 by radius, under both attacks."""
    images, labels = subject.test.spaced(_IMAGES)
    low, high = subject.range()
    unit = (high - low) / 255

    def of(attack: str) -> ProbeResult:
        made = fgsm if attack == "fgsm" else pgd
        return curve(
            subject,
            f"robust/{attack}",
            labels,
            strengths=STRENGTHS[attack],
            disturbed=lambda radius: made(
                subject, images, labels, radius=radius * unit, bounds=(low, high)
            ),
        )

    return joined(map(of, ("fgsm", "pgd")))


def fgsm(
    subject: Subject,
    images: Tensor,
    labels: Tensor,
    *,
    radius: Tensor,
    bounds: tuple[Tensor, Tensor],
) -> Tensor:
    """The images one step away; `radius` and `bounds` are of shape (C, 1, 1)."""
    moved = images + radius * subject.slope(images, labels).sign()
    return _within(moved, images, radius, bounds)


def pgd(
    subject: Subject,
    images: Tensor,
    labels: Tensor,
    *,
    radius: Tensor,
    bounds: tuple[Tensor, Tensor],
) -> Tensor:
    """The images ten steps away."""
    drawn = torch.Generator().manual_seed(_DRAWN)
    start = torch.rand(images.shape, generator=drawn).to(images.device)
    moved = _within(images + radius * (2 * start - 1), images, radius, bounds)
    for _ in range(_STEPS):
        step = 2.5 / _STEPS * radius * subject.slope(moved, labels).sign()
        moved = _within(moved + step, images, radius, bounds)
    return moved


def _within(moved: Tensor, images: Tensor, radius: Tensor, bounds: tuple[Tensor, Tensor]) -> Tensor:
    near = torch.minimum(torch.maximum(moved, images - radius), images + radius)
    # a test image may itself lie outside the range of the training images: it is left there
    low, high = torch.minimum(bounds[0], images), torch.maximum(bounds[1], images)
    return torch.minimum(torch.maximum(near, low), high)
