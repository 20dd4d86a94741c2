"""Uniform mixing over channels, where CB mixes over tokens."""

from __future__ import annotations

from torch import Tensor, nn

from cbablate.models.operators.layout import Layout

__all__ = ["ChannelMix"]


class ChannelMix(nn.Module):
    """ChannelMix(x_ic) = (x_ic + (1/C) sum_d x_id) / 2, for x of shape (B, N, C).

    CB turned from tokens to channels, at CB's cost: each token keeps its mean and halves the
    deviations of its channels from it, and no token learns of another. It asks whether extra
    spatial connections help where extra channel connections do not. No parameters; 3 N C
    operations an image.

    Source: the question is that of arXiv 2210.08457, the formula our choice.
    """

    def __init__(self, layout: Layout, *, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.detach = detach

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each channel averaged with the token's mean channel."""
        channels = x.detach() if self.detach else x
        return 0.5 * (x + channels.mean(dim=2, keepdim=True))

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: a sum, an addition, a multiplication each."""
        return 3 * tokens * self.dim
