"""A training's state in a file: plain tensors and numbers, and whose they are."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

__all__ = ["Unusable", "read_state", "write_state"]

_FILE = "state.pt"
_DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.PickleError)
"""What torch raises of a file that is not a whole one of its own."""


class Unusable(Exception):
    """A state that a training cannot go on from, with the reason as a sentence's end."""


def write_state(folder: Path, state: Mapping[str, Any], *, about: Mapping[str, Any]) -> None:
    """Write a state into a folder, with words and numbers about whose it is."""
    torch.save({"about": dict(about), "state": dict(state)}, folder / _FILE)


def read_state(folder: Path, *, about: Mapping[str, Any]) -> dict[str, Any]:
    """The state in a folder, on the CPU, if it is about the same as what is given.

    Only tensors, numbers, words and containers of them are read; a file with anything else in it
    is not opened another way.

    Raises:
        Unusable: it is damaged, or about something else.
    """
    try:
        held = torch.load(folder / _FILE, map_location="cpu", weights_only=True)
        found, state = dict(held["about"]), dict(held["state"])
    except _DAMAGE as error:
        first = str(error).strip().partition("\n")[0][:200]
        raise Unusable(f"it cannot be read ({type(error).__name__}: {first})") from error
    for key, wanted in about.items():
        if found.get(key) != wanted:
            raise Unusable(f"it is of another {key}: {found.get(key)!r}, not {wanted!r}")
    return state
