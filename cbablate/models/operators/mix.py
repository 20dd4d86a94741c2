"""A mixing weight: how far each token goes towards the mean token, fixed or learnt."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["Mix"]


class Mix(nn.Module):
    """Mix(x_i) = (1 - a) x_i + a (1/N) sum_j x_j, for x of shape (B, N, C); the shape is kept.

    At a = 0 it is the identity, at 1/2 CB up to rounding, at 1 every token is the mean token.
    `alpha` is a; with `learned: block` one a for the block starts there and is learnt, with
    `learned: channel` one a channel. Learned weights are not held within 0 and 1, and as vectors
    timm leaves them undecayed. 0, 1 or C parameters; (3 N + 1) C operations an image.

    Source: ours, the family that CB of arXiv 2210.08457 lies in.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        alpha: float,
        learned: str,
        over: str,
        detach: bool,
    ) -> None:
        super().__init__()
        self.dim = layout.dim
        self.start = alpha
        self.source = ContextSource.of(layout, over=over, detach=detach)
        size = {"block": 1, "channel": layout.dim}.get(learned)
        self.alpha = None if size is None else nn.Parameter(torch.empty(size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at the weight that the study says."""
        if self.alpha is not None:
            nn.init.constant_(self.alpha, self.start)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each part of the way to the mean token."""
        alpha = self.start if self.alpha is None else self.alpha
        return (1 - alpha) * x + alpha * self.source.mean(x)

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: the mean, scaled once, and two a token."""
        return (self.source.count(tokens) + 2 * tokens + 1) * self.dim
