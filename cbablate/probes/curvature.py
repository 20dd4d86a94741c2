"""The probe `curvature`: how sharply the training loss bends around the trained weights.

On at most 256 training images, evenly spaced, not augmented, in float32 and evaluation mode, with
L the mean cross-entropy and w all trainable weights:

    loss/hessian_top  the largest eigenvalue of L's Hessian, by power iteration on Hessian-vector
                      products (double backward); a second iteration, shifted, where the largest
                      in size is negative
    loss/sharpness    L(w + 0.05 g / |g|) - L(w), g the gradient at w: the step that sharpness-aware
                      minimisation looks at (Foret et al., arXiv 2010.01412)
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy

from cbablate.probes.catalog import metrics_of
from cbablate.probes.probe import Absent, Finding, Subject

__all__ = ["measure", "top_eigenvalue"]

_IMAGES = 256
_BATCH = 64
_ITERATIONS = 50
_CLOSE = 1e-3
_RADIUS = 0.05


def measure(subject: Subject, asked: frozenset[str]) -> Finding:
    """Both, at the weights as they are."""
    weights = {n: t.detach() for n, t in subject.model.named_parameters() if t.requires_grad}
    if not weights:
        return Finding(absent=dict.fromkeys(metrics_of(asked), Absent("nothing is trained")))
    names = list(weights)
    origin = [weights[name] for name in names]
    images, labels = subject.train.spaced(_IMAGES)
    generator = torch.Generator().manual_seed(subject.seed)

    def loss(at: list[Tensor], start: int) -> Tensor:
        some = slice(start, start + _BATCH)
        outputs = functional_call(subject.model, dict(zip(names, at, strict=True)), images[some])
        return cross_entropy(outputs.float(), labels[some], reduction="sum") / len(labels)

    def product(vector: list[Tensor]) -> list[Tensor]:
        total = [torch.zeros_like(tensor) for tensor in origin]
        for start in range(0, len(labels), _BATCH):
            at = [tensor.clone().requires_grad_() for tensor in origin]
            slope = torch.autograd.grad(loss(at, start), at, create_graph=True)
            inner = torch.stack([(a * b).sum() for a, b in zip(slope, vector, strict=True)]).sum()
            parts = torch.autograd.grad(inner, at, materialize_grads=True)
            total = [one + part for one, part in zip(total, parts, strict=True)]
        return total

    # the fused kernel has no second derivative
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        start = [torch.randn(t.shape, generator=generator).to(t.device) for t in origin]
        top = top_eigenvalue(product, start)
        sharpness = _sharpness(loss, origin, len(labels))
    return Finding({"loss/hessian_top": top, "loss/sharpness": sharpness})


def top_eigenvalue(product: Callable[[list[Tensor]], list[Tensor]], start: list[Tensor]) -> float:
    """The largest eigenvalue of a symmetric linear map, told as its product with a vector.

    Power iteration, until an iteration changes it by less than 1e-3 of itself, at most 50 times.
    """
    value = _dominant(product, start)
    if value >= 0:
        return value

    def shifted(vector: list[Tensor]) -> list[Tensor]:
        return [p - value * v for p, v in zip(product(vector), vector, strict=True)]

    return _dominant(shifted, start, shift=value) + value


def _dominant(
    product: Callable[[list[Tensor]], list[Tensor]], start: list[Tensor], *, shift: float = 0.0
) -> float:
    """The eigenvalue that is largest in size, exact enough for the one that lies `shift` above."""
    vector, value = _scaled(start, 1.0), 0.0
    for _ in range(_ITERATIONS):
        image = product(vector)
        pairs = zip(image, vector, strict=True)
        fresh = float(torch.stack([(a.double() * b.double()).sum() for a, b in pairs]).sum())
        if _norm(image) == 0:
            return 0.0
        vector = _scaled(image, 1.0)
        if abs(fresh - value) <= _CLOSE * abs(fresh + shift):
            return fresh
        value = fresh
    return value


def _sharpness(
    loss: Callable[[list[Tensor], int], Tensor], origin: list[Tensor], count: int
) -> float:
    slope = [torch.zeros_like(tensor) for tensor in origin]
    here = 0.0
    for start in range(0, count, _BATCH):
        at = [tensor.clone().requires_grad_() for tensor in origin]
        value = loss(at, start)
        parts = torch.autograd.grad(value, at, allow_unused=True, materialize_grads=True)
        slope = [one + part for one, part in zip(slope, parts, strict=True)]
        here += value.item()
    if _norm(slope) == 0:
        return 0.0
    step = _scaled(slope, _RADIUS)
    with torch.no_grad():
        away = [tensor + part for tensor, part in zip(origin, step, strict=True)]
        return sum(loss(away, start).item() for start in range(0, count, _BATCH)) - here


def _norm(vector: list[Tensor]) -> float:
    return float(torch.stack([part.double().square().sum() for part in vector]).sum().sqrt())


def _scaled(vector: list[Tensor], length: float) -> list[Tensor]:
    norm = _norm(vector)
    return [part * (length / norm) for part in vector]
