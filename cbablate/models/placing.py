"""Placing context operators in a timm model, by surgery on its modules.

An operator becomes a child of its block (`blocks.0.context.mlp_end.0`), or of the model at a place
that it has once (`context.embed_end.0`), so its parameters lie in the state dict and move with the
model; a hook calls it. The model's own modules and names stay as timm made them, so weights load
into and out of the plain model. Where it can stand is told by the model's `anatomy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cbablate.errors import StudyError
from cbablate.models.anatomy import Anatomy, SurgeryPoint, anatomy, blocks_of
from cbablate.models.operators.catalog import operator
from cbablate.models.places import ONCE, PLACES
from cbablate.models.selection import chosen

__all__ = ["operators_of", "place"]


class _On:
    """A hook that hands the tokens of a point to the operators of its place.

    It holds them as an attribute and is not a closure, so that `copy.deepcopy` of a model gives the
    copy's hooks the copy's operators.
    """

    def __init__(self, operators: nn.Sequential, point: SurgeryPoint) -> None:
        self.operators = operators
        self.dim = point.layout.dim
        self.view = point.view

    def _apply(self, x: Tensor) -> Tensor:
        tokens, grid = self.view.tokens(x, self.dim)
        for placed in self.operators:
            gridded = grid is not None and getattr(placed, "gridded", False)
            tokens = placed(tokens, grid) if gridded else placed(tokens)
        return self.view.written(tokens, x)


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


def place(model: nn.Module, context: Sequence[Mapping[str, Any]]) -> nn.Module:
    """The same model, altered: each placement's operator at each of its places, in order.

    Where several meet at one place, the one listed first is applied first.

    Raises:
        StudyError: the model lacks the blocks or the place asked for, or does not say what an
            operator must know of its tokens.
    """
    if not context:
        return model
    found = anatomy(model)
    for placement in context:
        made = operator(placement["operator"])
        name = placement.get("place", "mlp.end")
        if name not in PLACES:
            raise LookupError(f"there is no place '{name}'; there are {', '.join(PLACES)}")
        if not found.blocks:
            raise StudyError(_no_blocks(model))
        options = {key: placement[key] for key in made.names if key in placement}
        for index in _indices(placement, name, len(found.blocks)):
            point = found.point(name, index)
            if isinstance(point, str):
                raise StudyError(_no_place(found, name, index, point))
            keeper = model if name in ONCE else found.blocks[index].module
            _operators_at(keeper, name, point).append(made(point.layout, **options))
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


def _indices(placement: Mapping[str, Any], name: str, depth: int) -> tuple[int, ...]:
    try:
        indices = chosen(placement.get("blocks", "all"), depth)
    except ValueError as error:
        raise StudyError(f"context {placement['operator']} at {name}: {error}") from error
    return (0,) if name in ONCE else indices


def _operators_at(keeper: Any, name: str, point: SurgeryPoint) -> nn.Sequential:
    """The operators of a place, made and hooked up when first asked for."""
    if not hasattr(keeper, "context"):
        keeper.add_module("context", nn.ModuleDict())
    context = keeper.context
    if not isinstance(context, nn.ModuleDict):
        raise StudyError(f"{type(keeper).__name__} has a 'context' of its own")
    key = name.replace(".", "_")
    if key not in context:
        fresh = nn.Sequential()
        if point.thirds:
            point.module.register_forward_hook(_LastThird(fresh, point))
        elif point.after:
            point.module.register_forward_hook(_After(fresh, point))
        else:
            # the end of the embedding is before the front of the first block
            point.module.register_forward_pre_hook(
                _Before(fresh, point), prepend=name == "embed.end"
            )
        context[key] = fresh
    operators = context[key]
    if not isinstance(operators, nn.Sequential):
        raise TypeError(f"context.{key} is {type(operators).__name__}")
    return operators


def _no_place(found: Anatomy, name: str, index: int, reason: str) -> str:
    where = "the model" if name in ONCE else f"block '{found.blocks[index].name}'"
    having = [i for i, one in enumerate(found.blocks) if not isinstance(one.points.get(name), str)]
    if name not in ONCE and having:
        there = f"where it is there, write blocks: {having}"
    else:
        there = f"the places of this model are {', '.join(found.places) or 'none'}"
    return f"there is no place {name} in {where}: {reason}; {there}"


def _no_blocks(model: nn.Module) -> str:
    children = ", ".join(name for name, _ in model.named_children()) or "nothing"
    return (
        f"{type(model).__name__} has no blocks that context can be placed in: looked for a "
        "sequence whose members have 'attn' and 'mlp', or 'mlp_channels', or are blocks of a "
        f"ConvNeXt or a ResNet, and found {children}"
    )
