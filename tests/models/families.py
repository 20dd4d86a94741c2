"""The smallest model of every family that context can be placed in, under timm's own classes."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from cbablate.models.building import build
from cbablate.models.placing import place

SMALL: dict[str, Any] = {
    "img_size": 8, "patch_size": 2, "in_chans": 1, "embed_dim": 16, "num_heads": 2
}  # fmt: skip
STAGED: dict[str, Any] = {
    "img_size": 8, "patch_size": 1, "in_chans": 1, "embed_dim": 8, "depths": [2, 1],
    "num_heads": [1, 2], "window_size": 4,
}  # fmt: skip
MIXING: dict[str, Any] = {
    "img_size": 8, "patch_size": 2, "in_chans": 1, "embed_dim": 16, "num_blocks": 2
}  # fmt: skip

FAMILIES: dict[str, dict[str, Any]] = {
    "ViT": {"name": "vit_tiny_patch16_224", "depth": 2, **SMALL},
    "ViT with registers": {"name": "vit_small_patch14_reg4_dinov2", "depth": 2, **SMALL},
    "DeiT distilled": {"name": "deit_tiny_distilled_patch16_224", "depth": 2, **SMALL},
    "DeiT-III": {"name": "deit3_small_patch16_224", "depth": 2, **SMALL},
    "BEiT": {"name": "beit_base_patch16_224", "depth": 2, **SMALL},
    "EVA-02": {"name": "eva02_tiny_patch14_224", "depth": 2, **SMALL},
    "EVA with registers": {"name": "vit_small_patch16_dinov3", "depth": 2, **SMALL},
    "CaiT": {"name": "cait_xxs24_224", "depth": 2, "depth_token_only": 1, **SMALL},
    "XCiT": {
        "name": "xcit_nano_12_p8_224", "depth": 2, "cls_attn_layers": 1, **SMALL,
        "img_size": 32, "patch_size": 8, "in_chans": 3,
    },
    "PiT": {
        "name": "pit_ti_224", "img_size": 8, "patch_size": 2, "stride": 1, "in_chans": 1,
        "base_dims": [8, 8], "depth": [1, 1], "heads": [1, 2],
    },
    "Swin": {"name": "swin_tiny_patch4_window7_224", **STAGED},
    "Swin v2": {"name": "swinv2_tiny_window8_256", **STAGED},
    "Mixer": {"name": "mixer_s32_224", **MIXING},
    "ResMLP": {"name": "resmlp_12_224", **MIXING},
    "gMLP": {"name": "gmlp_ti16_224", **MIXING},
    "MobileViT": {"name": "mobilevit_xxs", "in_chans": 1},
    "MobileViT v2": {"name": "mobilevitv2_050", "in_chans": 1},
    "ConvNeXt": {
        "name": "convnext_atto", "in_chans": 1, "depths": [1, 1, 1, 1], "dims": [8, 16, 16, 16],
        "patch_size": 2,
    },
    "ResNet": {"name": "resnet18", "in_chans": 1, "layers": [1, 1, 1, 1], "channels": [8, 8, 8, 8]},
}  # fmt: skip
"""Arguments by family, as a study writes them; enough blocks that no two are mistaken."""

SIDES = {"XCiT": 32, "MobileViT": 32, "MobileViT v2": 32, "ConvNeXt": 32, "ResNet": 32}
"""Of the images, where they are not 8 x 8: these halve an image five times, or say so."""


@cache
def plain(family: str) -> nn.Module:
    """The family's model, its weights moved off their start, where some branches give nothing."""
    model = build({"model": FAMILIES[family]}, seed=0, num_classes=10)
    drawn = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=drawn), alpha=0.05)
    return model.eval()


def with_context(family: str, *context: dict[str, Any]) -> nn.Module:
    """A copy of it, with this context."""
    return place(copy.deepcopy(plain(family)), context)


@cache
def images_for(family: str) -> Tensor:
    """Fixed random images for it."""
    channels = FAMILIES[family].get("in_chans", 3)
    side = SIDES.get(family, 8)
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(0))


@cache
def plain_output(family: str) -> Tensor:
    """What the model says of them without context."""
    with torch.no_grad():
        said: Tensor = plain(family)(images_for(family))
    return said
