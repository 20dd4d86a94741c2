"""`Alignment`: how alike the layers of two networks are, from what their trials left of them.

With K and L the Gram matrices of the same images' features in two layers, linear CKA (Kornblith et
al., arXiv 1905.00414) is HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)): 1 where the features are the
same up to rotation, shift and one scale, 0 where they share nothing. Computed from few images it is
far above 0 for networks that share nothing, the more so the wider they are. So HSIC is estimated
without that bias (Song et al. 2012; for CKA Nguyen et al., arXiv 2010.15327), and the value of
chance is 0; it may be a little below.

What two trainings of the same arm from other seeds have in common is the yardstick: an arm is
changed by its factor where it is less like its reference than that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cbablate.analysis.contrasts.replicates import estimated
from cbablate.analysis.summary import Summary
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.probes.catalog import GRAMS
from cbablate.records.history import History
from cbablate.records.sketch import Sketch
from cbablate.statistics.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[Any]

__all__ = ["Alignment", "aligned", "alignments", "cka", "has_grams"]


@dataclass(frozen=True)
class Alignment:
    """The CKA of an arm's layers with those of `against`, over trials paired by seed.

    Of several searches of each arm, from the mean of each one's pairs.

    Where `against` is the arm itself, over pairs of its own seeds, each with the next; those share
    seeds, so that no interval can be given. `layers` has an estimate a layer, the first first, and
    `biased` the plain CKA of the same images. `why` says in a clause why there are none, "" where
    there are.
    """

    arm: str
    against: str
    layers: tuple[Estimate, ...] = ()
    biased: tuple[Estimate, ...] = ()
    why: str = ""

    @property
    def yardstick(self) -> bool:
        """Whether an arm is set against itself."""
        return self.arm == self.against


def cka(one: Sequence[float], other: Sequence[float]) -> tuple[float, float] | None:
    """CKA without bias, and plain CKA, from the triangles of two centred Gram matrices.

    None where either layer gives all images the same features.

    Raises:
        ValueError: they are of different numbers of images, or of fewer than four.
    """
    return aligned(_matrix(one), _matrix(other))


def aligned(first: Matrix, second: Matrix) -> tuple[float, float] | None:
    """CKA without bias, and plain CKA, from two centred Gram matrices."""
    plain = _ratio(first, second)
    unbiased = _ratio(_hollow(first), _hollow(second))
    return None if plain is None or unbiased is None else (unbiased, plain)


def has_grams(summary: Summary) -> bool:
    """Whether any trial that counts has left what alignments are computed from."""
    return any(_packed(past) for by in summary.replicates.entered.values() for past in by.values())


def alignments(plan: Plan, summary: Summary) -> tuple[Alignment, ...]:
    """Each reference with itself at other seeds, then each arm with its reference at its own.

    Raises:
        CbablateError: no trial has left what it takes, or nothing is compared.
    """
    compared = [(arm.id, arm.against) for arm in plan.arms if arm.against is not None]
    if not compared or not has_grams(summary):
        raise CbablateError(
            f"study '{plan.study.name}' has no trials whose layers can be aligned: compare arms, "
            "and write `probes: [alignment]` in the baseline"
        )
    read = {
        arm: {replicate: _read(past) for replicate, past in by.items() if _packed(past)}
        for arm, by in summary.replicates.entered.items()
    }
    found = []
    for reference in dict.fromkeys(against for _, against in compared):
        own = sorted(read[reference])
        pairs = {a: (read[reference][a], read[reference][b]) for a, b in _neighbours(own)}
        found.append(_alignment(reference, reference, pairs, len(pairs)))
    for arm, against in compared:
        shared = sorted(read[arm].keys() & read[against].keys())
        pairs = {
            replicate: (read[arm][replicate], read[against][replicate]) for replicate in shared
        }
        planned = summary.course.asked[arm] if summary.course else plan.study.most_replicates
        searches = summary.replicates.searches
        found.append(_alignment(arm, against, pairs, planned, searches=searches))
    return tuple(found)


def _alignment(
    arm: str,
    against: str,
    pairs: Mapping[int, tuple[_Layers, _Layers]],
    planned: int,
    *,
    searches: int = 0,
) -> Alignment:
    """The alignment of pairs by replicate, of so many searches of each arm."""
    if not pairs:
        return Alignment(arm, against, why="no two trials have what it takes yet")
    one, other = next(iter(pairs.values()))
    if any(a.about != b.about for a, b in pairs.values()):
        return Alignment(arm, against, why="they were not shown the same images")
    if any(len(a.matrices) != len(b.matrices) for a, b in pairs.values()):
        return Alignment(
            arm, against, why=f"they have {len(one.matrices)} and {len(other.matrices)} blocks"
        )
    values = {
        replicate: [aligned(x, y) for x, y in zip(a.matrices, b.matrices, strict=True)]
        for replicate, (a, b) in pairs.items()
    }
    if any(value is None for layers in values.values() for value in layers):
        return Alignment(arm, against, why="a block gives all images the same features")
    unbiased, biased = (
        tuple(
            estimated(
                {r: layers[layer][kind] for r, layers in values.items()},  # type: ignore[index]  # none is None
                planned,
                searches,
            )
            for layer in range(len(one.matrices))
        )
        for kind in (0, 1)
    )
    if arm == against:
        unbiased, biased = (
            tuple(replace(layer, low=None, high=None) for layer in layers)
            for layers in (unbiased, biased)
        )
    return Alignment(arm, against, unbiased, biased)


@dataclass(frozen=True)
class _Layers:
    about: str
    matrices: tuple[Matrix, ...]


def _packed(past: History) -> str:
    sketches: Mapping[str, str] = past.last.sketches if past.last else {}
    return sketches.get(GRAMS, "")


def _read(past: History) -> _Layers:
    sketch = Sketch.unpacked(_packed(past))
    return _Layers(sketch.about, tuple(_matrix(row) for row in sketch.rows))


def _neighbours(own: Sequence[int]) -> list[tuple[int, int]]:
    """Each with the next, the last with the first; two are one pair."""
    pairs = list(pairwise(own))
    return pairs if len(own) < 3 else [*pairs, (own[-1], own[0])]


def _matrix(triangle: Sequence[float]) -> Matrix:
    import numpy as np

    count = round(((8 * len(triangle) + 1) ** 0.5 - 1) / 2)
    if count * (count + 1) // 2 != len(triangle) or count < 4:
        raise ValueError(f"{len(triangle)} numbers are no triangle over four images or more")
    whole = np.zeros((count, count))
    whole[np.triu_indices(count)] = triangle
    both: Matrix = whole + np.triu(whole, 1).T
    return both


def _ratio(first: Matrix, second: Matrix) -> float | None:
    """Their cosine, as vectors; None where either is 0."""
    if first.shape != second.shape:
        raise ValueError(f"Gram matrices of {len(first)} and of {len(second)} images")
    scale = float((first * first).sum() * (second * second).sum()) ** 0.5
    return float((first * second).sum()) / scale if scale > 0 else None


def _hollow(gram: Matrix) -> Matrix:
    """The matrix without its diagonal, its rows centred so that the product of two, summed, is
    n (n - 3) times HSIC without bias (Szekely and Rizzo 2014)."""
    count = len(gram)
    off = gram.copy()
    off[range(count), range(count)] = 0.0
    sums = off.sum(axis=0) / (count - 2)
    centred: Matrix = off - sums[:, None] - sums[None, :] + sums.sum() / (count - 1)
    centred[range(count), range(count)] = 0.0
    return centred
