"""The probe `corruption`: accuracy on test images with common corruptions, five severities each.

At most 500 test images, evenly spaced, brought to the range 0 to 1, corrupted, and brought back.
Families and severities are those of ImageNet-C (Hendrycks and Dietterich, arXiv 1903.12261) that
torch, torchvision and Pillow make:

    noise       Gaussian noise, deviation 0.08, 0.12, 0.18, 0.26, 0.38; the same for every model
    blur        Gaussian blur, deviation 1, 2, 3, 4, 6 pixels of an image 224 high
    brightness  0.1, 0.2, 0.3, 0.4, 0.5 added (ImageNet-C adds it to the value of HSV)
    contrast    0.4, 0.3, 0.2, 0.1, 0.05 of the distance from the image's mean
    pixelate    shrunk to 0.6, 0.5, 0.4, 0.3, 0.25 of the size, and enlarged again
    jpeg        quality 25, 18, 15, 10, 7

The packages that ship all of ImageNet-C's families go with neither NumPy 2 nor today's
scikit-image, so they are not used.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms.v2 import functional

from cbablate.probes.catalog import STRENGTHS
from cbablate.probes.probe import Absent, ProbeResult, Subject
from cbablate.probes.robustness.curve import curve, joined

__all__ = ["FAMILIES", "measure"]

_IMAGES = 500
_DRAWN = 20_263


def _noise(pixels: Tensor, severity: int) -> Tensor:
    drawn = torch.Generator().manual_seed(_DRAWN)
    noise = torch.randn(pixels.shape, generator=drawn).to(pixels.device)
    return pixels + (0.08, 0.12, 0.18, 0.26, 0.38)[severity] * noise


def _blur(pixels: Tensor, severity: int) -> Tensor:
    sigma = (1, 2, 3, 4, 6)[severity] * pixels.shape[-2] / 224
    # reflection needs a kernel that reaches no further than the image
    reach = min(math.ceil(4 * sigma), min(pixels.shape[-2:]) - 1)
    blurred: Tensor = functional.gaussian_blur(pixels, [2 * reach + 1] * 2, [sigma, sigma])
    return blurred


def _brightness(pixels: Tensor, severity: int) -> Tensor:
    return pixels + (0.1, 0.2, 0.3, 0.4, 0.5)[severity]


def _contrast(pixels: Tensor, severity: int) -> Tensor:
    mean = pixels.mean(dim=(2, 3), keepdim=True)
    return (pixels - mean) * (0.4, 0.3, 0.2, 0.1, 0.05)[severity] + mean


def _pixelate(pixels: Tensor, severity: int) -> Tensor:
    share = (0.6, 0.5, 0.4, 0.3, 0.25)[severity]
    small = [max(1, int(side * share)) for side in pixels.shape[-2:]]
    return interpolate(
        interpolate(pixels, size=small, mode="area"), size=pixels.shape[-2:], mode="nearest-exact"
    )


def _jpeg(pixels: Tensor, severity: int) -> Tensor:
    quality = (25, 18, 15, 10, 7)[severity]
    found = []
    for image in (pixels.clamp(0, 1) * 255).round().to(torch.uint8).cpu():
        stored = io.BytesIO()
        functional.to_pil_image(image).save(stored, "JPEG", quality=quality)
        found.append(functional.pil_to_tensor(Image.open(stored)))
    return torch.stack(found).to(pixels.device).float() / 255


FAMILIES: Mapping[str, Callable[[Tensor, int], Tensor]] = MappingProxyType(
    {
        "noise": _noise,
        "blur": _blur,
        "brightness": _brightness,
        "contrast": _contrast,
        "pixelate": _pixelate,
        "jpeg": _jpeg,
    }
)
"""What each family makes of pixels from 0 to 1, (n, C, H, W), at a severity from 0 to 4."""


def _unseen(pixels: Tensor, corrupt: Callable[[Tensor, int], Tensor]) -> bool:
    """Whether even the highest severity leaves every pixel as an 8-bit image would store it."""
    change = corrupt(pixels, len(STRENGTHS["corruption"]) - 1).clamp(0, 1) - pixels
    return bool(change.abs().max() < 1 / 255)


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """Top-1 by severity, in every family."""
    images, labels = subject.test.spaced(_IMAGES)
    low, high = subject.range()
    width = torch.where(high > low, high - low, torch.ones_like(high))
    pixels = (images - low) / width
    found: list[ProbeResult] = []
    for family, corrupt in FAMILIES.items():
        name = f"robust/corruption_{family}"
        if family == "jpeg" and images.shape[1] not in (1, 3):
            reason = Absent(f"JPEG has 1 or 3 channels, these images {images.shape[1]}")
            found.append(ProbeResult(absent={name: reason}))
            continue
        if _unseen(pixels, corrupt):
            height, width_ = images.shape[-2:]
            reason = Absent(
                f"at {height} x {width_} pixels its highest severity changes none by a grey level"
            )
            found.append(ProbeResult(absent={name: reason}))
            continue
        found.append(
            curve(
                subject,
                name,
                labels,
                strengths=STRENGTHS["corruption"],
                disturbed=lambda severity, corrupt=corrupt: (  # type: ignore[misc]  # bound early
                    corrupt(pixels, int(severity) - 1).clamp(0, 1) * width + low
                ),
            )
        )
    return joined(found)
