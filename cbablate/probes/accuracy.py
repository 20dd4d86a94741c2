"""Accuracy and loss of a model on images it is not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cbablate.probes.evaluation import evaluating, indices

__all__ = ["BATCH", "Score", "score", "score_batches"]

BATCH = 512
"""Images at a time, at most. Fixed, because sums of floats depend on it."""


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

    In evaluation order, at most `BATCH` at a time; otherwise as `score_batches`.
    """
    chosen = indices(len(labels), BATCH, labels.device)
    batches = ((images[index], labels[index]) for index in chosen)
    return score_batches(model, batches, autocast=autocast)


def score_batches(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Score:
    """How well `model` classifies all images of these batches, of which there is one at least.

    The model is evaluated without dropout and its modules are left in the modes they were in. A
    model that returns several outputs in training (a distilled one) is judged by the one it
    returns in evaluation.
    """
    count = 0
    hits = torch.zeros((), dtype=torch.int64)
    loss = torch.zeros((), dtype=torch.float64)
    with evaluating(model), torch.inference_mode():
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
    return Score(top1=100.0 * hits.item() / count, loss=loss.item() / count)
