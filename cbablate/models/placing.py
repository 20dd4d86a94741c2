"""Placing context operators in a timm model, by surgery on its blocks.

An operator becomes a child of its block (`blocks.0.context.mlp_end.0`), so its parameters lie in
the state dict and move with the model; a hook calls it. The model's own modules and names stay
as timm made them, so weights load into and out of the plain model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn

from cbablate.errors import StudyError
from cbablate.models.operators import operator
from cbablate.models.selection import chosen

__all__ = ["PLACES", "Place", "blocks_of", "operators_of", "place"]


@dataclass(frozen=True)
class Place:
    """A point in a block: before or after the submodule at `path`.

    `width` is where the number of channels there is read: a linear layer in the block, and its
    attribute.
    """

    path: str
    after: bool
    width: tuple[str, str]


PLACES: Mapping[str, Place] = MappingProxyType(
    {
        "mlp.front": Place("mlp", False, ("mlp.fc1", "in_features")),
        "mlp.mid": Place("mlp.fc2", False, ("mlp.fc2", "in_features")),
        "mlp.end": Place("mlp", True, ("mlp.fc2", "out_features")),
        "attn.end": Place("attn", True, ("attn.proj", "out_features")),
    }
)
"""Where an operator can stand.

- `mlp.front`: on the MLP's input, after the norm.
- `mlp.mid`: on the hidden activations, after the activation and its dropout, before fc2.
- `mlp.end`: on the MLP's output, after its last dropout; the paper's place.
- `attn.end`: on the attention's output, after its projection and dropout.

All lie inside the residual branch. A mean over tokens and an affine map commute: as far as
dropout between them is 0, `cb` at `mlp.mid` and at `mlp.end` are one function of the weights,
computed with other roundings; so an MLP has two different places for CB, before its activation
and after it, and a comparison of mid with end measures the noise of training.
"""


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
    """The same model, altered: each placement's operator in each of its blocks, in order.

    Where several meet at one place, the one listed first is applied first.

    Raises:
        StudyError: the model lacks the blocks or the place asked for.
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
        for index in indices:
            where, block = found[index]
            operators = _operators_at(where, block, name)
            operators.append(made(_width(where, block, name)))
    return model


def operators_of(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Every placed operator with its name in the model, in the order of the blocks."""
    return [
        (f"{where}.context.{key}.{index}", placed)
        for where, block in blocks_of(model)
        if isinstance(getattr(block, "context", None), nn.ModuleDict)
        for key, operators in block.context.items()  # type: ignore[union-attr,operator]  # checked above
        for index, placed in enumerate(operators)
    ]


def _operators_at(where: str, block: nn.Module, name: str) -> nn.Sequential:
    """The operators of a place, made and hooked up when first asked for."""
    if not hasattr(block, "context"):
        block.add_module("context", nn.ModuleDict())
    context = block.context
    if not isinstance(context, nn.ModuleDict):
        raise StudyError(f"block '{where}' of the model has a 'context' of its own")
    key = name.replace(".", "_")
    if key not in context:
        fresh = nn.Sequential()
        at = _submodule(where, block, PLACES[name].path, name)
        if PLACES[name].after:
            at.register_forward_hook(_After(fresh))
        else:
            at.register_forward_pre_hook(_Before(fresh))
        context[key] = fresh
    operators = context[key]
    if not isinstance(operators, nn.Sequential):
        raise TypeError(f"{where}.context.{key} is {type(operators).__name__}")
    return operators


def _width(where: str, block: nn.Module, name: str) -> int:
    path, attribute = PLACES[name].width
    width = getattr(_submodule(where, block, path, name), attribute, None)
    if not isinstance(width, int):
        raise StudyError(
            f"place {name} needs the width of '{where}.{path}', which is no linear layer"
        )
    return width


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
