"""Global context: one learned attention map for the whole image, its sum added to every token."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

from cbablate.models.operators.layout import Layout
from cbablate.models.operators.source import ContextSource

__all__ = ["GlobalContext"]

_FEWEST = 8


class GlobalContext(nn.Module):
    """GC(x_i) = x_i + W2 relu(LN(W1 c)), c = sum_j a_j x_j, a = softmax_j(w x_j).

    x is of shape (B, N, C), w (1, C), W1 (C/r, C), W2 (C, C/r), with biases; r is `reduction`, and
    8 rows the fewest, for the norm of one number is always 0.
    A mean whose weights are learned, and the same for every query. W2 starts at 0, where this is
    the identity. 2 C^2/r + 3 C/r + 2 C + 1 parameters; about 5 N C + 4 C^2/r operations an image.

    Source: Cao et al., arXiv 1904.11492 (with addition); its start at 0 is our choice.
    """

    def __init__(self, layout: Layout, *, reduction: int, over: str, detach: bool) -> None:
        super().__init__()
        self.dim = layout.dim
        self.source = ContextSource.of(layout, over=over, detach=detach)
        hidden = max(_FEWEST, layout.dim // reduction)
        self.score = nn.Linear(layout.dim, 1, bias=False)
        self.squeeze = nn.Linear(layout.dim, hidden)
        self.scale = nn.LayerNorm(hidden)
        self.expand = nn.Linear(hidden, layout.dim)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the layers as torch does, but start as the identity."""
        self.score.reset_parameters()
        self.squeeze.reset_parameters()
        self.scale.reset_parameters()
        nn.init.zeros_(self.expand.weight)
        nn.init.zeros_(self.expand.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens, what attention pooled from them added to each."""
        tokens = self.source(x)
        weights = self.score(tokens).softmax(dim=1)
        context = weights.to(tokens.dtype).transpose(1, 2) @ tokens
        added: Tensor = self.expand(relu(self.scale(self.squeeze(context))))
        return x + added.to(x.dtype)

    def flops(self, tokens: int) -> int:
        """Operations an image of so many tokens: scores, their sum, two layers, an addition."""
        hidden = self.squeeze.out_features
        seen = self.source.count(tokens)
        layers = 4 * self.dim * hidden + 8 * hidden + self.dim
        return 4 * seen * self.dim + 3 * seen + layers + tokens * self.dim
