"""How a tensor at a point of a model is read as images' rows of tokens, and written back."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cbablate.errors import StudyError

__all__ = ["View"]


@dataclass(frozen=True)
class View:
    """Which axis holds channels; every other one but the first is of tokens.

    (B, N, C) and (B, H, W, C) have `channels` -1; (B, C, N) and (B, C, H, W) have 1. `rows` is how
    many entries of the first axis are one image: a MobileViT hands the pixels of an image to its
    transformer in so many rows. `sides` says that the two token axes of a feature map are its
    height and width.
    """

    channels: int = -1
    rows: int = 1
    sides: bool = False

    def tokens(self, x: Tensor, dim: int) -> tuple[Tensor, tuple[int, int] | None]:
        """The tokens (B, N, dim) of all images, and their height and width where they have them.

        Raises:
            StudyError: the tensor is not a row of tokens of this width.
        """
        if not isinstance(x, Tensor) or x.ndim not in (3, 4) or x.shape[self.channels] != dim:
            found = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise StudyError(
                f"a context operator takes {self.spelled(dim)}, but this place of the model gives "
                f"it {found}; choose another place or another model"
            )
        if x.ndim == 3 and self.channels == -1 and self.rows == 1:
            return x, None
        last = x.movedim(self.channels, -1)
        grid = (last.shape[1], last.shape[2]) if self.sides and x.ndim == 4 else None
        return last.reshape(x.shape[0] // self.rows, -1, dim), grid

    def written(self, tokens: Tensor, like: Tensor) -> Tensor:
        """Tokens as `tokens` gives them, in the shape of the tensor that they came from."""
        if tokens.shape == like.shape and self.channels == -1:
            return tokens
        last = like.movedim(self.channels, -1).shape
        return tokens.reshape(last).movedim(-1, self.channels)

    def spelled(self, dim: int) -> str:
        """The shapes it reads, for a person."""
        if self.channels == -1:
            return f"tokens of shape (batch, tokens, {dim}) or maps (batch, height, width, {dim})"
        return f"(batch, {dim}, tokens) or maps (batch, {dim}, height, width)"
