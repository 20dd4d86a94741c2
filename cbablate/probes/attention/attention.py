"""Attention entropy: how evenly each query spreads its attention.

Of a query's row a of attention, after softmax and before dropout, the entropy is

    H = - sum_j a_j ln a_j      in nats, between 0 (one key) and ln N (all N keys alike).

It is that of the float32 network, whatever precision the network was trained in, computed anew from
the queries and keys that the model hands to its fused kernel, which stays in use: nothing about the
model changes. Scores are taken in tiles that fit the cache, so memory grows with N and not with its
square.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cbablate.probes.attention.scores import Attended, layers_of, listening, tiles
from cbablate.probes.evaluation import evaluating, indices
from cbablate.probes.probe import Absent

__all__ = ["AttentionEntropy", "attention_entropy", "row_entropy"]

_BATCH = 256
"""Images at a time, at most. Fixed, because sums of floats depend on it."""


@dataclass(frozen=True)
class AttentionEntropy:
    """Mean entropy over rows and images, in nats, by layer and head, with each layer's N."""

    per_head: tuple[tuple[float, ...], ...]
    tokens: tuple[int, ...]

    @property
    def per_layer(self) -> tuple[float, ...]:
        """The mean over heads, first layer first."""
        return tuple(sum(heads) / len(heads) for heads in self.per_head)

    @property
    def mean(self) -> float:
        """The mean over layers."""
        return sum(self.per_layer) / len(self.per_layer)

    @property
    def normalized(self) -> float | Absent:
        """The mean over layers of H / ln N: 1 is uniform attention, whatever N.

        A layer whose rows have one key has no choice, and is left out of it.
        """
        each = [
            entropy / math.log(tokens)
            for entropy, tokens in zip(self.per_layer, self.tokens, strict=True)
            if tokens > 1
        ]
        return sum(each) / len(each) if each else Absent("every row of attention has one key only")


def attention_entropy(model: nn.Module, images: Tensor) -> AttentionEntropy | Absent:
    """The attention entropy of a model in evaluation mode on images of shape (B, C, H, W).

    Absent where the model has no softmax attention between tokens that can be read, or has other
    attention beside it: the metric then does not exist, which is not the same as 0. N is the
    number of keys a row has: in windowed attention those of a window.
    """
    with evaluating(model):
        layers = layers_of(model, images[:1])
        if isinstance(layers, Absent):
            return layers
        sums = [torch.zeros(layer.heads, dtype=torch.float64) for layer in layers]
        counts = [0] * len(layers)

        def told(index: int, call: Attended) -> None:
            rows = _entropies(call)
            sums[index] += rows.double().mean(dim=-1).sum(dim=0).cpu()
            counts[index] += len(rows)

        with torch.inference_mode(), listening(model, told):
            for chosen in indices(len(images), _BATCH, images.device):
                model(images[chosen])
    return AttentionEntropy(
        per_head=tuple(
            tuple((total / count).tolist()) for total, count in zip(sums, counts, strict=True)
        ),
        tokens=tuple(layer.keys for layer in layers),
    )


def row_entropy(query: Tensor, key: Tensor, *, scale: float) -> Tensor:
    """The entropy of every row, of shape (B, heads, N), from queries and keys (B, heads, N, d).

    Exact in the precision of its arguments; no (N, N) map is held, but where it fits one tile.
    """
    return _entropies(Attended(query, key, scale))


def _entropies(call: Attended) -> Tensor:
    found = torch.empty(call.query.shape[:-1], dtype=call.query.dtype, device=call.query.device)
    for images, part, scores in tiles(call):
        logarithms = torch.log_softmax(scores, dim=-1)
        weighed = logarithms.exp().mul_(logarithms)
        found[images, :, part] = -weighed.sum(dim=-1)
    return found
