"""Squeeze and excitation: the mean token decides how strong each channel is."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["SqueezeExcitation"]


class SqueezeExcitation(nn.Module):
    """SE(x_i) = x_i * sigmoid(W2 relu(W1 m + b1) + b2), m the mean token; x of (B, N, C).

    The mean token gates the channels of all tokens alike, where CB adds it: a comparison of
    channel with spatial mixing. W1 is (C/r, C), W2 (C, C/r), at least one row; r is `reduction`.
    2 C^2/r + C/r + C parameters; 2 N C + 4 C^2/r operations an image, and little more. It is
    never the identity: a gate is below 1.

    Source: Hu et al., arXiv 1709.01507; with r = 16 at the MLP's output in the code of arXiv
    2210.08457.
    """

    def __init__(self, layout: Layout, *, reduction: int, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.source = ContextSource.of(layout, over=over, detach=detach)
        self.squeeze = nn.Linear(layout.dim, max(1, layout.dim // reduction))
        self.excite = nn.Linear(self.squeeze.out_features, layout.dim)

    def reset_parameters(self) -> None:
        """Draw the layers as torch draws linear ones."""
        self.squeeze.reset_parameters()
        self.excite.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, their channels gated by the mean token."""
        gate: Tensor = self.excite(relu(self.squeeze(self.source.mean(x))))
        return x * gate.sigmoid()

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: the mean, two layers, gates, a product each."""
        hidden = self.squeeze.out_features
        layers = 4 * self.dim * hidden + 2 * hidden + 2 * self.dim
        return (self.source.count(tokens) + tokens) * self.dim + layers
