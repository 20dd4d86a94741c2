"""Accuracy and loss of a model on images it is not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["BATCH", "Score", "score", "score_batches"]

BATCH = 512
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

    `BATCH` at a time; otherwise as `score_batches`.
    """
    tiles = (
        (images[start : start + BATCH], labels[start : start + BATCH])
        for start in range(0, len(labels), BATCH)
    )
    return score_batches(model, tiles, autocast=autocast)


def score_batches(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Score:
    """How well `model` classifies all images of these batches, of which there is one at least.

    The model is evaluated without dropout and left in the mode it was in. A model that returns
    several outputs in training (a distilled one) is judged by the one it returns in evaluation.
    """
    training = model.training
    model.eval()
    try:
        count = 0
        hits = torch.zeros((), dtype=torch.int64)
        loss = torch.zeros((), dtype=torch.float64)
        with torch.inference_mode():
            for images, truth in batches:
                with autocast():
                    logits = model(images)
                logits = logits.float()
                count += len(truth)
                hits = hits.to(truth.device) + (logits.argmax(dim=1) == truth).sum()
                loss = (
                    loss.to(truth.device)
                    + nn.functional.cross_entropy(logits, truth, reduction="sum").double()
                )
    finally:
        model.train(training)
    return Score(top1=100.0 * hits.item() / count, loss=loss.item() / count)
