"""The probes of tokens: `rank`, `similarity` and `cka`, of what each block hands on.

With X all tokens of all held-out images after a block, one a row, and its mean row taken off:

    rank        exp(-sum_k p_k ln p_k), p the singular values of X divided by their sum (Roy and
                Vetterli 2007): how many directions the tokens use, between 1 and their width
    similarity  the mean cosine between two tokens of one image, 1 where all have become alike
                (over-smoothing); from |sum_i u_i|^2 of unit vectors, so linear in N
    cka         linear centred kernel alignment (Kornblith et al., arXiv 1905.00414) of the images'
                mean tokens with those of the same block before training
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from cbablate.probes.catalog import metrics_of
from cbablate.probes.evaluation import indices
from cbablate.probes.probe import Absent, ProbeResult, Subject

__all__ = ["cka", "effective_rank", "features", "measure", "similarity", "unreadable"]

_BATCH = 64
_IMAGES = 1024
"""The most images that stand for all in CKA."""


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """The metrics of the probes asked for, block by block."""
    absent = unreadable(subject)
    if absent is not None:
        return ProbeResult(absent=dict.fromkeys(metrics_of(asked), absent))
    vectors: dict[str, tuple[float, ...]] = {}
    missing: dict[str, Absent] = {}
    if asked & {"rank", "similarity"}:
        vectors |= _spread(subject, asked)
    if "similarity" in asked and "tokens/similarity" not in vectors:
        missing["tokens/similarity"] = Absent("a block has one token only")
    if "cka" in asked:
        found = _alignment(subject)
        if isinstance(found, Absent):
            missing["tokens/cka_initial"] = found
        else:
            vectors["tokens/cka_initial"] = found
    metrics = {name: sum(values) / len(values) for name, values in vectors.items()}
    return ProbeResult(metrics, vectors, missing)


def effective_rank(squares: Tensor) -> float:
    """The effective rank from the matrix X^T X of centred rows; 0 where all rows are alike."""
    values = torch.linalg.eigvalsh(squares.double()).clamp_min(0)
    values = values.where(values > values.max() * 1e-12, 0.0).sqrt()
    if not bool(values.sum() > 0):
        return 0.0
    shares = values / values.sum()
    return float(torch.special.entr(shares).sum().exp())


def similarity(tokens: Tensor) -> Tensor:
    """The mean cosine between two tokens of an image, of shape (B,), from tokens (B, N, C)."""
    units = nn.functional.normalize(tokens.double(), dim=-1)
    count = tokens.shape[1]
    own = units.square().sum(dim=(1, 2))
    return (units.sum(dim=1).square().sum(dim=-1) - own) / (count * (count - 1))


def cka(one: Tensor, other: Tensor) -> float | None:
    """Linear CKA of features (n, C) and (n, D) of the same n images; None where one is constant."""
    one, other = (each.double() - each.double().mean(dim=0) for each in (one, other))
    scale = torch.linalg.matrix_norm(one.T @ one) * torch.linalg.matrix_norm(other.T @ other)
    if not bool(scale > 0):
        return None
    return float(torch.linalg.matrix_norm(other.T @ one).square() / scale)


def unreadable(subject: Subject) -> Absent | None:
    """Why a model's blocks hand on no tokens; None where they do."""
    if not subject.blocks:
        return Absent("the model has no transformer blocks")
    shapes: list[int] = []
    first, _ = subject.held_out.spaced(1)
    with torch.inference_mode(), _listening(subject.blocks, lambda _i, x: shapes.append(x.ndim)):
        subject.model(first)
    if len(shapes) != len(subject.blocks) or set(shapes) != {3}:
        return Absent("what the model's blocks hand on is not a row of tokens")
    return None


def _spread(subject: Subject, asked: frozenset[str]) -> dict[str, tuple[float, ...]]:
    depth = len(subject.blocks)
    squares: list[Any] = [0.0] * depth
    sums: list[Any] = [0.0] * depth
    counts = [0] * depth
    cosines = [0.0] * depth
    alone = [False] * depth

    def told(index: int, tokens: Tensor) -> None:
        counts[index] += tokens.shape[0] * tokens.shape[1]
        if "rank" in asked:
            # in float64, for the mean's part is subtracted afterwards, and may be most of it
            flat = tokens.flatten(0, 1).double()
            squares[index] = squares[index] + flat.T @ flat
            sums[index] = sums[index] + flat.sum(dim=0)
        alone[index] = tokens.shape[1] == 1
        if "similarity" in asked and not alone[index]:
            cosines[index] += float(similarity(tokens).sum())

    with torch.inference_mode(), _listening(subject.blocks, told):
        for images, _ in subject.held_out.batches(_BATCH):
            subject.model(images)
    found: dict[str, tuple[float, ...]] = {}
    if "rank" in asked:
        found["tokens/effective_rank"] = tuple(
            effective_rank(square - torch.outer(total, total) / count)
            for square, total, count in zip(squares, sums, counts, strict=True)
        )
    if "similarity" in asked and not any(alone):
        found["tokens/similarity"] = tuple(total / len(subject.held_out) for total in cosines)
    return found


def _alignment(subject: Subject) -> tuple[float, ...] | Absent:
    if subject.initial is None:
        return Absent("the network before training is not at hand")
    images, _ = subject.held_out.spaced(_IMAGES)
    trained = features(subject.model, subject.blocks, images)
    initial = subject.initial().to(images.device).eval()
    names = {module: name for name, module in subject.model.named_modules()}
    blocks = [initial.get_submodule(names[block]) for block in subject.blocks]
    before = features(initial, blocks, images)
    found = [cka(one, other) for one, other in zip(trained, before, strict=True)]
    said = tuple(value for value in found if value is not None)
    return said if len(said) == len(found) else Absent("a block gives all images the same features")


def features(model: nn.Module, blocks: Sequence[nn.Module], images: Tensor) -> list[Tensor]:
    """The images' mean tokens after each block, of shape (n, C)."""
    parts: list[list[Tensor]] = [[] for _ in blocks]

    def told(index: int, tokens: Tensor) -> None:
        parts[index].append(tokens.float().mean(dim=1))

    batches = list(indices(len(images), _BATCH, images.device))
    with torch.inference_mode(), _listening(blocks, told):
        for some in batches:
            model(images[some])
    back = torch.cat(batches).argsort()
    return [torch.cat(part)[back] for part in parts]


@contextmanager
def _listening(
    blocks: Sequence[nn.Module], told: Callable[[int, Tensor], object]
) -> Iterator[None]:
    def hook(index: int) -> Callable[[nn.Module, Any, Any], None]:
        def read(_module: nn.Module, _args: Any, output: Any) -> None:
            told(index, output[0] if isinstance(output, tuple) else output)

        return read

    handles = [block.register_forward_hook(hook(i)) for i, block in enumerate(blocks)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
