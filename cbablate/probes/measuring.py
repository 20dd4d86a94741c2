"""`measure`: the probes that a study asks for, each on a network that it leaves as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from cbablate.fingerprint import derive_seed
from cbablate.probes.catalog import PROBES, metrics_of, sketches_of
from cbablate.probes.evaluation import evaluating
from cbablate.probes.probe import Absent, Probe, ProbeResult, Subject
from cbablate.records.sketch import Sketch
from cbablate.spec.choice import code_at

__all__ = ["measure", "untouched"]


def measure(subject: Subject, names: Iterable[str]) -> ProbeResult:
    """What these probes find, in the catalog's order; all that is theirs is found or absent.

    A value that is not finite is absent: what diverged on the way has no number.
    """
    asked = set(names)
    together: dict[str, list[str]] = {}
    for name, entry in PROBES.items():
        if name in asked:
            together.setdefault(entry.measure, []).append(name)
    metrics: dict[str, float] = {}
    vectors: dict[str, tuple[float, ...]] = {}
    absent: dict[str, Absent] = {}
    sketches: dict[str, Sketch] = {}
    for where, group in together.items():
        with untouched(subject.model, seed=derive_seed(subject.seed, "probe", where)):
            probe: Probe = code_at(where)
            found = probe(subject, frozenset(group))
        metrics |= found.metrics
        vectors |= found.vectors
        absent |= found.absent
        sketches |= found.sketches
    odd = {name for name, value in metrics.items() if not torch.tensor(value).isfinite()}
    absent |= dict.fromkeys(sorted(odd), Absent("its value is not a finite number"))
    wanted = {*metrics_of(asked), *sketches_of(asked)}
    missing = wanted - set(metrics) - set(sketches) - set(absent)
    if missing:
        raise RuntimeError(f"probes of {sorted(asked)} said nothing of {sorted(missing)}")
    return ProbeResult(
        metrics={name: value for name, value in metrics.items() if name not in odd},
        vectors={name: values for name, values in vectors.items() if name not in odd},
        absent=absent,
        sketches=sketches,
    )


@contextmanager
def untouched(model: nn.Module, *, seed: int) -> Iterator[None]:
    """A block in which a model evaluates and random numbers are drawn from `seed`.

    Modes, gradients and the state of the generators are what they were afterwards.
    """
    gradients = [(tensor, tensor.requires_grad, tensor.grad) for tensor in model.parameters()]
    device = next((tensor.device for tensor, *_ in gradients), torch.device("cpu"))
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.default_generator.manual_seed(seed)
            if device.type == "cuda":
                torch.cuda.manual_seed(seed)
            with evaluating(model), torch.autocast(device.type, enabled=False):
                yield
    finally:
        for tensor, required, gradient in gradients:
            tensor.requires_grad_(required)
            tensor.grad = gradient
