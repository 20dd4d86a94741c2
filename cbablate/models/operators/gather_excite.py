"""Gather-excite without parameters: the mean token gates the channels by itself."""

from __future__ import annotations

from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["GatherExcite"]


class GatherExcite(nn.Module):
    """GE(x_i) = x_i * sigmoid((1/N) sum_j x_j), for x of shape (B, N, C); the shape is kept.

    SE without its layers: each channel is gated by its own mean. No parameters; (2 N + 1) C
    operations an image. It is never the identity: a gate is below 1.

    Source: Hu et al., arXiv 1810.12348, the form without parameters and of global extent.
    """

    def __init__(self, layout: Layout, *, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.source = ContextSource.of(layout, over=over, detach=detach)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each channel gated by its mean."""
        return x * self.source.mean(x).sigmoid()

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: a sum and a product each, and the gates."""
        return (self.source.count(tokens) + tokens + 1) * self.dim
