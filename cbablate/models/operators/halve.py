"""A control: halving without context."""

from __future__ import annotations

from torch import Tensor, nn

from cbablate.models.operators.layout import Layout

__all__ = ["Halve"]


class Halve(nn.Module):
    """Halve(x_i) = x_i / 2, for x of shape (B, N, C); the shape is kept.

    CB adds context *and* halves; this halves alone, so no token learns of another. What CB does
    beyond this is due to the context. No parameters; N C operations an image.

    Source: ours, a control for arXiv 2210.08457.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.dim = layout.dim

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, halved."""
        return 0.5 * x

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: one multiplication each."""
        return tokens * self.dim
