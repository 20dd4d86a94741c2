"""Context Broadcasting, scaled by channel: how much context each channel takes is learnt."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ScaledContextBroadcast"]


class ScaledContextBroadcast(nn.Module):
    """CB_S(x_i) = (x_i + lam * (1/N) sum_j x_j) / 2, for x of shape (B, N, C), lam of shape (C,).

    `lam` starts at 1, where this is CB. It is a vector so that timm, which decays matrices only,
    leaves it undecayed. C parameters; (3 N + 1) C operations an image.

    Source: arXiv 2210.08457 names a dimension-scaled CB. Its formula, start and sharing are not
    known to us: one vector a block, with this formula, is our choice.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.lam = nn.Parameter(torch.ones(dim))

    def reset_parameters(self) -> None:
        """Start as plain CB."""
        nn.init.ones_(self.lam)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each averaged with the scaled mean token."""
        return 0.5 * (x + self.lam * x.mean(dim=1, keepdim=True))

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens; the scaling is of one token only."""
        return 3 * tokens * self.dim + self.dim
