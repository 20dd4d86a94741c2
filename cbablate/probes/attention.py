"""Attention entropy: how evenly each query spreads its attention.

Of a query's row a of attention, after softmax and before dropout, the entropy is

    H = - sum_j a_j ln a_j      in nats, between 0 (one key) and ln N (all N keys alike).

It is a function of queries and keys alone: H = logsumexp_j(s_j) - sum_j a_j s_j, with s the
scaled scores. Both are computed anew, in float32, from what the model hands to each attention
layer, so the fused kernel that the model trains with stays in use and nothing about the model
changes. Rows are taken in tiles, so memory grows with N and not with its square.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from timm.layers import Attention
from torch import Tensor, nn

__all__ = ["AttentionEntropy", "attention_entropy", "row_entropy"]

_BATCH = 256
"""Images at a time. Fixed, because sums of floats depend on it."""
_TILE = 1 << 22
"""Scores held at once, 16 MiB in float32."""


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
    def normalized(self) -> float:
        """The mean over layers of H / ln N: 1 is uniform attention, whatever N."""
        each = zip(self.per_layer, self.tokens, strict=True)
        return sum(entropy / math.log(tokens) for entropy, tokens in each) / len(self.tokens)


def attention_entropy(model: nn.Module, images: Tensor) -> AttentionEntropy | None:
    """The attention entropy of a model in evaluation mode on images of shape (B, C, H, W).

    None where the model has no softmax attention that timm's `Attention` computes, or has other
    attention beside it: the metric then does not exist, which is not the same as 0.
    """
    layers = _layers(model)
    if not layers:
        return None
    sums = [torch.zeros(layer.num_heads, dtype=torch.float64) for layer in layers]
    tokens = [0] * len(layers)

    def told(index: int, rows: Tensor) -> None:
        sums[index] += rows.double().mean(dim=-1).sum(dim=0).cpu()
        tokens[index] = rows.shape[-1]

    training = model.training
    model.eval()
    try:
        with torch.inference_mode(), _listening(layers, told):
            for start in range(0, len(images), _BATCH):
                model(images[start : start + _BATCH])
    finally:
        model.train(training)
    return AttentionEntropy(
        per_head=tuple(tuple((total / len(images)).tolist()) for total in sums),
        tokens=tuple(tokens),
    )


def row_entropy(query: Tensor, key: Tensor, *, scale: float) -> Tensor:
    """The entropy of every row, of shape (B, heads, N), from queries and keys (B, heads, N, d).

    Exact in the precision of its arguments; no (N, N) map is held, but where it fits one tile.
    """
    batch, heads, tokens, _ = query.shape
    tile = max(1, _TILE // (batch * heads * key.shape[-2]))
    keys = key.transpose(-2, -1)
    parts = []
    for start in range(0, tokens, tile):
        scores = (query[..., start : start + tile, :] * scale) @ keys
        logarithms = torch.log_softmax(scores, dim=-1)
        parts.append(-(logarithms.exp() * logarithms).sum(dim=-1))
    return torch.cat(parts, dim=-1)


def _layers(model: nn.Module) -> list[Attention]:
    """The attention layers, first one first; none if any is of a kind we cannot read."""
    named = [
        (name, module)
        for name, module in model.named_modules()
        if name.rpartition(".")[2] == "attn" or isinstance(module, Attention)
    ]
    if any(type(module).forward is not Attention.forward for _, module in named):
        return []
    return [module for _, module in named]


@contextmanager
def _listening(layers: list[Attention], told: Callable[[int, Tensor], None]) -> Iterator[None]:
    """Tell every layer's row entropies as the model runs; the hooks are gone afterwards."""

    def hook(index: int) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def read(layer: Any, args: tuple[Any, ...]) -> None:
            query, key = _query_and_key(layer, args[0])
            told(index, row_entropy(query, key, scale=float(layer.scale)))

        return read

    handles = [layer.register_forward_pre_hook(hook(i)) for i, layer in enumerate(layers)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _query_and_key(layer: Attention, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Queries and keys of shape (B, heads, N, d), float32, as the layer itself makes them."""
    batch, count, _ = tokens.shape
    made = layer.qkv(tokens).reshape(batch, count, 3, layer.num_heads, layer.head_dim)
    query, key, _ = made.permute(2, 0, 3, 1, 4).unbind(0)
    return layer.q_norm(query).float(), layer.k_norm(key).float()
