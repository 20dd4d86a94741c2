"""Channels that modules take and give back, read off their layers."""

from __future__ import annotations

from typing import Any

from timm.models.convnext import ConvNeXtBlock
from timm.models.resnet import BasicBlock, Bottleneck
from torch import nn

__all__ = [
    "CONVOLUTIONAL",
    "channels_in",
    "channels_out",
    "first_of",
    "last_width",
    "width_given",
    "width_taken",
]

CONVOLUTIONAL = (ConvNeXtBlock, BasicBlock, Bottleneck)
"""Blocks that convolve."""
_READS = ("fc1", "fc1_g", "w12", "w1", "qkv", "q", "q_proj", "qkv_proj", "conv1", "conv_dw")
"""First layers of an MLP, an attention or a block: what they take is the width there."""


def first_of(block: nn.Module, *names: str) -> nn.Module | None:
    """The first of these attributes that a block has; None if it has none."""
    return next((getattr(block, name) for name in names if hasattr(block, name)), None)


def width_taken(module: nn.Module | None) -> int | None:
    """The channels that a module is handed, as its first layer tells."""
    layers = (getattr(module, name, None) for name in _READS)
    return next((width for layer in layers if (width := channels_in(layer)) is not None), None)


def width_given(block: Any) -> int | None:
    """The channels that a block gives back, as its MLP's or its last convolution's layer tells."""
    mlp = first_of(block, "mlp", "mlp_channels")
    last = getattr(mlp, "fc2", None) if mlp is not None else None
    if last is None and isinstance(block, CONVOLUTIONAL):
        last = getattr(block, "conv3", None) or getattr(block, "conv2", None)
    return channels_out(last)


def channels_in(layer: Any) -> int | None:
    """The channels that a layer takes; None if it does not say."""
    found = getattr(layer, "in_features", None) or getattr(layer, "in_channels", None)
    return found if isinstance(found, int) else None


def channels_out(layer: Any) -> int | None:
    """The channels that a layer gives back; None if it does not say."""
    found = getattr(layer, "out_features", None) or getattr(layer, "out_channels", None)
    return found if isinstance(found, int) else None


def last_width(module: nn.Module) -> int | None:
    """The channels that the last layer inside a module gives back."""
    given = [width for each in module.modules() if (width := channels_out(each)) is not None]
    return given[-1] if given else None
