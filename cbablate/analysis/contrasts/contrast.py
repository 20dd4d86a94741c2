"""`Contrast`: an arm minus the arm it is compared with, paired by replicate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cbablate.spec.analysis import USUAL, Analysis
from cbablate.statistics.bootstrap import bca
from cbablate.statistics.coverage import FEWEST_FOR_BCA
from cbablate.statistics.estimate import moments
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS, FEWEST_SEARCHES
from cbablate.statistics.sign_flip import sign_flip
from cbablate.statistics.student_t import critical, two_sided

__all__ = ["Contrast", "adjusted", "contrast", "holm", "pooled_sd", "varies"]

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
    above `sign_flip.MOST_PAIRS`. `gain` is how many times longer the interval would be if the
    same values had not been paired.

    Where two arms share no replicate, but each has two or more, the difference of their means is
    compared by Welch's t test: then `paired` is false and `n` is 0, so that nothing is claimed.

    `searches` is how many searches of each arm chose the hyperparameters (`Plan.searches`). With
    one, the interval is that of the difference at these hyperparameters. With more, `n` counts
    searches, whose means over their replicates are what is paired, and `replicates` the pairs of
    replicates behind them.
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
    gain: float | None = None
    paired: bool = True
    searches: int = 0
    replicates: int | None = None

    @property
    def pairs(self) -> int:
        """How many pairs of replicates are behind it."""
        return self.n if self.replicates is None else self.replicates

    @property
    def enough(self) -> bool:
        """Whether there are pairs, and searches, enough for a finding (`analysis.verdict`)."""
        return self.pairs >= FEWEST_PAIRS and (self.searches < 2 or self.n >= FEWEST_SEARCHES)

    @property
    def significant(self) -> bool:
        """Whether a mark may stand beside it: the adjusted p value is below ALPHA, and there are
        pairs enough for a finding (`analysis.verdict`).
        """
        low = self.p_adjusted is not None and self.p_adjusted < ALPHA
        return low and self.enough and self.searches != 1

    @property
    def effect_size(self) -> float | None:
        """Cohen's d_z: the difference in spreads of the paired differences."""
        return None if not self.sd or self.difference is None else self.difference / self.sd

    @property
    def hedges_g(self) -> float | None:
        """The effect size without its bias in small samples (Hedges 1981); None below 3 pairs.

        The factor is Gamma(f / 2) / (sqrt(f / 2) Gamma((f - 1) / 2)) at f = n - 1.
        """
        if self.effect_size is None or self.n < 3:
            return None
        half = (self.n - 1) / 2
        factor = math.exp(math.lgamma(half) - math.lgamma(half - 0.5)) / math.sqrt(half)
        return self.effect_size * factor

    @property
    def half_width(self) -> float | None:
        """Half the length of the interval: what is printed behind +-."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2


def contrast(
    values: Mapping[int, float],
    reference: Mapping[int, float],
    *,
    against: str,
    how: Analysis = USUAL,
    seed: int = 0,
    unpaired: bool = True,
) -> Contrast:
    """The contrast of values by replicate with the reference's; not adjusted yet.

    `how` says which test and interval; `seed` is where a bootstrap draws from. `unpaired` lets
    arms that share no replicate be compared all the same.
    """
    shared = sorted(
        replicate
        for replicate in values.keys() & reference.keys()
        if math.isfinite(values[replicate] - reference[replicate])
    )
    left, right = [values[r] for r in shared], [reference[r] for r in shared]
    differences = [a - b for a, b in zip(left, right, strict=True)]
    if not differences:
        nothing = Contrast(against, None, None, None, None, 0, None)
        return _welch(values, reference, nothing) if unpaired else nothing
    difference, sd = moments(differences)
    n = len(differences)
    unknown = Contrast(against, difference, None, None, None, n, _correlation(left, right))
    if sd is None or not varies(sd, left + right):
        return unknown
    error = sd / math.sqrt(n)
    half = critical(n - 1) * error
    flipped = sign_flip(differences)
    ends: tuple[float | None, float | None] = (difference - half, difference + half)
    if how.interval == "bca":
        ends = bca(differences, seed) if n >= FEWEST_FOR_BCA else (None, None)
    return replace(
        unknown,
        low=ends[0],
        high=ends[1],
        p=flipped if how.test == "sign_flip" else two_sided(difference / error, n - 1),
        sd=sd,
        p_sign_flip=flipped,
        gain=_gain(left, right, sd),
    )


def varies(sd: float, values: Iterable[float]) -> bool:
    """Whether a spread of differences of these values is more than their rounding."""
    return sd > _ROUNDING * max(map(abs, values))


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


def _welch(
    values: Mapping[int, float], reference: Mapping[int, float], nothing: Contrast
) -> Contrast:
    """The difference of two arms' means by Welch's t test; as it was, where that needs more."""
    sides = [[v for _, v in sorted(one.items()) if math.isfinite(v)] for one in (values, reference)]
    if min(map(len, sides)) < 2:
        return nothing
    (mean, sd), (other_mean, other_sd) = (moments(side) for side in sides)
    squares = [(s or 0.0) ** 2 / len(side) for s, side in zip((sd, other_sd), sides, strict=True)]
    difference, error = mean - other_mean, math.sqrt(sum(squares))
    unknown = replace(nothing, difference=difference, paired=False)
    if error <= _ROUNDING * max(map(abs, sides[0] + sides[1])):
        return unknown
    freedom = sum(squares) ** 2 / sum(
        square**2 / (len(side) - 1) for square, side in zip(squares, sides, strict=True)
    )
    half = critical(freedom) * error
    return replace(
        unknown,
        low=difference - half,
        high=difference + half,
        p=two_sided(difference / error, freedom),
    )


def _gain(left: list[float], right: list[float], sd: float) -> float | None:
    """The length of Student's interval for two samples, over that of their differences'."""
    n = len(left)
    of_left, of_right = moments(left)[1] or 0.0, moments(right)[1] or 0.0
    apart = math.hypot(of_left, of_right)
    return critical(2 * n - 2) * apart / (critical(n - 1) * sd)


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
