"""Attention as a network computes it: what each layer hands to the fused kernel.

Queries, keys and bias are taken where `scaled_dot_product_attention` is called, so whatever a
model does before (norms of queries and keys, rotations, windows, relative positions) is in them,
and the kernel's own output goes on unchanged: a network that is read computes the same bits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from cbablate.probes.probe import Absent

__all__ = ["Attended", "Layer", "Told", "layers_of", "listening", "tiles"]

_CACHED = 1 << 18
"""Scores held at once on a CPU, 1 MiB in float32: what its cache holds."""
_HELD = 1 << 24
"""Scores held at once on another device, 64 MiB."""
_ATTENTION = re.compile(r"Att(entio)?n|^XCA$")
_CHANNELS = re.compile(r"^XCA$|Channel")
_POOLING = re.compile(r"^AttentionPool|^AttnPool|^RotAttentionPool|^AttentionalPool")


@dataclass(frozen=True)
class Attended:
    """One call: queries (B, heads, N, d) and keys (B, heads, M, d), and what scales the scores.

    `bias` is added to the scores; None where nothing is. `value` (B, heads, M, e) is there for
    who computes the output as well.
    """

    query: Tensor
    key: Tensor
    scale: float
    bias: Tensor | None = None
    value: Tensor | None = None


Told = Callable[[int, Attended], Tensor | None]


@dataclass(frozen=True)
class Layer:
    """A layer of attention: its heads, how many rows each has, and over how many keys."""

    heads: int
    rows: int
    keys: int


def layers_of(model: nn.Module, images: Tensor) -> tuple[Layer, ...] | Absent:
    """The layers of attention between tokens that run on `images`, in the order they run.

    Absent where there are none, or where one is not a softmax over tokens that torch's fused
    kernel computes: a mean over the rest would not be one over the model. A module that calls the
    kernel more than once combines several softmaxes into one map (differential attention), which
    is another map than any of them. Pooling by attention is not a layer: its rows are not tokens.
    """
    found: list[Layer] = []
    odd: list[str] = []

    def told(_index: int, call: Attended) -> None:
        found.append(Layer(call.query.shape[1], call.query.shape[2], call.key.shape[2]))

    with torch.inference_mode(), listening(model, told, odd):
        model(images)
    if odd:
        kinds = ", ".join(sorted(set(odd)))
        return Absent(
            f"the model has attention ({kinds}) that is not one softmax over tokens in torch's "
            "fused kernel, so its rows cannot be read"
        )
    if not found:
        return Absent("the model has no attention between tokens")
    return tuple(found)


@contextmanager
def listening(model: nn.Module, told: Told, odd: list[str] | None = None) -> Iterator[None]:
    """Tell every layer's queries and keys, in float32, whenever the model runs.

    Layers are counted from 0 in the order they run, anew in each pass. Where `told` returns the
    output of attention, it stands for the kernel's; else the kernel computes it. The kinds of
    attention that computed something else go to `odd`. Autocast is off, also inside somebody's
    autocast: a network has one set of maps, those of float32. All is as it was afterwards.
    """
    watch = _Watch(told, odd if odd is not None else [])
    slow = [m for m in model.modules() if getattr(m, "fused_attn", None) is False]
    handles = [*watch.hooks(model)]
    try:
        for module in slow:
            _set_fused(module, True)
        with watch, torch.autocast(_device(model), enabled=False):
            yield
    finally:
        for module in slow:
            _set_fused(module, False)
        for handle in handles:
            handle.remove()


def tiles(call: Attended) -> Iterator[tuple[slice, slice, Tensor]]:
    """The scores in tiles (b, heads, rows, M), each after the images and the rows it holds.

    A tile fits the cache: of whole images where several fit, else of some rows of one. Memory
    grows with M, not with N times M.
    """
    images, heads, rows, _ = call.query.shape
    keys = call.key.transpose(-2, -1)
    width = heads * call.key.shape[-2]
    most = _CACHED if call.query.device.type == "cpu" else _HELD
    across = max(1, most // (width * rows))
    down = rows if width * rows <= most else max(1, most // width)
    for first in range(0, images, across):
        some = slice(first, min(first + across, images))
        for top in range(0, rows, down):
            part = slice(top, min(top + down, rows))
            scores = (call.query[some, :, part] * call.scale) @ keys[some]
            if call.bias is not None:
                scores += _bias(call.bias, some, part)
            yield some, part, scores


def _bias(bias: Tensor, images: slice, rows: slice) -> Tensor:
    """The part of a bias, which may lack dimensions or have 1 in them, that a tile needs."""
    part = bias if bias.ndim < 2 or bias.shape[-2] == 1 else bias[..., rows, :]
    return part if part.ndim < 4 or part.shape[0] == 1 else part[images]


def _device(model: nn.Module) -> str:
    return next((tensor.device.type for tensor in model.parameters()), "cpu")


def _set_fused(module: nn.Module, fused: bool) -> None:
    module.fused_attn = fused  # type: ignore[assignment]  # a flag of timm's, not a submodule


@dataclass
class _Entered:
    """A module that is running: its class, whether it looks like attention, whether a kernel's
    call in it could be read, and how many such calls were its own, not those of a module in it."""

    kind: str
    attention: bool
    served: bool = False
    calls: int = 0


class _Watch(TorchFunctionMode):
    """Sees the calls of the fused kernel, and in which modules they are made."""

    def __init__(self, told: Told, odd: list[str]) -> None:
        super().__init__()
        self._told = told
        self._odd = odd
        self._inside: list[_Entered] = []
        self._count = 0

    def hooks(self, model: nn.Module) -> Iterable[Any]:
        """Hooks on the model and on all its modules."""
        attention = {
            module
            for name, module in model.named_modules()
            # blocks are called after what they hold; they serve if it does
            if (name.rpartition(".")[2] == "attn" and not isinstance(module, nn.Identity))
            or (name and _ATTENTION.search(type(module).__name__))
        }

        def enter(module: nn.Module, _args: Any) -> None:
            if module is model:
                self._count = 0
                self._inside = []
            self._inside.append(_Entered(type(module).__name__, module in attention))

        def leave(module: nn.Module, _args: Any, _output: Any) -> None:
            left = self._inside.pop()
            unread = left.attention and not left.served and not _POOLING.search(left.kind)
            if unread or left.calls > 1:
                self._odd.append(left.kind)

        for module in model.modules():
            yield module.register_forward_pre_hook(enter, prepend=True)
            yield module.register_forward_hook(leave)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is scaled_dot_product_attention:
            output = self._see(*args, **kwargs)
            if output is not None:
                return output
        return func(*args, **kwargs)

    def _see(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor | None:
        kinds = [entered.kind for entered in self._inside if entered.attention]
        if any(_POOLING.search(kind) for kind in kinds):
            return None
        if any(_CHANNELS.search(kind) for kind in kinds):
            return None  # rows are channels
        if query.ndim != 4 or key.shape[1] != query.shape[1] or is_causal or enable_gqa:
            self._odd.append(self._inside[-1].kind if self._inside else "attention")
            return None
        for entered in self._inside:
            entered.served = True
        if self._inside:
            self._inside[-1].calls += 1
        bias = attn_mask
        if bias is not None and bias.dtype == torch.bool:
            bias = torch.zeros_like(bias, dtype=torch.float32).masked_fill_(~bias, -torch.inf)
        index, self._count = self._count, self._count + 1
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        bias = None if bias is None else bias.float()
        return self._told(index, Attended(query.float(), key.float(), scale, bias, value))
