"""Context Broadcasting: every token meets the mean of all of them half way."""

from __future__ import annotations

from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["ContextBroadcast"]


class ContextBroadcast(nn.Module):
    """CB(x_i) = (x_i + (1/N) sum_j x_j) / 2, for x of shape (B, N, C); the shape is kept.

    The mean runs over all tokens handed in, a class token included. It is half the identity and
    half uniform attention: the token mean stays, every deviation from it is halved. The same in
    training and evaluation. No parameters; 3 N C operations an image.

    With `over: patches` the mean leaves class and register tokens out; with `detach: true` no
    gradient flows through it. Both are ours, to ask what the mean must see and teach.

    Source: Hyeon-Woo et al., "Scratching Visual Transformer's Back with Uniform Attention",
    arXiv 2210.08457, and its code.
    """

    def __init__(self, layout: Layout, *, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.source = ContextSource.of(layout, over=over, detach=detach)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each averaged with the mean token."""
        return 0.5 * (x + self.source.mean(x))

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: a sum, an addition, a multiplication each."""
        return (self.source.count(tokens) + 2 * tokens) * self.dim
