"""Three norms of the softmax's Jacobian, J = diag(a) - a a^T, of rows of attention.

J is symmetric and positive semidefinite, so with a row's power sums p_k = sum_j a_j^k:

    nuclear    its trace, 1 - p_2
    Frobenius  sqrt(p_2 - 2 p_3 + p_2^2)
    spectral   its largest eigenvalue

The largest eigenvalue lies between the second largest and the largest entry of a, and solves
sum_j a_j^2 / (a_j - x) = 1 there (Golub 1973). Written as x = a_1 - d with the gaps
g_j = a_1 - a_j, every iterate replaces the sum over j > 1 by the function r + s / (g_2 - d) that
has its value and slope at d, and solves the quadratic that this leaves (Bunch, Nielsen, Sorensen
1978). It converges quadratically, from one side, and no (N, N) matrix is made.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["frobenius", "nuclear", "spectral"]

_ITERATES = 12
_CLOSE = 1e-6
"""An iteration ends when no eigenvalue moves by more than this share of the row's largest entry."""
_BEFORE_POLE = 1 - 2**-22


def nuclear(squares: Tensor) -> Tensor:
    """The nuclear norm from p_2 of rows."""
    return 1 - squares


def frobenius(squares: Tensor, cubes: Tensor) -> Tensor:
    """The Frobenius norm from p_2 and p_3 of rows."""
    return (squares - 2 * cubes + squares.square()).clamp_min(0).sqrt()


def spectral(rows: Tensor) -> Tensor:
    """The spectral norm for rows of shape (..., N) that are nonnegative and sum to 1.

    The error is below 1e-5 of a row's largest entry in float32. Rows of one entry have norm 0.
    """
    if rows.shape[-1] == 1:
        return torch.zeros_like(rows[..., 0])
    largest = rows.amax(dim=-1)
    gaps = largest[..., None] - rows
    at_top = gaps == 0
    alone = at_top.sum(dim=-1) == 1
    gaps.masked_fill_(at_top, torch.inf)
    second = gaps.amin(dim=-1)
    # where the largest entry stands twice, it is the eigenvalue: the rows below are made harmless
    gap = torch.where(alone & second.isfinite(), second, torch.ones_like(second))
    rest = (1 - largest).clamp_min(0)
    step = torch.zeros_like(largest)
    terms = torch.empty_like(gaps)
    for _ in range(_ITERATES):
        at = torch.minimum(step, gap * _BEFORE_POLE)
        torch.sub(gaps, at[..., None], out=terms)
        torch.div(rows, terms, out=terms)
        value = ((largest - at) * terms.sum(dim=-1) - rest).clamp_min(0)
        slope = torch.linalg.vector_norm(terms, dim=-1).square()
        fresh = _root(largest, gap, gap - at, value, slope)
        moved = (fresh - step).abs()
        step = fresh
        if bool((moved <= _CLOSE * largest).logical_or_(~alone).all()):
            break
    return torch.where(alone, (largest - step).clamp_min(0), largest)


def _root(first: Tensor, gap: Tensor, left: Tensor, value: Tensor, slope: Tensor) -> Tensor:
    """The d in (0, gap) with first^2 / d = 1 + r + s / (gap - d).

    `left` is gap - d of the iterate before, where the sum has `value` and `slope`. The
    discriminant is written as a sum of squares: taken as it stands, half of the digits cancel.
    """
    weight = slope * left.square()
    more = (value - slope * left).clamp_min(0)
    square = first.square()
    # (1 + more) gap - first^2, with gap = first - second
    apart = more * gap + first * (1 - first) - (first - gap)
    both = (1 + more) * gap + square
    root = (apart.square() + 2 * weight * both + weight.square()).sqrt()
    return torch.minimum(2 * square * gap / (both + weight + root), gap)
