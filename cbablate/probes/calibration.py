"""The probe `calibration`: whether the network is right as often as it says.

The expected calibration error (Guo et al., arXiv 1706.04599) on all test images: with the images
in 15 bins of equal width by their confidence, the largest softmax probability, it is the mean
over images of |share of hits in the bin - mean confidence of the bin|.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cbablate.probes.probe import ProbeResult, Subject

__all__ = ["expected_calibration_error", "measure"]

_BINS = 15
_BATCH = 256


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """The error, and the mean confidence, both in percent."""
    sure: list[Tensor] = []
    hit: list[Tensor] = []
    with torch.inference_mode():
        for images, labels in subject.test.batches(_BATCH):
            confidence, guess = subject.logits(images).softmax(dim=1).max(dim=1)
            sure.append(confidence.double().cpu())
            hit.append((guess == labels).double().cpu())
    confidences, hits = torch.cat(sure), torch.cat(hit)
    return ProbeResult(
        {
            "test/ece": 100 * expected_calibration_error(confidences, hits),
            "test/confidence": 100 * float(confidences.mean()),
        }
    )


def expected_calibration_error(confidences: Tensor, hits: Tensor) -> float:
    """The error, between 0 and 1, of confidences in (0, 1] and hits that are 0 or 1, both (n,).

    A confidence on the border of two bins is in the lower one.
    """
    bins = ((confidences * _BINS).ceil().long() - 1).clamp(0, _BINS - 1)
    apart = torch.zeros(_BINS, dtype=torch.float64).index_add_(0, bins, hits - confidences)
    return float(apart.abs().sum()) / len(hits)
