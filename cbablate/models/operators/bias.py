"""A placebo: a learned vector that is the same for all images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cbablate.models.operators.layout import Layout

__all__ = ["LearnedBias"]


class LearnedBias(nn.Module):
    """Bias(x_i) = (x_i + b) / 2, for x of shape (B, N, C), b of shape (C,) learned, from 0.

    CB with a context that no image has a say in. It starts as halving. C parameters; 2 N C
    operations an image.

    Source: ours, a placebo for arXiv 2210.08457.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.dim = layout.dim
        self.bias = nn.Parameter(torch.zeros(layout.dim))

    def reset_parameters(self) -> None:
        """Start as halving."""
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each averaged with the learned vector."""
        return 0.5 * (x + self.bias)

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: an addition and a multiplication each."""
        return 2 * tokens * self.dim
