"""The class token as context."""

from __future__ import annotations

from torch import Tensor, nn

from cbablate.errors import StudyError
from cbablate.models.operators.layout import Layout

__all__ = ["ClassBroadcast"]


class ClassBroadcast(nn.Module):
    """Cls(x_i) = (x_i + x_0) / 2, x_0 the class token, for x of shape (B, N, C).

    CB with the class token in the mean's stead: context that the network gathers by attention
    instead of a uniform sum. The class token itself is unchanged. No parameters; 2 N C
    operations an image.

    Source: ours.
    """

    def __init__(self, layout: Layout, *, detach: bool) -> None:
        super().__init__()
        if not layout.class_token:
            raise StudyError(
                "operator 'cls' broadcasts the class token, but this model has none or does not "
                "say that its rows begin with one; choose a model with class_token: true"
            )
        self.dim = layout.dim
        self.detach = detach

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, each averaged with the class token."""
        first = x[:, :1]
        return 0.5 * (x + (first.detach() if self.detach else first))

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: an addition and a multiplication each."""
        return 2 * tokens * self.dim
