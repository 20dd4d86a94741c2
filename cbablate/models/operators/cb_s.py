"""Context Broadcasting, scaled by channel: how much context each channel takes is learnt."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["ScaledContextBroadcast"]


class ScaledContextBroadcast(nn.Module):
    """CB with a learned weight a channel, for x of shape (B, N, C), lam of shape (C,).

    With m = (1/N) sum_j x_j, the forms are

        cb        (x_i + lam * m) / 2     lam starts at 1, where this is CB
        residual  x_i + lam * m           lam starts at 0, where this is the identity
        outer     lam * (x_i + m) / 2     lam starts at 1, where this is CB

    `lam` is a vector so that timm, which decays matrices only, leaves it undecayed. C
    parameters; (3 N + 1) C, (2 N + 1) C or 4 N C operations an image.

    Source: arXiv 2210.08457 names a dimension-scaled CB. Its formula, start and sharing are not
    known to us: one vector a block, with these formulas, is our choice.
    """

    def __init__(self, layout: Layout, *, form: str, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.form = form
        self.source = ContextSource.of(layout, over=over, detach=detach)
        self.lam = nn.Parameter(torch.empty(layout.dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start as plain CB; the residual form as the identity."""
        nn.init.constant_(self.lam, 0.0 if self.form == "residual" else 1.0)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each with the mean token, scaled as the form says."""
        mean = self.source.mean(x)
        if self.form == "residual":
            return x + self.lam * mean
        if self.form == "outer":
            return self.lam * (0.5 * (x + mean))
        return 0.5 * (x + self.lam * mean)

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens; `outer` alone scales more than one token."""
        each = {"cb": 2 * tokens + 1, "residual": tokens + 1, "outer": 3 * tokens}[self.form]
        return (self.source.count(tokens) + each) * self.dim
