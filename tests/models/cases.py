"""Placements that between them use every operator and every option, and a model for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from cbablate.models.building import build
from cbablate.models.operators.catalog import OPERATORS
from tests.workloads.images import tiny

SAID: dict[str, dict[str, Any]] = {
    "add": {"over": "patches", "detach": True},
    "mix": {"alpha": 0.3},
    "max": {"over": "patches"},
    "gem": {"p": 2.5},
    "se": {"reduction": 4},
    "gc": {"over": "patches"},
    "uniform_head": {"width": 8},
    "local": {"radius": 1},
    "regions": {"grid": 2},
    "random_tokens": {"count": 2, "over": "patches"},
}
"""Options of an operator's first case; the others are tried as they are."""
FURTHER: dict[str, dict[str, Any]] = {
    "cb of patches": {"operator": "cb", "over": "patches"},
    "cb detached": {"operator": "cb", "detach": True},
    "cb_s residual": {"operator": "cb_s", "form": "residual"},
    "cb_s outer": {"operator": "cb_s", "form": "outer", "over": "patches"},
    "mix of a block": {"operator": "mix", "alpha": 0.3, "learned": "block"},
    "mix of channels": {"operator": "mix", "alpha": 0.3, "learned": "channel"},
    "cls detached": {"operator": "cls", "detach": True},
}
CASES: dict[str, dict[str, Any]] = {
    case: placement
    for name in OPERATORS
    for case, placement in {name: {"operator": name, **SAID.get(name, {})}, **FURTHER}.items()
    if placement["operator"] == name
}

STARTS_IDLE = {"cb_s residual", "gc", "uniform_head"}
"""Those that have yet to learn anything other than the identity."""


VIT = (
    "mlp.front", "mlp.mid", "mlp.end", "attn.front", "attn.values", "attn.end",
    "block.front", "block.end", "embed.end", "head.front",
)  # fmt: skip
"""The places of a ViT."""


def made(context: Any = None, **model: Any) -> nn.Module:
    """A tiny ViT of 4 x 4 patches and a class token, with this context.

    Its head pools by mean and maximum, which keeps no operator at `head.front` from being seen:
    pooling the class token, the head does not look at patches; pooling by the mean alone, a mean
    of regions is none of its business; and by the maximum alone, the maximum.
    """
    written = {"patch_size": 2, "global_pool": "avgmax", **model}
    return build(tiny({"context": context, "model": written}), seed=0, num_classes=10)


def images(count: int = 3) -> Tensor:
    """Fixed random images for it."""
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(0))
