"""The families of timm whose tokens are known: what leads the patches, where their grid is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from timm.models.beit import Beit
from timm.models.cait import Cait
from timm.models.convnext import ConvNeXt
from timm.models.eva import Eva
from timm.models.mlp_mixer import MlpMixer
from timm.models.mobilevit import MobileVitBlock, MobileVitV2Block
from timm.models.pit import PoolingVisionTransformer
from timm.models.resnet import ResNet
from timm.models.swin_transformer import SwinTransformer
from timm.models.swin_transformer_v2 import SwinTransformerV2
from timm.models.vision_transformer import VisionTransformer
from timm.models.xcit import Xcit
from torch import nn

__all__ = ["FAMILIES", "Family", "Tokens", "family_of"]

Grid = tuple[int, int]


@dataclass(frozen=True)
class Tokens:
    """What lies on the token axis: see `Layout`; `rows` as in `View`."""

    prefix: int | None = None
    grid: Grid | None = None
    class_token: bool = False
    maps: bool = False
    rows: int = 1


@dataclass(frozen=True)
class Family:
    """Models of timm that are built alike.

    `over` says what a mean over tokens is over. `tokens` reads a block's tokens from the model and
    the block's name; `at_head` those that the head is handed. `stem` and `last` are the modules
    that embed.end and head.front come after; without a stem, embed.end is before the first block.
    """

    name: str
    over: str
    member: Callable[[nn.Module], bool] = field(repr=False)
    tokens: Callable[[Any, str, nn.Module], Tokens] = field(repr=False)
    at_head: Callable[[Any], Tokens] = field(repr=False, default=lambda _: Tokens(0, maps=True))
    stem: str | None = None
    last: str = "norm"
    no_head: str = ""
    """Why there is no head.front, where there is none."""


def _vit(model: Any, _where: str = "", _block: nn.Module | None = None) -> Tokens:
    return Tokens(
        prefix=model.num_prefix_tokens,
        grid=_grid(getattr(model, "patch_embed", None)),
        class_token=getattr(model, "cls_token", None) is not None,
    )


def _patches(model: Any, _where: str, _block: nn.Module) -> Tokens:
    """Patches alone: the class token joins after the blocks, or never."""
    return Tokens(prefix=0, grid=_grid(getattr(model, "patch_embed", None) or model.stem))


def _joined(model: Any) -> Tokens:
    return Tokens(prefix=1, grid=_grid(model.patch_embed), class_token=True)


def _mixer_head(model: Any) -> Tokens:
    return Tokens(prefix=0, grid=_grid(model.stem))


def _pit(model: Any, where: str, _block: nn.Module) -> Tokens:
    """A stage's grid is the one before it, gone through the stage's pooling."""
    height, width = model.patch_embed.height, model.patch_embed.width
    stage = int(where.split(".")[1])
    for transformer in list(model.transformers)[: stage + 1]:
        if transformer.pool is not None:
            conv = transformer.pool.conv
            height, width = (_strided(side, conv) for side in (height, width))
    return Tokens(prefix=model.cls_token.shape[1], grid=(height, width), class_token=True)


def _swin(_model: Any, _where: str, block: Any) -> Tokens:
    """Where the block hands over rows, they are all of its feature map, and no windows."""
    height, width = block.input_resolution
    return Tokens(prefix=0, grid=(int(height), int(width)), maps=True)


def _mobilevit(model: Any, where: str, _block: nn.Module) -> Tokens:
    """Rows are the pixels that have one position within their patch: not the order of a grid."""
    around = model.get_submodule(where.rpartition(".transformer")[0])
    return Tokens(prefix=0, rows=1 if _folded(around) else around.patch_area)


def _maps(_model: Any, _where: str, _block: nn.Module) -> Tokens:
    return Tokens(prefix=0, maps=True)


def _folded(around: nn.Module) -> bool:
    """Whether the transformer is handed (B, C, P, N) and not rows."""
    return isinstance(around, MobileVitV2Block)


def _strided(side: int, conv: Any) -> int:
    size, stride, padding = conv.kernel_size[0], conv.stride[0], conv.padding[0]
    return int((side + 2 * padding - size) // stride + 1)


def _grid(embed: Any) -> Grid | None:
    """The grid of a patch embedding, None where it does not say."""
    said = getattr(embed, "grid_size", None)
    if said is None and hasattr(embed, "img_size") and hasattr(embed, "patch_size"):
        patch = embed.patch_size if isinstance(embed.patch_size, tuple) else (embed.patch_size,) * 2
        said = tuple(side // each for side, each in zip(embed.img_size, patch, strict=True))
    return None if said is None else (int(said[0]), int(said[1]))


def _is(*kinds: type) -> Callable[[nn.Module], bool]:
    return lambda model: isinstance(model, kinds)


def _has(*kinds: type) -> Callable[[nn.Module], bool]:
    return lambda model: any(isinstance(module, kinds) for module in model.modules())


_PATCHES = "all patches of the image; the class token joins after the blocks"

FAMILIES: tuple[Family, ...] = (
    Family(
        "ViT, DeiT, BEiT, EVA",
        "all tokens: class token, registers and patches",
        _is(VisionTransformer, Beit, Eva),
        _vit,
        at_head=_vit,
    ),
    Family("CaiT", _PATCHES, _is(Cait), _patches, at_head=_joined),
    Family("XCiT", _PATCHES, _is(Xcit), _patches, at_head=_joined),
    Family(
        "PiT",
        "all tokens of the stage, class token included; their number falls from stage to stage",
        _is(PoolingVisionTransformer),
        _pit,
        no_head="the last norm of a PiT is handed the class token alone, of which a mean is itself",
    ),
    Family(
        "Swin",
        "the block's whole feature map, and not one window",
        _is(SwinTransformer, SwinTransformerV2),
        _swin,
    ),
    Family(
        "Mixer, ResMLP, gMLP",
        "all patches of the image",
        _is(MlpMixer),
        _patches,
        at_head=_mixer_head,
    ),
    Family(
        "MobileViT",
        "all pixels of the block's feature map, of every patch position",
        _has(MobileVitBlock, MobileVitV2Block),
        _mobilevit,
        stem="stem",
        last="final_conv",
    ),
    Family("ConvNeXt", "the whole feature map", _is(ConvNeXt), _maps, stem="stem", last="norm_pre"),
    Family("ResNet", "the whole feature map", _is(ResNet), _maps, stem="maxpool", last="layer4"),
)
"""The families that are known, each with what a mean over tokens is over in it."""


def family_of(model: nn.Module) -> Family | None:
    """The family of a model; None where none is known, and its modules alone tell."""
    return next((family for family in FAMILIES if family.member(model)), None)
