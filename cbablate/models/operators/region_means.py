"""The mean of each region of the image as context for the patches in it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cbablate.errors import StudyError
from cbablate.models.operators.layout import Layout

__all__ = ["RegionMeans"]


class RegionMeans(nn.Module):
    """Regions(x_i) = (x_i + mean of the patches in i's region) / 2, for x of shape (B, N, C).

    The grid of patches is cut into g x g regions of equal size; g is `grid` and must divide both
    sides. Class and register tokens are in no region and are unchanged. g = 1 is CB among the
    patches; more regions keep the form and shorten the range. No parameters; 3 N C operations an
    image.

    Source: ours.
    """

    gridded = True

    def __init__(self, layout: Layout, *, grid: int, detach: bool) -> None:
        super().__init__()
        self.layout = layout
        self.grid = grid
        self.detach = detach
        self.prefix = layout.leading("operator 'regions'")
        sides = layout.sides("operator 'regions'")
        if sides is not None:
            self._refuse_uneven(*sides)

    def forward(self, x: Tensor, grid: tuple[int, int] | None = None) -> Tensor:
        """The tokens, each patch averaged with the mean of its region.

        `grid` is the patches' height and width where they come with the tokens.
        """
        patches = self.layout.patches(x, "operator 'regions'", grid)
        height, width = patches.shape[1:3]
        self._refuse_uneven(height, width)
        down, across = height // self.grid, width // self.grid
        cut = patches.reshape(x.shape[0], self.grid, down, self.grid, across, self.layout.dim)
        means = (cut.detach() if self.detach else cut).mean(dim=(2, 4), keepdim=True)
        mixed = (0.5 * (cut + means)).reshape(x.shape[0], height * width, self.layout.dim)
        return torch.cat((x[:, : self.prefix], mixed), dim=1) if self.prefix else mixed

    def _refuse_uneven(self, height: int, width: int) -> None:
        if height % self.grid or width % self.grid:
            raise StudyError(
                f"operator 'regions' cannot cut {height} x {width} patches into {self.grid} x "
                f"{self.grid} regions of equal size: grid must divide both sides"
            )

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: a sum, an addition, a multiplication a patch."""
        return 3 * (tokens - self.prefix) * self.layout.dim
