"""A placebo: noise with the moments of the context that it replaces."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["MomentNoise"]


class MomentNoise(nn.Module):
    """Noise(x_bi) = (x_bi + mu + sd * e_b) / 2, every e_b of shape (C,) standard normal.

    x is of shape (B, N, C); mu and sd, of shape (C,), are the mean and the standard deviation
    over the batch of the mean token, without gradient. Each channel's context keeps its first two
    moments over images and says nothing of which image it is in, as long as the batch is large
    and of all classes: an image's own mean token is one part in B of mu. Drawn from torch's global
    generator, which training seeds for every step, in evaluation too. sd is 0 for an image alone
    in its batch, where this is CB with its mean detached. No parameters; (3 N + 6) C operations
    an image.

    Source: ours, a placebo for arXiv 2210.08457.
    """

    def __init__(self, layout: Layout, *, over: str) -> None:
        super().__init__()
        self.dim = layout.dim
        self.source = ContextSource.of(layout, over=over, detach=True)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each averaged with the noise of its image."""
        mean = self.source.mean(x)
        spread = mean.std(dim=0, keepdim=True, correction=0)
        noise = mean.mean(dim=0, keepdim=True) + spread * torch.randn_like(mean)
        return 0.5 * (x + noise)

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: CB's, and six a channel for moments and noise."""
        return (self.source.count(tokens) + 2 * tokens + 6) * self.dim
