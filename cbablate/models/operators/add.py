"""A control: context without halving."""

from __future__ import annotations

from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["AddContext"]


class AddContext(nn.Module):
    """Add(x_i) = x_i + (1/N) sum_j x_j, for x of shape (B, N, C); the shape is kept.

    CB adds context *and* halves; this adds it alone, so deviations from the mean token keep
    their size and the mean doubles. No parameters; 2 N C operations an image.

    Source: ours, a control for arXiv 2210.08457.
    """

    def __init__(self, layout: Layout, *, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.source = ContextSource.of(layout, over=over, detach=detach)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, the mean token added to each."""
        return x + self.source.mean(x)

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: a sum and an addition each."""
        return (self.source.count(tokens) + tokens) * self.dim
