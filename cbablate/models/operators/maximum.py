"""The largest value of each channel as context."""

from __future__ import annotations

from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["MaxBroadcast"]


class MaxBroadcast(nn.Module):
    """Max(x_i) = (x_i + max_j x_j) / 2, by channel, for x of shape (B, N, C).

    CB with the maximum in the mean's stead: as dense in what it reads, but one token alone
    speaks in each channel, and tokens that tie share its gradient. No parameters; 3 N C
    operations an image.

    Source: ours.
    """

    def __init__(self, layout: Layout, *, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.source = ContextSource.of(layout, over=over, detach=detach)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each averaged with the largest values."""
        return 0.5 * (x + self.source(x).amax(dim=1, keepdim=True))

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: a comparison, an addition, a multiplication."""
        return (self.source.count(tokens) + 2 * tokens) * self.dim
