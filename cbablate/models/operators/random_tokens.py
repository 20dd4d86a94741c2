"""A placebo: the mean of a few tokens drawn at random."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["RandomTokens"]


class RandomTokens(nn.Module):
    """Random(x_i) = (x_i + (1/k) sum_l x_{j_l}) / 2, every j_l uniform over the tokens.

    x is of shape (B, N, C). Each image draws its k tokens anew in every pass, with replacement;
    k is `count`. The context has the mean token as its expectation and more noise the smaller k
    is, so it asks whether the mean must be exact. Drawn from torch's global generator, which
    training seeds for every step, in evaluation too: what is trained with noise is evaluated
    with it. No parameters; (2 N + k) C operations an image.

    Source: ours, a control for arXiv 2210.08457.
    """

    def __init__(self, layout: Layout, *, count: int, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.count = count
        self.source = ContextSource.of(layout, over=over, detach=detach)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each averaged with the mean of those drawn."""
        tokens = self.source(x)
        drawn = torch.randint(tokens.shape[1], (x.shape[0], self.count), device=x.device)
        chosen = tokens.gather(1, drawn.unsqueeze(2).expand(-1, -1, self.dim))
        return 0.5 * (x + chosen.mean(dim=1, keepdim=True))

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: the sum of those drawn, and two a token."""
        return (2 * tokens + self.count) * self.dim
