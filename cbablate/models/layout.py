"""What an operator is told of the row of tokens at its place."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cbablate.errors import StudyError

__all__ = ["Layout"]


@dataclass(frozen=True)
class Layout:
    """The tokens at a place: `dim` channels each; class and register tokens, then the patches.

    `prefix` is how many class and register tokens lead the row, the class token first of them
    where `class_token` says that there is one; `grid` is the patches' height and width. Both are
    None where the model does not say. `windows` says that the attention hands over its windows as
    if each were an image.
    """

    dim: int
    prefix: int | None = 0
    grid: tuple[int, int] | None = None
    class_token: bool = False
    windows: bool = False

    def of_images(self, what: str) -> None:
        """Make sure that every row of tokens is an image.

        Raises:
            StudyError: the rows are windows; `what` compares images.
        """
        if self.windows:
            raise StudyError(
                f"{what} compares the images of a batch, but inside this model's attention a row "
                "of tokens is one window of an image: choose a place of the MLP"
            )

    def leading(self, what: str) -> int:
        """How many tokens lead the patches.

        Raises:
            StudyError: the model does not say; `what` needs it.
        """
        if self.prefix is None:
            raise StudyError(
                f"{what} needs to know how many class and register tokens lead the patches, which "
                "is known of timm's VisionTransformer, Beit and Eva only; use over: all"
            )
        return self.prefix

    def sides(self, what: str) -> tuple[int, int]:
        """Height and width of the patches' grid.

        Raises:
            StudyError: the model does not say; `what` needs them.
        """
        if self.grid is None:
            raise StudyError(
                f"{what} needs the grid of the patches, which this model does not have or say; "
                "it is known of timm's VisionTransformer, Beit and Eva"
            )
        return self.grid

    def patches(self, x: Tensor, what: str) -> Tensor:
        """The patches of tokens (B, N, C) on their grid, of shape (B, height, width, C).

        Raises:
            StudyError: the row has not the tokens of the layout.
        """
        prefix, (height, width) = self.leading(what), self.sides(what)
        if x.shape[1] != prefix + height * width:
            raise StudyError(
                f"{what} needs {prefix} + {height} x {width} tokens, but is given {x.shape[1]}: it "
                "goes with no other image size and with no patch_drop_rate"
            )
        return x[:, prefix:].reshape(x.shape[0], height, width, x.shape[2])
