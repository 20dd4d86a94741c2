"""The probe `memory`: the most memory that a step needs on the device, weights included.

A training step is a forward and a backward pass of one batch on a copy of the model, without the
optimizer's state; inference is a forward pass without gradients. It is what the device's allocator
had given out at the most; a CPU's allocator does not say, so there it is absent.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch.nn.functional import cross_entropy

from cbablate.probes.catalog import metrics_of
from cbablate.probes.probe import Absent, ProbeResult, Subject

__all__ = ["measure"]

_MEBIBYTE = 2**20


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """Peak memory of one batch, in MiB, training and inference."""
    images, labels = subject.train.spaced(subject.batch_size)
    if images.device.type != "cuda":
        absent = Absent(
            f"peak memory is known of a GPU only, not of a {images.device.type.upper()}"
        )
        return ProbeResult(absent=dict.fromkeys(metrics_of(asked), absent))
    model = copy.deepcopy(subject.model)
    weights = sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers()))

    def infer() -> None:
        with torch.inference_mode(), subject.autocast():
            model(images)

    def train() -> None:
        model.train()
        with torch.enable_grad():
            with subject.autocast():
                outputs = model(images)
            heads = outputs if isinstance(outputs, tuple) else (outputs,)
            loss = torch.stack([cross_entropy(each.float(), labels) for each in heads]).mean()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it bare

    inference = _peak(infer, images.device)
    training = _peak(train, images.device)
    return ProbeResult(
        {
            "memory/infer": (inference + weights) / _MEBIBYTE,
            "memory/train": (training + weights) / _MEBIBYTE,
        }
    )


def _peak(step: Callable[[], None], device: torch.device) -> int:
    """How far above what is held already the memory given out goes."""
    torch.cuda.synchronize(device)
    held = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    step()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - held
