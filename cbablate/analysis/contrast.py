"""`Contrast`: an arm minus the arm it is compared with, paired by replicate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cbablate.analysis.estimate import moments
from cbablate.analysis.sign_flip import sign_flip
from cbablate.planning.student import critical, two_sided

__all__ = ["Contrast", "adjusted", "contrast", "holm", "pooled_sd"]

_ROUNDING = 16 * 2.0**-52
"""Differences that vary by less than this part of the values vary by rounding only."""


@dataclass(frozen=True)
class Contrast:
    """A mean paired difference with its 95 % t-interval and two-sided p value.

    `n` pairs entered: the replicates that both arms have. `difference` is None without a pair.
    Interval and p value are None below two pairs, and where all differences are equal: their
    spread is then too coarse to be estimated, and a t statistic of infinity would claim
    certainty. `p_adjusted` is Holm's over `family` planned comparisons. `correlation` of the
    paired values tells what pairing by seed gained. `sd` is the spread of the differences.
    `p_sign_flip` is the exact sign-flip test's, adjusted for nothing; None where `p` is, and
    above `sign_flip.MOST_PAIRS`.
    """

    against: str
    """The id of the arm subtracted."""
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    correlation: float | None
    p_adjusted: float | None = None
    family: int = 1
    sd: float | None = None
    p_sign_flip: float | None = None

    @property
    def half_width(self) -> float | None:
        """Half the length of the interval: what is printed behind +-."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2


def contrast(
    values: Mapping[int, float], reference: Mapping[int, float], *, against: str
) -> Contrast:
    """The contrast of values by replicate with the reference's; not adjusted yet."""
    shared = sorted(
        replicate
        for replicate in values.keys() & reference.keys()
        if math.isfinite(values[replicate] - reference[replicate])
    )
    left, right = [values[r] for r in shared], [reference[r] for r in shared]
    differences = [a - b for a, b in zip(left, right, strict=True)]
    if not differences:
        return Contrast(against, None, None, None, None, 0, None)
    difference, sd = moments(differences)
    n = len(differences)
    unknown = Contrast(against, difference, None, None, None, n, _correlation(left, right))
    if sd is None or sd <= _ROUNDING * max(map(abs, left + right)):
        return unknown
    error = sd / math.sqrt(n)
    half = critical(n - 1) * error
    return replace(
        unknown,
        low=difference - half,
        high=difference + half,
        p=two_sided(difference / error, n - 1),
        sd=sd,
        p_sign_flip=sign_flip(differences),
    )


def adjusted(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """The contrasts of one family, each with Holm's p value and the family's size.

    A contrast that has no p value yet counts as a member: what is missing makes no other
    comparison look better, and completing it never makes the correction harder.
    """
    ps = holm([1.0 if one.p is None else one.p for one in contrasts])
    return [
        replace(one, p_adjusted=None if one.p is None else p, family=len(contrasts))
        for one, p in zip(contrasts, ps, strict=True)
    ]


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order given (Holm 1979)."""
    found = [0.0] * len(ps)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        found[index] = largest
    return found


def pooled_sd(contrasts: Iterable[Contrast]) -> float | None:
    """The spread of paired differences over several contrasts, each weighed by its freedom."""
    known = [(one.n - 1, one.sd) for one in contrasts if one.sd]
    if not known:
        return None
    largest = max(sd for _, sd in known)
    squares = math.fsum(freedom * (sd / largest) ** 2 for freedom, sd in known)
    return largest * math.sqrt(squares / sum(freedom for freedom, _ in known))


def _correlation(left: list[float], right: list[float]) -> float | None:
    """Pearson's, or None where either side does not vary."""
    (mean_left, sd_left), (mean_right, sd_right) = moments(left), moments(right)
    if not sd_left or not sd_right:
        return None
    products = math.fsum(
        (a - mean_left) / sd_left * ((b - mean_right) / sd_right)
        for a, b in zip(left, right, strict=True)
    )
    return max(-1.0, min(1.0, products / (len(left) - 1)))
