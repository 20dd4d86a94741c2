"""Placing context operators in a timm model, by surgery on its modules.

An operator becomes a child of its block (`blocks.0.context.mlp_end.0`), or of the model at a place
that it has once (`context.embed_end.0`), so its parameters lie in the state dict and move with the
model; a hook calls it. The model's own modules and names stay as timm made them, so weights load
into and out of the plain model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from timm.layers import Attention, AttentionRope
from timm.models.beit import Beit
from timm.models.eva import Eva, EvaAttention
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from cbablate.errors import StudyError
from cbablate.models.layout import Layout
from cbablate.models.operators import operator
from cbablate.models.options import ONCE, OPTIONS
from cbablate.models.selection import chosen

__all__ = ["PLACES", "Place", "blocks_of", "operators_of", "place"]


@dataclass(frozen=True)
class Place:
    """A point in a block: before or after the submodule at `path`, the block itself where empty.

    `width` is where the number of channels there is read: a linear layer in the block, and its
    attribute. `thirds` says that only the last third of the channels is meant.
    """

    path: str
    after: bool
    width: tuple[str, str]
    thirds: bool = False


PLACES: Mapping[str, Place] = MappingProxyType(
    {
        "mlp.front": Place("mlp", False, ("mlp.fc1", "in_features")),
        "mlp.mid": Place("mlp.fc2", False, ("mlp.fc2", "in_features")),
        "mlp.end": Place("mlp", True, ("mlp.fc2", "out_features")),
        "attn.front": Place("attn", False, ("mlp.fc1", "in_features")),
        "attn.values": Place("attn.qkv", True, ("attn.qkv", "out_features"), thirds=True),
        "attn.end": Place("attn", True, ("attn.proj", "out_features")),
        "block.front": Place("", False, ("mlp.fc1", "in_features")),
        "block.end": Place("", True, ("mlp.fc2", "out_features")),
        "embed.end": Place("", False, ("mlp.fc1", "in_features")),
        "head.front": Place("norm", True, ("mlp.fc2", "out_features")),
    }
)
"""Where an operator can stand.

- `mlp.front`: on the MLP's input, after the norm.
- `mlp.mid`: on the hidden activations, after the activation and its dropout, before fc2.
- `mlp.end`: on the MLP's output, after its last dropout; the paper's place.
- `attn.front`: on the attention's input, after the norm; queries, keys and values see it.
- `attn.values`: on the values, all heads side by side, before attention sums them.
- `attn.end`: on the attention's output, after its projection and dropout.
- `block.front`, `block.end`: on the residual stream, before and after the block.
- `embed.end`: once, on what the first block is handed: patches with their positions, class token.
- `head.front`: once, on the output of the model's last `norm`, before the head pools it.

Those of `mlp` and `attn` lie inside the residual branch. A mean over tokens and an affine map
commute: as far as dropout between them is 0, `cb` at `mlp.mid` and at `mlp.end` are one function
of the weights, computed with other roundings; so an MLP has two different places for CB, before
its activation and after it, and a comparison of mid with end measures the noise of training. For
the same reason `cb` on the values and after attention are close kin, and `cb` at `head.front`
does nothing where the head pools all tokens by their mean: that arm is then told to be idle.
"""

_WITH_VALUES_LAST = (Attention, AttentionRope, EvaAttention)
_WITH_PREFIX_FIRST = (VisionTransformer, Beit, Eva)


class _On:
    """A hook that hands tokens to the operators of one place.

    It holds them as an attribute and is no closure, so that `copy.deepcopy` of a model gives the
    copy's hooks the copy's operators.
    """

    def __init__(self, operators: nn.Sequential) -> None:
        self.operators = operators

    def _apply(self, tokens: Any) -> Tensor:
        if not isinstance(tokens, Tensor) or tokens.ndim != 3:
            found = tuple(tokens.shape) if isinstance(tokens, Tensor) else type(tokens).__name__
            raise StudyError(
                "a context operator takes tokens of shape (batch, tokens, channels), but this "
                f"place of the model gives it {found}; choose another place or another model"
            )
        mixed: Tensor = self.operators(tokens)
        return mixed


class _Before(_On):
    def __call__(self, _module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._apply(args[0]), *args[1:])


class _After(_On):
    def __call__(self, _module: nn.Module, _args: tuple[Any, ...], output: Any) -> Tensor:
        return self._apply(output)


class _LastThird(_On):
    def __call__(self, _module: nn.Module, _args: tuple[Any, ...], output: Tensor) -> Tensor:
        start = output.shape[-1] // 3 * 2
        values = self._apply(output[..., start:])
        return torch.cat((output[..., :start], values.to(output.dtype)), dim=-1)


def blocks_of(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The transformer blocks of a model with their names, first block first.

    They are the members of every sequence named `blocks` (a ViT has one, a PiT one a stage) that
    have both `attn` and `mlp`.
    """
    return [
        (f"{name}.{index}", block)
        for name, module in model.named_modules()
        if name.rpartition(".")[2] == "blocks" and isinstance(module, nn.Sequential | nn.ModuleList)
        for index, block in enumerate(module)
        if hasattr(block, "attn") and hasattr(block, "mlp")
    ]


def place(model: nn.Module, context: Sequence[Mapping[str, Any]]) -> nn.Module:
    """The same model, altered: each placement's operator at each of its places, in order.

    Where several meet at one place, the one listed first is applied first.

    Raises:
        StudyError: the model lacks the blocks or the place asked for, or does not say what an
            operator must know of its tokens.
    """
    found = blocks_of(model)
    for placement in context:
        made = operator(placement["operator"])
        name = placement.get("place", "mlp.end")
        if name not in PLACES:
            raise LookupError(f"'{name}' is no place; there are {', '.join(PLACES)}")
        if not found:
            raise StudyError(_no_blocks(model))
        try:
            indices = chosen(placement.get("blocks", "all"), len(found))
        except ValueError as error:
            raise StudyError(f"context {placement['operator']} at {name}: {error}") from error
        options = {key: placement[key] for key in OPTIONS if key in placement}
        if name in ONCE:
            indices = (0,) if name == "embed.end" else (len(found) - 1,)
        for index in indices:
            where, block = found[index]
            operators = _operators_at(_Host.of(model, where, block, name), name)
            operators.append(made(_layout(model, found, index, name), **options))
    return model


def operators_of(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Every placed operator with its name in the model: those of blocks first, in their order."""
    hosts = [(f"{where}.", block) for where, block in blocks_of(model)]
    return [
        (f"{where}context.{key}.{index}", placed)
        for where, host in [*hosts, ("", model)]
        if isinstance(getattr(host, "context", None), nn.ModuleDict)
        for key, operators in host.context.items()  # type: ignore[union-attr,operator]  # checked above
        for index, placed in enumerate(operators)
    ]


@dataclass(frozen=True)
class _Host:
    """Which module keeps the operators of a place, and which one's calls they meet."""

    name: str
    keeper: nn.Module
    called: nn.Module

    @classmethod
    def of(cls, model: nn.Module, where: str, block: nn.Module, name: str) -> _Host:
        if name == "embed.end":
            return cls("the model", model, block)
        if name == "head.front":
            norm = getattr(model, PLACES[name].path, None)
            if not isinstance(norm, nn.Module):
                raise StudyError(
                    f"place {name} needs the model's last norm under the name 'norm', but "
                    f"{type(model).__name__} has none"
                )
            return cls("the model", model, norm)
        if PLACES[name].thirds:
            _refuse_other_attention(where, block, name)
        return cls(f"block '{where}'", block, _submodule(where, block, PLACES[name].path, name))


def _operators_at(host: _Host, name: str) -> nn.Sequential:
    """The operators of a place, made and hooked up when first asked for."""
    keeper = host.keeper
    if not hasattr(keeper, "context"):
        keeper.add_module("context", nn.ModuleDict())
    context = keeper.context
    if not isinstance(context, nn.ModuleDict):
        raise StudyError(f"{host.name} has a 'context' of its own")
    key = name.replace(".", "_")
    if key not in context:
        fresh = nn.Sequential()
        if PLACES[name].thirds:
            host.called.register_forward_hook(_LastThird(fresh))
        elif PLACES[name].after:
            host.called.register_forward_hook(_After(fresh))
        else:
            # the end of the embedding is before the front of the first block
            host.called.register_forward_pre_hook(_Before(fresh), prepend=name == "embed.end")
        context[key] = fresh
    operators = context[key]
    if not isinstance(operators, nn.Sequential):
        raise TypeError(f"context.{key} of {host.name} is {type(operators).__name__}")
    return operators


def _layout(
    model: nn.Module, found: Sequence[tuple[str, nn.Module]], index: int, name: str
) -> Layout:
    """The tokens at a place of a block; of their order only what is sure is said."""
    where, block = found[index]
    width = _width(where, block, name)
    if not isinstance(model, _WITH_PREFIX_FIRST):
        inside = name.startswith("attn.") and hasattr(block, "window_size")
        return Layout(width, prefix=None, windows=inside)
    grid = getattr(getattr(model, "patch_embed", None), "grid_size", None)
    return Layout(
        width,
        prefix=model.num_prefix_tokens,
        grid=None if grid is None else (int(grid[0]), int(grid[1])),
        class_token=getattr(model, "cls_token", None) is not None,
    )


def _width(where: str, block: nn.Module, name: str) -> int:
    path, attribute = PLACES[name].width
    width = getattr(_submodule(where, block, path, name), attribute, None)
    if not isinstance(width, int):
        raise StudyError(
            f"place {name} needs the width of '{where}.{path}', which is no linear layer"
        )
    return width // 3 if PLACES[name].thirds else width


def _refuse_other_attention(where: str, block: nn.Module, name: str) -> None:
    """Refuse attention whose values are not the last third of what one layer `qkv` gives."""
    attention = block.attn
    whole = isinstance(getattr(attention, "qkv", None), nn.Linear)
    split = getattr(attention, "q_bias", None) is not None
    if not isinstance(attention, _WITH_VALUES_LAST) or not whole or split:
        raise StudyError(
            f"place {name} needs attention that calls one layer 'qkv' with the values last, as "
            f"timm's {', '.join(kind.__name__ for kind in _WITH_VALUES_LAST)} do where their bias "
            f"is the layer's own; '{where}.attn' of the model is {type(attention).__name__}"
        )


def _submodule(where: str, block: nn.Module, path: str, name: str) -> nn.Module:
    try:
        return block.get_submodule(path)
    except AttributeError:
        there = sorted(
            child for child, _ in block.named_modules() if child and child.count(".") < 2
        )
        raise StudyError(
            f"place {name} needs '{path}' in every block, but '{where}' of the model has none "
            f"(it has {', '.join(there)})"
        ) from None


def _no_blocks(model: nn.Module) -> str:
    children = ", ".join(name for name, _ in model.named_children()) or "nothing"
    return (
        f"{type(model).__name__} has no transformer blocks to place context in: looked for a "
        f"sequence named 'blocks' whose members have 'attn' and 'mlp', and found {children}"
    )
