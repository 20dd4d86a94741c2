"""The tokens that a context is made from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cbablate.models.operators.layout import Layout

__all__ = ["ContextSource"]


@dataclass(frozen=True)
class ContextSource:
    """All tokens, or those after the first `start`; with `detach`, no gradient goes back to them.

    What is made from them goes to every token all the same, class token and registers included.
    """

    start: int = 0
    detach: bool = False

    @classmethod
    def of(cls, layout: Layout, *, over: str, detach: bool = False) -> ContextSource:
        """The source of an operator's options: `over` is `all` or `patches`.

        Without class and register tokens, `patches` are all.

        Raises:
            StudyError: the model does not say where its patches begin.
        """
        return cls(layout.leading("over: patches") if over == "patches" else 0, detach)

    def __call__(self, x: Tensor) -> Tensor:
        """The tokens of the source, of shape (B, M, C), from tokens (B, N, C)."""
        chosen = x[:, self.start :] if self.start else x
        return chosen.detach() if self.detach else chosen

    def mean(self, x: Tensor) -> Tensor:
        """The mean token of the source, of shape (B, 1, C)."""
        return self(x).mean(dim=1, keepdim=True)

    def count(self, tokens: int) -> int:
        """M, for N `tokens`."""
        return tokens - self.start
