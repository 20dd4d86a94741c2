"""`Grid`: where a model's tokens lie in the image, in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import torch
from timm.models.beit import Beit
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from cbablate.probes.probe import Absent

__all__ = ["Grid", "grid_of", "patches_of"]

_KNOWN = (VisionTransformer, Beit, Eva)
"""Classes whose rows of tokens are sure: class token, registers, then patches row by row."""


@dataclass(frozen=True)
class Grid:
    """Leading tokens, then patches: `class_tokens` (0 or 1), `registers`, and the grid's sides.

    `patch` is the height and width of a patch in pixels; a distillation token is a register.
    """

    class_tokens: int
    registers: int
    sides: tuple[int, int]
    patch: tuple[int, int]

    @property
    def prefix(self) -> int:
        """How many tokens lead the patches."""
        return self.class_tokens + self.registers

    @property
    def tokens(self) -> int:
        """How many tokens there are in all."""
        return self.prefix + self.sides[0] * self.sides[1]

    def centres(self, device: torch.device) -> Tensor:
        """The patches' centres in pixels, of shape (patches, 2)."""
        down, across = (
            (torch.arange(side, device=device) + 0.5) * size
            for side, size in zip(self.sides, self.patch, strict=True)
        )
        return torch.cartesian_prod(down, across)

    def distances(self, rows: slice, device: torch.device) -> Tensor:
        """The distances in pixels from some patches to all, of shape (rows, patches).

        `rows` counts patches from 0; only these rows are made.
        """
        centres = self.centres(device)
        return (centres[rows, None, :] - centres[None, :, :]).square().sum(dim=-1).sqrt()


def grid_of(model: nn.Module) -> Grid | Absent:
    """The grid of a model's tokens, or why it is not known."""
    if not isinstance(model, _KNOWN):
        return Absent(
            f"where the tokens of {type(model).__name__} lie in the image is not known (it is of "
            "timm's VisionTransformer, Beit and Eva)"
        )
    patches = patches_of(model)
    if patches is None:
        return Absent("the model does not say how its patches lie in the image")
    sides, patch = patches
    prefix = int(model.num_prefix_tokens)
    class_tokens = int(getattr(model, "cls_token", None) is not None)
    return Grid(
        class_tokens=class_tokens,
        registers=prefix - class_tokens,
        sides=sides,
        patch=patch,
    )


def _pair(said: Any) -> TypeGuard[Sequence[int]]:
    return isinstance(said, Sequence) and len(said) == 2


def patches_of(model: nn.Module) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """How many patches a model cuts an image into, down and across, and their size in pixels.

    They lie side by side from the image's upper left corner. None where the model does not say,
    or where its patches overlap.
    """
    embed = getattr(model, "patch_embed", None) or getattr(model, "stem", None)
    sides = getattr(embed, "grid_size", None)
    ratio = getattr(embed, "feat_ratio", None)  # timm's patch_size is in features of a hybrid's CNN
    patch = ratio(as_scalar=False) if ratio else getattr(embed, "patch_size", None)
    whole = getattr(embed, "img_size", None)
    if not (_pair(sides) and _pair(patch) and _pair(whole)):
        return None
    (down, across), (tall, wide), (height, width) = sides, patch, whole
    if (down, across) != (height // tall, width // wide):
        return None
    return (int(down), int(across)), (int(tall), int(wide))
