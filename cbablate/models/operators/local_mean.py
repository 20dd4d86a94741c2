"""The mean of a window around each patch as context."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from cbablate.models.operators.layout import Layout

__all__ = ["LocalMean"]


class LocalMean(nn.Module):
    """Local(x_i) = (x_i + mean of the patches within r rows and columns of i) / 2.

    x is of shape (B, N, C). The window is (2r + 1) x (2r + 1) patches, cut at the border of the
    grid; r is `radius`. Class and register tokens have no window and are unchanged. CB's density
    grows with r as its range does: against `regions` this tells one from the other. At r = 0 it
    is the identity. No parameters; about ((2r + 1)^2 + 2) N C operations an image.

    Source: ours.
    """

    gridded = True

    def __init__(self, layout: Layout, *, radius: int, detach: bool) -> None:
        super().__init__()
        self.layout = layout
        self.radius = radius
        self.detach = detach
        self.prefix = layout.leading("operator 'local'")
        layout.sides("operator 'local'")

    def forward(self, x: Tensor, grid: tuple[int, int] | None = None) -> Tensor:
        """The tokens, each patch averaged with the mean of its window.

        `grid` is the patches' height and width where they come with the tokens.
        """
        patches = self.layout.patches(x, "operator 'local'", grid).permute(0, 3, 1, 2)
        if self.detach:
            patches = patches.detach()
        means = avg_pool2d(
            patches, 2 * self.radius + 1, stride=1, padding=self.radius, count_include_pad=False
        )
        context = means.flatten(2).transpose(1, 2)
        mixed = 0.5 * (x[:, self.prefix :] + context)
        return torch.cat((x[:, : self.prefix], mixed), dim=1) if self.prefix else mixed

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens; windows at the border counted as whole ones."""
        window = (2 * self.radius + 1) ** 2
        return (window + 2) * (tokens - self.prefix) * self.layout.dim
