"""What a model of timm is, told without weights: blocks, tokens, places, parameters, FLOPs.

Models are made on torch's meta device, where tensors have shapes and no numbers, and run there
once, so that even the largest takes a second and no memory. The run also tells whether the places
that the anatomy claims hand over the tokens that it says.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import timm
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cbablate.errors import StudyError, library_errors
from cbablate.models.anatomy import Anatomy, SurgeryPoint, anatomy
from cbablate.models.places import ONCE, PLACES

__all__ = ["KNOWN", "Portrait", "names_like", "portrait"]

KNOWN = (
    "vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224",
    "vit_large_patch16_224",
    "deit_tiny_patch16_224", "deit_small_patch16_224", "deit_base_patch16_224",
    "deit_tiny_distilled_patch16_224", "deit3_small_patch16_224", "vit_small_patch14_reg4_dinov2",
    "beit_base_patch16_224", "eva02_tiny_patch14_224", "vit_small_patch16_dinov3",
    "cait_xxs24_224", "cait_s24_224", "xcit_nano_12_p8_224", "xcit_small_12_p16_224",
    "pit_ti_224", "pit_xs_224", "pit_s_224", "pit_b_224",
    "swin_tiny_patch4_window7_224", "swin_small_patch4_window7_224", "swinv2_tiny_window8_256",
    "mixer_s32_224", "mixer_b16_224", "resmlp_12_224", "gmlp_ti16_224", "gmlp_s16_224",
    "mobilevit_xxs", "mobilevit_s", "mobilevitv2_100",
    "convnext_atto", "convnext_tiny", "resnet18", "resnet50",
)  # fmt: skip
"""One or a few of every family, in the families' order."""
_MOST = 60
_NEVER = "the model has the module, but does not call it"
_ONCE = 0
"""The index under which a place stands that a model has once."""


@dataclass(frozen=True)
class Portrait:
    """A model at timm's default size.

    `flops` are of one image, forward, multiplications and additions counted apart; attention
    counted, element by element operations not. `tokens` and `widths` are what each block is
    handed, of one image; None where that is unknown. Every place is in one of two: `places` are
    those of the model or of all its blocks, where an operator can be placed as it is, and `absent`
    says why not, by place. Where only some blocks lack it, `partial` has the indices of those
    that do not.
    """

    name: str
    family: str
    over: str
    size: tuple[int, ...]
    parameters: int
    flops: int
    blocks: Mapping[str, str]
    """Names of blocks with their class, first block first."""
    tokens: tuple[int | None, ...]
    widths: tuple[int | None, ...]
    beside: tuple[str, ...]
    places: tuple[str, ...]
    absent: Mapping[str, str]
    partial: Mapping[str, tuple[int, ...]]


def names_like(pattern: str | None) -> tuple[str, ...]:
    """The models that a pattern with * means; the known ones without it.

    Raises:
        StudyError: there are none, or too many to list.
    """
    if pattern is None:
        return KNOWN
    found = tuple(timm.list_models(pattern))
    if not found:
        close = difflib.get_close_matches(pattern, timm.list_models(), n=3, cutoff=0.5)
        hint = f"close to it are {', '.join(close)}" if close else "* stands for any letters"
        raise StudyError(f"timm {timm.__version__} has no model '{pattern}'; {hint}")
    if len(found) > _MOST:
        known = fnmatch.filter(KNOWN, pattern)
        raise StudyError(
            f"'{pattern}' means {len(found)} models of timm, and at most {_MOST} are listed: say "
            f"more of the name{f' ({known[0]} is one)' if known else ''}"
        )
    return found


def portrait(name: str) -> Portrait:
    """The portrait of a model of timm, by its name.

    Raises:
        StudyError: it cannot be made or run without numbers.
    """
    with library_errors(f"'{name}' cannot be made or run without numbers"):
        with torch.device("meta"):
            model = timm.create_model(name, pretrained=False).eval().requires_grad_(False)
        size = tuple(int(side) for side in model.pretrained_cfg["input_size"])
        found = anatomy(model)
        seen = _Seen(found)
        with torch.no_grad(), FlopCounterMode(display=False) as counter, seen:
            model(torch.empty(1, *size, device="meta"))
    lacking = {place: _lacking(found, seen, place) for place in PLACES}
    every = range(len(found.blocks))
    return Portrait(
        name=name,
        family=found.family.name if found.family is not None else "",
        over=found.family.over if found.family is not None else "",
        size=size,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        flops=int(counter.get_total_flops()),
        blocks={block.name: type(block.module).__name__ for block in found.blocks},
        tokens=tuple(seen.tokens.get(index) for index in every),
        widths=tuple(_width(block.points["block.front"]) for block in found.blocks),
        beside=found.beside,
        places=tuple(place for place, reasons in lacking.items() if not reasons),
        absent={place: min(reasons.items())[1] for place, reasons in lacking.items() if reasons},
        partial={
            place: tuple(index for index in every if index not in reasons)
            for place, reasons in lacking.items()
            if place not in ONCE and 0 < len(reasons) < len(every)
        },
    )


class _Seen:
    """What the points of an anatomy hand over while the model runs."""

    def __init__(self, found: Anatomy) -> None:
        self.tokens: dict[int, int] = {}
        self.refused: dict[tuple[str, int], str] = {}
        self.called: set[tuple[str, int]] = set()
        self._found = found
        self._handles: list[Any] = []

    def __enter__(self) -> _Seen:
        for index, block in enumerate(self._found.blocks):
            for place, point in block.points.items():
                self._listen(place, point, index)
        for place, point in self._found.once.items():
            self._listen(place, point, _ONCE)
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _listen(self, place: str, point: SurgeryPoint | str, index: int) -> None:
        if isinstance(point, str):
            return

        def after(_module: nn.Module, _args: Any, output: Any) -> None:
            self._told(place, point, index, output)

        def before(_module: nn.Module, args: Any) -> None:
            self._told(place, point, index, args[0] if args else None)

        if point.after:
            self._handles.append(point.module.register_forward_hook(after))
        else:
            self._handles.append(point.module.register_forward_pre_hook(before))

    def _told(self, place: str, point: SurgeryPoint, index: int, x: Any) -> None:
        self.called.add((place, index))
        start = x.shape[-1] // 3 * 2 if point.thirds else 0
        try:
            tokens, _ = point.view.tokens(x[..., start:] if start else x, point.layout.dim)
        except StudyError as error:
            self.refused.setdefault((place, index), str(error))
            return
        if place == "block.front":
            self.tokens[index] = tokens.shape[1]


def _width(point: SurgeryPoint | str) -> int | None:
    return point.layout.dim if isinstance(point, SurgeryPoint) else None


def _lacking(found: Anatomy, seen: _Seen, place: str) -> dict[int, str]:
    """Why a place is not there, by the indices of blocks that lack it."""
    if not found.blocks:
        return {_ONCE: "the model has no blocks"}
    indices = [_ONCE] if place in ONCE else range(len(found.blocks))
    reasons: dict[int, str] = {}
    for index in indices:
        point, key = found.point(place, index), (place, index)
        if isinstance(point, str):
            reasons[index] = point
        elif key in seen.refused:
            reasons[index] = seen.refused[key]
        elif key not in seen.called:
            reasons[index] = _NEVER
    return reasons
