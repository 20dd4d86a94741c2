"""Which GPUs a process that runs trials sees, and whether they can be used."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from cbablate.errors import EnvironmentFault

__all__ = ["confine", "unused_gpus"]

_VISIBLE = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")


def confine(gpus: float) -> None:
    """Let this process, a worker, use a GPU if it has reserved one, and see none if it has not.

    Raises:
        EnvironmentFault: it has reserved one, and torch cannot use it.
    """
    if not gpus:
        for name in _VISIBLE:
            os.environ[name] = ""
        return
    why = _unusable()
    if why:
        raise EnvironmentFault(
            f"a trial has reserved {gpus:g} GPU on {socket.gethostname()}, and torch cannot use "
            f"it: {why}. Install a torch that fits the driver, or train on the CPU with "
            "--gpus-per-trial 0."
        )


def unused_gpus(listed: Sequence[str]) -> str:
    """A sentence about GPUs of this machine (their names) that torch cannot use; empty if there
    are none.
    """
    why = _unusable() if listed else ""
    if not why:
        return ""
    return (
        f"This machine has {', '.join(listed)}, and torch cannot use a GPU here: {why}. "
        "Trials train on the CPU."
    )


def _unusable() -> str:
    """Why torch cannot use a GPU in this process; empty if it can."""
    try:
        import torch
    except ImportError as error:
        return f"torch cannot be imported ({error})"
    if not torch.accelerator.is_available():
        built = torch.version.cuda or torch.version.hip
        return (
            f"torch {torch.__version__} finds no device"
            + ("" if built else ", and is built for CPUs only")
            + f" ({_seen()})"
        )
    try:
        torch.empty(1, device=torch.accelerator.current_accelerator())
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return ""


def _seen() -> str:
    found = os.environ.get(_VISIBLE[0])
    return f"{_VISIBLE[0]} is {'not set' if found is None else repr(found)}"
