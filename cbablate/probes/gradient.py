"""The probe `gradient`: how large the loss's gradient is in each block while training.

The norm is that over all weights of a block, at the last update of an epoch, before clipping. It
is taken where the training has just made the gradient, so it costs a sum and no pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from cbablate.probes.catalog import metrics_of
from cbablate.probes.probe import Absent, ProbeResult, Subject

__all__ = ["measure", "norms"]


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """The norms at the last update of the training, and their mean over blocks."""
    if not subject.gradients:
        return ProbeResult(
            absent=dict.fromkeys(metrics_of(asked), Absent("the model has no transformer blocks"))
        )
    mean = sum(subject.gradients) / len(subject.gradients)
    return ProbeResult({"gradient/norm": mean}, {"gradient/norm": subject.gradients})


def norms(blocks: Sequence[nn.Module]) -> tuple[float, ...]:
    """The gradient's norm by block, of the gradients that the parameters hold."""
    found = []
    for block in blocks:
        squares = [
            tensor.grad.double().square().sum()
            for tensor in block.parameters()
            if tensor.grad is not None
        ]
        found.append(torch.stack(squares).sum().sqrt() if squares else torch.zeros(()))
    return tuple(float(norm) for norm in found)
