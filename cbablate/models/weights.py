"""Weights that a model starts from: a checkpoint of one's own, or what timm offers for download.

Whatever their source they are read as plain tensors (`weights_only`, or safetensors), put into
timm's present form, and must then fit every parameter but the head's. A head of another number of
classes is left as it was drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from timm.models import adapt_input_conv, load_state_dict_from_hf
from torch import Tensor, nn

from cbablate.errors import EnvironmentFault, StudyError, in_a_line, library_errors
from cbablate.models.checkpoint_file import content

__all__ = ["load", "report"]

State = dict[str, Tensor]
_WRAPPINGS = ("state_dict_ema", "model_ema", "state_dict", "model")
"""Where training scripts keep the weights in a file; timm looks in this order too."""
_FEW = 5


def load(model: nn.Module, keys: Mapping[str, Any]) -> None:
    """Load into a model what a config's `model` says that it starts from; nothing if it does not.

    Raises:
        EnvironmentFault: timm's weights cannot be fetched, or the file has gone or changed.
        StudyError: they are not this model's.
    """
    checkpoint, name = keys.get("checkpoint"), keys["name"]
    if checkpoint is not None:
        state, source = _read(checkpoint), f"'{checkpoint['path']}'"
    elif keys.get("pretrained"):
        state, source = _fetched(model, name), f"timm's weights of '{name}'"
    else:
        return
    fitted = _in_present_form(model, state, source)
    offered = set(fitted)
    fresh = _put_in(model, fitted, source)
    told = f"{len(fitted)} of the model's {len(model.state_dict())} tensors from {source}"
    for names, what in (
        (fresh, "left as drawn"),
        (sorted(offered - set(fitted)), "not used of it"),
    ):
        if names:
            more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
            told += f"; {what}: {', '.join(names[:_FEW])}{more}"
    model.weights_loaded = told  # type: ignore[assignment]  # a plain attribute, read by `report`


def report(model: nn.Module) -> str:
    """What was loaded into a model, what it lacked and what was not used of it, in a clause; empty
    where the model starts from fresh weights."""
    return str(getattr(model, "weights_loaded", ""))


def _read(checkpoint: Mapping[str, str]) -> State:
    path = checkpoint["path"]
    try:
        found = content(path)
    except ValueError as error:
        raise EnvironmentFault(str(error)) from None
    if found != checkpoint["sha256"]:
        raise EnvironmentFault(
            f"checkpoint '{path}' has content {found}, but the study was planned with "
            f"{checkpoint['sha256']}: bring the file back, or plan again"
        )
    with library_errors(
        f"checkpoint '{path}' is damaged or holds more than tensors, and code in a file is never "
        "run",
        hint="write its state dict anew with torch.save or safetensors",
    ):
        if Path(path).suffix == ".safetensors":
            return dict(load_file(path))
        held = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(held, Mapping):
        held = next((held[key] for key in _WRAPPINGS if isinstance(held.get(key), Mapping)), held)
        state = {str(name).removeprefix("module."): each for name, each in held.items()}
        if state and all(isinstance(each, Tensor) for each in state.values()):
            return state
    raise StudyError(
        f"checkpoint '{path}' holds no state dict: a mapping of names to tensors is needed, at its "
        f"top or under one of {', '.join(_WRAPPINGS)}"
    )


def _fetched(model: Any, name: str) -> State:
    """timm's own weights, from this machine's cache or the network."""
    offered = dict(getattr(model, "pretrained_cfg", None) or {})
    hub, url = offered.get("hf_hub_id"), offered.get("url")
    if not hub and not url:
        raise StudyError(f"timm offers no weights of '{name}': leave out model.pretrained")
    try:
        if hub:
            file = offered.get("hf_hub_filename")
            return dict(load_state_dict_from_hf(hub, *([file] if file else []), weights_only=True))
        held = torch.hub.load_state_dict_from_url(str(url), map_location="cpu", weights_only=True)
        return dict(held.get("model", held))
    except Exception as error:
        raise EnvironmentFault(
            f"the weights of '{name}' cannot be fetched from {hub or url}: "
            f"{type(error).__name__}: {in_a_line(error)}. Without network, "
            "give a file of them by model.checkpoint"
        ) from error


def _in_present_form(model: Any, state: State, source: str) -> State:
    """The weights under timm's present names, positions and input channels made to fit."""
    renamed = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    with library_errors(f"{source} cannot be put into the form of {type(model).__name__}"):
        state = dict(renamed(state, model)) if renamed is not None else state
        first = (getattr(model, "pretrained_cfg", None) or {}).get("first_conv")
        for name in [first] if isinstance(first, str) else first or ():
            weight = state.get(f"{name}.weight")
            wanted = model.get_submodule(name).weight
            if weight is not None and weight.ndim == 4 and weight.shape[1] != wanted.shape[1]:
                state[f"{name}.weight"] = adapt_input_conv(wanted.shape[1], weight)
    return state


def _put_in(model: Any, state: State, source: str) -> list[str]:
    """Load all that there is, and return the names of the head's that there is not."""
    wanted = model.state_dict()
    heads = (getattr(model, "pretrained_cfg", None) or {}).get("classifier") or ()
    heads = (heads,) if isinstance(heads, str) else tuple(heads)

    def of_head(name: str) -> bool:
        return any(name.startswith(f"{head}.") for head in heads)

    foreign = {n for n, t in wanted.items() if n not in state or state[n].shape != t.shape}
    amiss = sorted(name for name in foreign if not of_head(name))
    unknown = sorted(name for name in state if name not in wanted and not of_head(name))
    if amiss or unknown:
        told = [
            f"{len(names)} {what} ({', '.join(_described(n, state, wanted) for n in names[:_FEW])}"
            f"{', ...' if len(names) > _FEW else ''})"
            for names, what in (
                (amiss, "lacking or of another shape"),
                (unknown, "not the model's"),
            )
            if names
        ]
        raise StudyError(
            f"{source} is not a checkpoint of this {type(model).__name__}: of its tensors, "
            f"{' and '.join(told)}; only the head ({', '.join(heads) or 'none'}) may differ"
        )
    fresh = {name for name in wanted if of_head(name)}
    if not any(name in foreign for name in fresh):
        fresh = set()
    for name in [each for each in state if each not in wanted or each in fresh]:
        del state[name]
    model.load_state_dict(state, strict=False)
    return sorted(fresh)


def _described(name: str, state: State, wanted: Mapping[str, Tensor]) -> str:
    if name in state and name in wanted:
        return f"{name} {tuple(state[name].shape)} for {tuple(wanted[name].shape)}"
    return name
