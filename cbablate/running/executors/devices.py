"""Which GPUs a process that runs trials sees, and whether they can be used."""

from __future__ import annotations

import os
import socket
from collections import Counter

from cbablate.errors import EnvironmentFault, in_a_line
from cbablate.running.executors.worker import output_of

__all__ = ["confine", "unused_gpus", "visible_gpus"]

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
            f"a trial has reserved {gpus:g} GPU on {socket.gethostname()}, but {why}. Install a "
            "torch that fits the GPU's driver, or train on the CPU with --gpus-per-trial 0."
        )


def unused_gpus(why: str | None = None) -> str:
    """A sentence about GPUs of this machine that trials do not use; empty if there are none.

    `why` is the cause, if it is known; None asks whether torch can use them in this process.
    """
    listed = _listed()
    if not listed:
        return ""
    cause = _unusable() if why is None else why
    return f"This machine has {listed}, but {cause}: trials train on the CPU." if cause else ""


def visible_gpus() -> int:
    """How many GPUs a program that is started here may see: those that the driver's own tool
    lists, and without it those that torch finds.
    """
    listed = len(_names())
    if not listed:
        if _unusable():
            return 0
        import torch

        return int(torch.accelerator.device_count())
    visible = os.environ.get(_VISIBLE[0])
    if visible is None:
        return listed
    return min(listed, sum(one.strip() not in ("", "-1") for one in visible.split(",")))


def _listed() -> str:
    """The GPUs that the driver's own tool names, with how many there are of each."""
    return ", ".join(f"{count} x {name}" for name, count in Counter(_names()).items())


def _names() -> list[str]:
    said = output_of(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    return [line.strip() for line in said.splitlines()]


def _unusable() -> str:
    """Why torch cannot use a GPU in this process; empty if it can."""
    try:
        import torch
    except ImportError as error:
        return f"torch cannot be imported ({error})"
    if not torch.accelerator.is_available():
        built = torch.version.cuda or torch.version.hip
        return (
            f"torch {torch.__version__} finds no GPU that it can use"
            + ("" if built else ", and is built for CPUs only")
            + f" ({_seen()})"
        )
    try:
        torch.empty(1, device=torch.accelerator.current_accelerator())
    except RuntimeError as error:
        return f"torch cannot use it ({in_a_line(error)})"
    return ""


def _seen() -> str:
    found = os.environ.get(_VISIBLE[0])
    return f"{_VISIBLE[0]} is {'not set' if found is None else repr(found)}"
