"""A generalised mean as context, between the mean and the maximum."""

from __future__ import annotations

from torch import Tensor, nn

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["GeneralisedMeanBroadcast"]

_TINY = 1e-12
"""Below it a root's slope is not taken: where all tokens agree there is none."""


class GeneralisedMeanBroadcast(nn.Module):
    """GeM(x_i) = (x_i + g) / 2, g the generalised mean of each channel; x of shape (B, N, C).

        g = l + s ((1/N) sum_j ((x_j - l) / s)^p)^(1/p),   l = min_j x_j,   s = max_j x_j - l

    A generalised mean is of numbers that are not negative, and tokens have signs; so it is taken
    above the least token, in units of the spread, which keeps any power finite. p = 1 is the
    mean up to rounding; with p it rises to the maximum. Computed in float32 at least. No
    parameters; (8 N + 6) C operations an image, a power counted as one.

    Source: the mean is that of Radenovic et al., arXiv 1711.02512; the shift and the broadcast
    are our choice.
    """

    def __init__(self, layout: Layout, *, p: float, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.p = p
        self.source = ContextSource.of(layout, over=over, detach=detach)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each averaged with the generalised mean."""
        tokens = self.source(x)
        tokens = tokens if tokens.dtype.itemsize >= 4 else tokens.float()
        least = tokens.amin(dim=1, keepdim=True)
        spread = (tokens.amax(dim=1, keepdim=True) - least).clamp(min=_TINY)
        power = ((tokens - least) / spread).pow(self.p).mean(dim=1, keepdim=True)
        root = power.clamp(min=_TINY).pow(1 / self.p)
        return 0.5 * (x + (least + spread * root).to(x.dtype))

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: six a token of the source, six a channel."""
        return (6 * self.source.count(tokens) + 2 * tokens + 6) * self.dim
