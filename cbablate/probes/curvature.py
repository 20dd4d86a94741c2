"""The probe `curvature`: how sharply the training loss bends around the trained weights.

On at most 256 training images, evenly spaced, not augmented, in float32 and evaluation mode, with
L the mean cross-entropy and w all trainable weights:

    loss/hessian_top  the largest eigenvalue of L's Hessian, by Lanczos iteration (ARPACK's, with
                      restarts) on Hessian-vector products (double backward)
    loss/sharpness    L(w + 0.05 g / |g|) - L(w), g the gradient at w: the step that sharpness-aware
                      minimisation looks at (Foret et al., arXiv 2010.01412)

An operator that draws random numbers draws the same ones in every pass: L is one function.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy

from cbablate.probes.catalog import metrics_of
from cbablate.probes.evaluation import indices
from cbablate.probes.probe import Absent, ProbeResult, Subject

__all__ = ["measure", "top_eigenvalue"]

_IMAGES = 256
_BATCH = 64
_VECTORS = 10
"""Lanczos vectors kept between restarts, each as long as all weights, in float64."""
_RESTARTS = 40
_CLOSE = 1e-3
"""The largest residual of an eigenvalue, as a share of it."""
_RADIUS = 0.05

Vector = NDArray[np.float64]
Map = Callable[[list[Tensor]], list[Tensor]]
"""A linear map from tensors to tensors of the same shapes."""


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """Both, at the weights as they are."""
    weights = {n: t.detach() for n, t in subject.model.named_parameters() if t.requires_grad}
    if not weights:
        return ProbeResult(absent=dict.fromkeys(metrics_of(asked), Absent("nothing is trained")))
    names = list(weights)
    origin = [weights[name] for name in names]
    images, labels = subject.train.spaced(_IMAGES)
    batches = list(indices(len(labels), _BATCH, labels.device))
    generator = torch.Generator().manual_seed(subject.seed)

    def loss(at: list[Tensor], some: Tensor) -> Tensor:
        torch.manual_seed(subject.seed)
        outputs = functional_call(subject.model, dict(zip(names, at, strict=True)), images[some])
        return cross_entropy(outputs.float(), labels[some], reduction="sum") / len(labels)

    def product(vector: list[Tensor]) -> list[Tensor]:
        total = [torch.zeros_like(tensor) for tensor in origin]
        for some in batches:
            at = [tensor.clone().requires_grad_() for tensor in origin]
            slope = torch.autograd.grad(loss(at, some), at, create_graph=True)
            inner = torch.stack([(a * b).sum() for a, b in zip(slope, vector, strict=True)]).sum()
            parts = torch.autograd.grad(inner, at, materialize_grads=True)
            total = [one + part for one, part in zip(total, parts, strict=True)]
        return total

    # the fused kernel has no second derivative
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        start = [torch.randn(t.shape, generator=generator).to(t.device) for t in origin]
        top = top_eigenvalue(product, start)
        sharpness = _sharpness(loss, origin, batches)
    if isinstance(top, Absent):
        return ProbeResult({"loss/sharpness": sharpness}, absent={"loss/hessian_top": top})
    return ProbeResult({"loss/hessian_top": top, "loss/sharpness": sharpness})


def top_eigenvalue(product: Map, start: list[Tensor]) -> float | Absent:
    """The largest eigenvalue of a symmetric linear map H, given by its product with a vector.

    By Lanczos iteration from `start`; of a map of few dimensions, from its whole matrix. With x
    the eigenvector that was found, of length 1, and a the eigenvalue, |H x - a x| <= 1e-3 |a| is
    tested by one more product (an a below a thousandth of the eigenvalues' root mean square, as
    `start` shows it, is held against that). Absent where it does not hold, or where the products
    are not finite numbers.
    """
    sizes = [part.numel() for part in start]

    def flat(vector: Vector) -> Vector:
        whole = torch.from_numpy(np.ascontiguousarray(vector).reshape(-1))
        parts = [
            part.view(like.shape).to(device=like.device, dtype=like.dtype)
            for part, like in zip(torch.split(whole, sizes), start, strict=True)
        ]
        return _joined(product(parts))

    begun = _joined(start)
    image = flat(begun)
    if not np.isfinite(image).all():
        return Absent("the loss's second derivatives are not finite numbers")
    if not image.any():
        return 0.0
    # more threads would add in another order
    with threadpool_limits(limits=1, user_api="blas"):
        if len(begun) <= 2 * _VECTORS:
            matrix = np.stack([flat(row) for row in np.eye(len(begun))])
            return float(np.linalg.eigvalsh((matrix + matrix.T) / 2)[-1])
        return _lanczos(flat, begun, scale=float(np.linalg.norm(image) / np.linalg.norm(begun)))


def _lanczos(product: Callable[[Vector], Vector], start: Vector, *, scale: float) -> float | Absent:
    """The largest eigenvalue, by ARPACK, with its residual tested; `scale` is what others have."""
    shift = scale / 100  # ARPACK's own test is relative to the eigenvalue: one of 0 could not pass
    operator = LinearOperator(
        (len(start), len(start)),
        matvec=lambda vector: product(vector) + shift * vector.reshape(-1),
        dtype=np.float64,
    )
    try:
        values, vectors = eigsh(
            operator,
            k=1,
            which="LA",
            v0=start,
            ncv=_VECTORS,
            maxiter=_RESTARTS,
            tol=_CLOSE / 10,
        )
    except ArpackError as error:
        return Absent(
            f"Lanczos iteration found no eigenvalue in {_RESTARTS} restarts of {_VECTORS} vectors "
            f"({str(error).splitlines()[0]})"
        )
    value, vector = float(values[0]) - shift, vectors[:, 0]
    left = float(np.linalg.norm(product(vector) - value * vector))
    if not left <= _CLOSE * max(abs(value), _CLOSE * scale):
        return Absent(
            f"Lanczos iteration did not converge: of the eigenvalue {value:.4g} a residual of "
            f"{left:.2g} was left"
        )
    return value


def _joined(parts: list[Tensor]) -> Vector:
    found: Vector = torch.cat([part.detach().double().cpu().flatten() for part in parts]).numpy()
    return found


def _sharpness(
    loss: Callable[[list[Tensor], Tensor], Tensor], origin: list[Tensor], batches: list[Tensor]
) -> float:
    slope = [torch.zeros_like(tensor) for tensor in origin]
    here = 0.0
    for some in batches:
        at = [tensor.clone().requires_grad_() for tensor in origin]
        value = loss(at, some)
        parts = torch.autograd.grad(value, at, allow_unused=True, materialize_grads=True)
        slope = [one + part for one, part in zip(slope, parts, strict=True)]
        here += value.item()
    if _norm(slope) == 0:
        return 0.0
    step = _scaled(slope, _RADIUS)
    with torch.no_grad():
        away = [tensor + part for tensor, part in zip(origin, step, strict=True)]
        return sum(loss(away, some).item() for some in batches) - here


def _norm(vector: list[Tensor]) -> float:
    return float(torch.stack([part.double().square().sum() for part in vector]).sum().sqrt())


def _scaled(vector: list[Tensor], length: float) -> list[Tensor]:
    norm = _norm(vector)
    return [part * (length / norm) for part in vector]
