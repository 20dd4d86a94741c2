"""A placebo: the mean token of another image."""

from __future__ import annotations

from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["OtherImage"]


class OtherImage(nn.Module):
    """Other(x_bi) = (x_bi + (1/N) sum_j x_{b-1, j}) / 2, for x of shape (B, N, C).

    CB with the context of the batch's image before (of the last one, for the first): the same
    cost and the same distribution, and no word about the image itself, as long as the order of
    the images has none: training shuffles them, and evaluation goes in a drawn order
    (`planning.evaluation`). An image that is alone in its batch gets its own context, so this is
    CB then. No parameters; 3 N C operations an image.

    Source: ours, a placebo for arXiv 2210.08457.
    """

    def __init__(self, layout: Layout, *, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.source = ContextSource.of(layout, over=over, detach=detach)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each averaged with the mean token of the image before."""
        return 0.5 * (x + self.source.mean(x).roll(1, dims=0))

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: a sum, an addition, a multiplication each."""
        return (self.source.count(tokens) + 2 * tokens) * self.dim
