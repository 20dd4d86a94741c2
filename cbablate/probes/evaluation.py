"""How a network is evaluated: in which mode, and which images go through it together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from cbablate.planning.evaluation import evaluation_batches

__all__ = ["evaluating", "indices"]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """A block in which a model is in evaluation mode.

    Afterwards every module has the mode it had: a part that was frozen in evaluation mode stays so.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def indices(count: int, most: int, device: torch.device) -> Iterator[Tensor]:
    """The indices of `count` images in evaluation order, at most `most` at a time."""
    for batch in evaluation_batches(count, most):
        yield torch.tensor(batch, device=device)
