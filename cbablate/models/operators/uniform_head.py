"""One more attention head, whose attention is uniform."""

from __future__ import annotations

from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["UniformHead"]


class UniformHead(nn.Module):
    """Head(x_i) = x_i + W_o W_v m, m = (1/N) sum_j x_j, for x of shape (B, N, C).

    What a head of `width` channels adds if all its attention weights are 1/N: W_v is (width, C),
    W_o (C, width), no biases, no query or key. W_o starts at 0, where this is the identity.
    2 C width parameters; 2 N C + 4 C width operations an image, for the projections are of one
    token.

    Source: ours. arXiv 2210.08457 argues that a dense map is what attention cannot easily learn;
    this hands one to the network with learned values.
    """

    def __init__(self, layout: Layout, *, width: int, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.source = ContextSource.of(layout, over=over, detach=detach)
        self.value = nn.Linear(layout.dim, width, bias=False)
        self.out = nn.Linear(width, layout.dim, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the values as torch draws a linear layer; the output starts at 0."""
        self.value.reset_parameters()
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, the head's output added to each."""
        added: Tensor = self.out(self.value(self.source.mean(x)))
        return x + added.to(x.dtype)

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: a sum, an addition each, two projections."""
        layers = 4 * self.dim * self.value.out_features
        return (self.source.count(tokens) + tokens) * self.dim + layers
