"""How many parameters a model has."""

from __future__ import annotations

from torch import nn

__all__ = ["count"]


def count(model: nn.Module) -> int:
    """Trainable numbers, shared ones once."""
    return sum(tensor.numel() for tensor in model.parameters() if tensor.requires_grad)
