"""A model's anatomy: its blocks, where in them an operator can stand, and why elsewhere not.

It is derived from the types and names of a model's modules. A block is a member of a sequence of
modules and has an attention and an MLP, or an MLP over channels, or is a convolutional block of a
known kind. What the modules do not tell (which tokens lead the patches, and their grid) is told by
the model's `Family`, and stays unknown without one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from timm.layers import Attention, AttentionRope, LayerNorm2d
from timm.models.beit import Attention as BeitAttention
from timm.models.cait import LayerScaleBlockClassAttn, TalkingHeadAttn
from timm.models.eva import EvaAttention
from timm.models.swin_transformer import SwinTransformerBlock
from timm.models.swin_transformer_v2 import SwinTransformerV2Block
from timm.models.volo import ClassBlock
from timm.models.xcit import XCA, ClassAttentionBlock
from torch import nn

from cbablate.models.family import Family, Tokens, family_of
from cbablate.models.layer_width import (
    CONVOLUTIONAL,
    channels_in,
    channels_out,
    first_of,
    last_width,
    width_given,
    width_taken,
)
from cbablate.models.operators.layout import Layout
from cbablate.models.places import ONCE, PLACES
from cbablate.models.view import View

__all__ = ["Anatomy", "Block", "SurgeryPoint", "anatomy", "blocks_of"]

_WITH_VALUES_LAST = (Attention, AttentionRope, EvaAttention, TalkingHeadAttn, XCA)
_OF_CLASS_TOKEN = (LayerScaleBlockClassAttn, ClassAttentionBlock, ClassBlock)
_OF_MAPS = (nn.Conv2d, nn.BatchNorm2d, nn.GroupNorm, LayerNorm2d)
_MIXING = ("mlp_tokens", "linear_tokens", "conv_dw", "conv2", "mlp_channels")


@dataclass(frozen=True)
class SurgeryPoint:
    """Where an operator meets the model: before or after `module`, and how tokens lie there.

    `thirds` says that only the last third of the channels is meant.
    """

    module: nn.Module
    after: bool
    layout: Layout
    view: View
    thirds: bool = False


@dataclass(frozen=True)
class Block:
    """A block by its name in the model; `points` by place, or a sentence why there is none."""

    name: str
    module: nn.Module
    points: Mapping[str, SurgeryPoint | str]


@dataclass(frozen=True)
class Anatomy:
    """The blocks of a model, first one first, and the places that it has once.

    `beside` are blocks that are left alone, because only the class token goes through their MLP.
    """

    model: nn.Module
    family: Family | None
    blocks: tuple[Block, ...]
    beside: tuple[str, ...]

    def point(self, place: str, index: int) -> SurgeryPoint | str:
        """The point of a place in the block at `index`, or why there is none."""
        if place in ONCE:
            return self.once[place]
        return self.blocks[index].points[place]

    @property
    def once(self) -> Mapping[str, SurgeryPoint | str]:
        """The points of the places that the model has once, or why there is none."""
        return {"embed.end": _embed_end(self), "head.front": _head_front(self)}

    @property
    def places(self) -> tuple[str, ...]:
        """The places that the model has, in some block at least."""
        once = {name for name, point in self.once.items() if isinstance(point, SurgeryPoint)}
        some = {
            name
            for block in self.blocks
            for name, point in block.points.items()
            if isinstance(point, SurgeryPoint)
        }
        return tuple(name for name in PLACES if name in some | once)


def anatomy(model: nn.Module) -> Anatomy:
    """The anatomy of a model, without running it."""
    family = family_of(model)
    blocks = tuple(
        Block(name, block, _points(model, family, name, block)) for name, block in blocks_of(model)
    )
    beside = tuple(
        name for name, module in model.named_modules() if isinstance(module, _OF_CLASS_TOKEN)
    )
    return Anatomy(model, family, blocks, beside)


def blocks_of(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The blocks of a model with their names, first block first."""
    found: list[tuple[str, nn.Module]] = []
    for name, module in model.named_modules():
        if not isinstance(module, nn.Sequential | nn.ModuleList):
            continue
        if any(name.startswith(f"{outer}.") for outer, _ in found):
            continue  # part of a block
        found += [(f"{name}.{key}", each) for key, each in module.named_children() if _block(each)]
    return found


def _block(module: nn.Module) -> bool:
    if isinstance(module, CONVOLUTIONAL):
        return True
    if isinstance(module, _OF_CLASS_TOKEN):
        return False
    attends = hasattr(module, "attn") and hasattr(module, "mlp")
    return attends or isinstance(getattr(module, "mlp_channels", None), nn.Module)


def _points(
    model: nn.Module, family: Family | None, name: str, block: nn.Module
) -> dict[str, SurgeryPoint | str]:
    tokens = family.tokens(model, name, block) if family is not None else Tokens()
    found: dict[str, SurgeryPoint | str] = {}
    for place, point in (
        *_of_mlp(block, tokens),
        *_of_token_mlp(block, tokens),
        *_of_attention(block, tokens),
        *_of_block(block, tokens),
    ):
        found[place] = point
    return found


def _of_mlp(block: Any, tokens: Tokens) -> Iterator[tuple[str, SurgeryPoint | str]]:
    name = "mlp" if hasattr(block, "mlp") else "mlp_channels"
    mlp = getattr(block, name, None)
    if not isinstance(mlp, nn.Module):
        reason = f"{type(block).__name__} has no MLP"
        yield from ((place, reason) for place in ("mlp.front", "mlp.mid", "mlp.end"))
        return
    second: Any = getattr(mlp, "fc2", None)
    view = _view(1 if isinstance(second, nn.Conv2d) else -1, tokens)
    width = width_taken(mlp)
    yield "mlp.front", _point(mlp, False, width, view, tokens)
    if channels_in(second) is None:
        yield "mlp.mid", f"{type(mlp).__name__} has no second layer under the name 'fc2'"
    else:
        yield "mlp.mid", _point(second, False, channels_in(second), view, tokens)
    yield "mlp.end", _point(mlp, True, channels_out(second) or width, view, tokens)


def _of_token_mlp(block: Any, tokens: Tokens) -> Iterator[tuple[str, SurgeryPoint | str]]:
    """Rows lie across there, (B, C, N): channels first."""
    mlp = getattr(block, "mlp_tokens", None) or getattr(block, "linear_tokens", None)
    if not isinstance(mlp, nn.Module):
        reason = f"{type(block).__name__} has no MLP over tokens"
        for place in ("mlp_tokens.front", "mlp_tokens.mid", "mlp_tokens.end"):
            yield place, reason
        return
    width, view = width_taken(block.mlp_channels), View(channels=1)
    yield "mlp_tokens.front", _point(mlp, False, width, view, tokens)
    second = getattr(mlp, "fc2", None)
    if second is None:
        yield "mlp_tokens.mid", f"{type(block).__name__} mixes tokens by one layer, with no middle"
    else:  # mixtures of tokens, which have no place in the image
        yield "mlp_tokens.mid", _point(second, False, width, view, Tokens(prefix=0))
    yield "mlp_tokens.end", _point(mlp, True, width, view, tokens)


def _of_attention(block: Any, tokens: Tokens) -> Iterator[tuple[str, SurgeryPoint | str]]:
    attention = getattr(block, "attn", None)
    names = ("attn.front", "attn.values", "attn.end")
    if not isinstance(attention, nn.Module):
        mixing = next(
            (f" (its tokens are mixed by '{n}')" for n in _MIXING if hasattr(block, n)), ""
        )
        reason = f"{type(block).__name__} has no attention{mixing}"
        yield from ((place, reason) for place in names)
        return
    if isinstance(block, SwinTransformerBlock | SwinTransformerV2Block):
        yield from _around_windows(block, tokens)
        return
    if _in_windows(block, attention):
        reason = (
            f"the attention of {type(block).__name__} is handed windows and not images, and where "
            "they are cut is not known"
        )
        yield from ((place, reason) for place in names)
        return
    view = _view(_stream(block), tokens)
    width = width_taken(attention) or width_taken(block)
    yield "attn.front", _point(attention, False, width, view, tokens)
    yield "attn.values", _values(attention, view, tokens)
    end = channels_out(getattr(attention, "proj", None)) or width
    yield "attn.end", _point(attention, True, end, view, tokens)


def _in_windows(block: nn.Module, attention: nn.Module) -> bool:
    """Whether attention is handed windows; a BEiT's window is its whole image."""
    if isinstance(attention, BeitAttention):
        return False
    return any(getattr(each, "window_size", None) for each in (block, attention))


def _around_windows(block: Any, tokens: Tokens) -> Iterator[tuple[str, SurgeryPoint | str]]:
    """Attention in windows, from outside: before they are cut and after they are joined."""
    view, width = _view(-1, tokens), width_taken(block.attn)
    if isinstance(block, SwinTransformerBlock):
        yield "attn.front", _point(block.norm1, True, width, view, tokens)
        yield "attn.end", _point(block.drop_path1, False, width, view, tokens)
    else:
        yield (
            "attn.front",
            "a Swin v2 has its norm after the attention, so that nothing stands between the "
            "residual stream and the windows: use block.front",
        )
        yield "attn.end", _point(block.norm1, False, width, view, tokens)
    yield (
        "attn.values",
        f"the values of {type(block).__name__} are made inside its windows, where a mean would be "
        "over one window and not over the image: use attn.front or attn.end",
    )


def _values(attention: Any, view: View, tokens: Tokens) -> SurgeryPoint | str:
    """Values that a layer of their own gives, or the last third of what one layer 'qkv' gives."""
    apart = getattr(attention, "v_proj", None)
    if isinstance(attention, EvaAttention) and isinstance(apart, nn.Linear):
        return _point(apart, True, apart.out_features, view, tokens)
    fused = getattr(attention, "qkv", None)
    split = getattr(attention, "q_bias", None) is not None
    if isinstance(attention, _WITH_VALUES_LAST) and isinstance(fused, nn.Linear) and not split:
        layout = _layout(fused.out_features // 3, tokens)
        return SurgeryPoint(fused, True, layout, view, thirds=True)
    return (
        "it needs attention that calls one layer 'qkv' with the values last, as timm's "
        f"{', '.join(kind.__name__ for kind in _WITH_VALUES_LAST)} do where their bias is the "
        f"layer's own, and not {type(attention).__name__}"
    )


def _of_block(block: Any, tokens: Tokens) -> Iterator[tuple[str, SurgeryPoint | str]]:
    view = _view(_stream(block), tokens)
    front = width_taken(block) or width_taken(first_of(block, "attn", "mlp", "mlp_channels"))
    yield "block.front", _point(block, False, front, view, tokens)
    yield "block.end", _point(block, True, width_given(block) or front, view, tokens)


def _embed_end(found: Anatomy) -> SurgeryPoint | str:
    if not found.blocks:
        return "the model has no blocks"
    first = found.blocks[0].points["block.front"]
    stem = found.family.stem if found.family is not None else None
    if stem is None or isinstance(first, str):
        return first
    module = found.model.get_submodule(stem)
    width = last_width(module) or first.layout.dim
    return _point(module, True, width, View(1, sides=True), Tokens(prefix=0, maps=True))


def _head_front(found: Anatomy) -> SurgeryPoint | str:
    family, model = found.family, found.model
    if family is not None and family.no_head:
        return family.no_head
    path = family.last if family is not None else "norm"
    last = getattr(model, path, None)
    if not isinstance(last, nn.Module) or not found.blocks:
        return f"it needs the model's last norm under the name 'norm', which {_called(model)} lacks"
    if family is not None and family.stem is not None:
        dim = last_width(last) or getattr(model, "num_features", None)
        return _point(last, True, dim, View(1, sides=True), family.at_head(model))
    end = found.blocks[-1].points["block.end"]
    if isinstance(end, str):
        return end
    tokens = family.at_head(model) if family is not None else Tokens()
    return _point(last, True, end.layout.dim, _view(end.view.channels, tokens), tokens)


def _point(
    module: nn.Module, after: bool, width: int | None, view: View, tokens: Tokens
) -> SurgeryPoint | str:
    if width is None:
        return f"it needs the number of channels there, and no layer of {_called(module)} tells it"
    return SurgeryPoint(module, after, _layout(width, tokens), view)


def _layout(width: int, tokens: Tokens) -> Layout:
    return Layout(width, tokens.prefix, tokens.grid, tokens.class_token, tokens.maps)


def _view(channels: int, tokens: Tokens) -> View:
    return View(channels, tokens.rows, tokens.maps)


def _called(module: nn.Module) -> str:
    return type(module).__name__


def _stream(block: nn.Module) -> int:
    """The channels' axis of a block's own input: the second where it convolves or norms maps."""
    for child in block.children():
        if isinstance(child, _OF_MAPS):
            return 1
        if isinstance(child, nn.LayerNorm | nn.Linear):
            return -1
    return -1
