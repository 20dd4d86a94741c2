"""Resolved configs of `image_classification` that train in a moment."""

from __future__ import annotations

from typing import Any

from cbablate.spec.loading.changes import apply
from cbablate.workloads.images.image_config import resolve

TINY: dict[str, Any] = {
    "data": {"name": "digits"},
    "model": {
        "name": "vit_tiny_patch16_224",
        "img_size": 8,
        "patch_size": 4,
        "in_chans": 1,
        "embed_dim": 16,
        "depth": 2,
        "num_heads": 2,
        "mlp_ratio": 2.0,
    },
    "optimizer": {"name": "adamw", "lr": 2e-3, "weight_decay": 0.05},
    "batch_size": 64,
}


def tiny(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The smallest config, resolved, with changes of keys as a study writes them."""
    return resolve(apply(TINY, changes or {}))
