"""Accuracy and loss of a model on images it is not trained on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Score", "score"]

_BATCH = 512
"""Images at a time. Fixed, because sums of floats depend on it."""


@dataclass(frozen=True)
class Score:
    """Top-1 accuracy in percent, and mean cross-entropy in nats."""

    top1: float
    loss: float


def score(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Score:
    """How well `model` classifies images of shape (N, C, H, W) with labels of shape (N,).

    The model is evaluated without dropout and left in the mode it was in. A model that returns
    several outputs in training (a distilled one) is judged by the one it returns in evaluation.
    """
    training = model.training
    model.eval()
    try:
        hits = torch.zeros((), dtype=torch.int64, device=labels.device)
        loss = torch.zeros((), dtype=torch.float64, device=labels.device)
        with torch.inference_mode():
            for start in range(0, len(labels), _BATCH):
                truth = labels[start : start + _BATCH]
                with autocast():
                    logits = model(images[start : start + _BATCH])
                logits = logits.float()
                hits += (logits.argmax(dim=1) == truth).sum()
                loss += nn.functional.cross_entropy(logits, truth, reduction="sum").double()
    finally:
        model.train(training)
    return Score(top1=100.0 * hits.item() / len(labels), loss=loss.item() / len(labels))
