"""A control: context without halving."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["AddContext"]


class AddContext(nn.Module):
    """Add(x_i) = x_i + (1/N) sum_j x_j, for x of shape (B, N, C); the shape is kept.

    CB adds context *and* halves; this adds it alone, so deviations from the mean token keep
    their size and the mean doubles. No parameters; 2 N C operations an image.

    Source: ours, a control for arXiv 2210.08457.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, the mean token added to each."""
        return x + x.mean(dim=1, keepdim=True)

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: a sum and an addition each."""
        return 2 * tokens * self.dim
