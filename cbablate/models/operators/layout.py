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
    None where the model does not say. With `maps`, height and width come with every feature map
    that the place hands over, so no grid need be known before.
    """

    dim: int
    prefix: int | None = 0
    grid: tuple[int, int] | None = None
    class_token: bool = False
    maps: bool = False

    def leading(self, what: str) -> int:
        """How many tokens lead the patches.

        Raises:
            StudyError: the model does not say; `what` needs it.
        """
        if self.prefix is None:
            raise StudyError(
                f"{what} needs to know how many class and register tokens lead the patches, which "
                "is not known of this model (`cbablate models` lists the families of which it is); "
                "use over: all"
            )
        return self.prefix

    def sides(self, what: str) -> tuple[int, int] | None:
        """Height and width of the patches' grid; None where they come with every feature map.

        Raises:
            StudyError: the model does not say; `what` needs them.
        """
        if self.grid is None and not self.maps:
            raise StudyError(
                f"{what} needs the grid of the patches, which this place of the model does not "
                "have or say (`cbablate models NAME` says what is known of a model)"
            )
        return self.grid

    def patches(self, x: Tensor, what: str, grid: tuple[int, int] | None = None) -> Tensor:
        """The patches of tokens (B, N, C) on their grid, of shape (B, height, width, C).

        `grid` is the one that came with the tokens; without it, the layout's own.

        Raises:
            StudyError: the row has not the tokens of the layout.
        """
        prefix, sides = self.leading(what), grid or self.sides(what)
        if sides is None or x.shape[1] != prefix + sides[0] * sides[1]:
            said = "a feature map" if sides is None else f"{prefix} + {sides[0]} x {sides[1]}"
            raise StudyError(
                f"{what} needs {said} tokens, but is given {x.shape[1]}: it "
                "goes with no other image size and with no patch_drop_rate"
            )
        return x[:, prefix:].reshape(x.shape[0], sides[0], sides[1], x.shape[2])
