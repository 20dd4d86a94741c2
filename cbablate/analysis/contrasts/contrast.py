"""`Contrast`: an arm minus the arm it is compared with, paired by replicate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cbablate.spec.analysis import USUAL, Analysis
from cbablate.statistics.bootstrap import bca
from cbablate.statistics.correction import corrected, share
from cbablate.statistics.coverage import FEWEST_FOR_BCA
from cbablate.statistics.estimate import magnitude, moments
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS, FEWEST_SEARCHES
from cbablate.statistics.sign_flip import sign_flip
from cbablate.statistics.student_t import beyond, critical, two_sided

__all__ = ["ROUNDING", "Contrast", "Kind", "adjusted", "contrast", "pooled_sd", "varies", "within"]

Kind = Literal["t", "bca", "welch", "dunnett", "repeated"]
"""What an interval is made by."""


ROUNDING = 16 * 2.0**-52
"""Differences that vary by less than this part of the values vary by rounding only."""


@dataclass(frozen=True)
class Contrast:
    """A mean paired difference with its interval and two-sided p value, as they are printed.

    `n` pairs entered: the replicates that both arms have. `difference` is None without a pair.
    Interval and p value are None below two pairs, and where all differences are equal: their
    spread is then too coarse to be estimated, and a t statistic of infinity would claim
    certainty. `p_adjusted` is corrected for `family` planned comparisons. The interval is a 95 %
    one by itself, or, if it is `joint`, one of a family that holds together with 95 %.
    `correlation` of the paired values tells what pairing by seed gained. `sd` is the spread of the
    differences. `p_sign_flip` is the exact sign-flip test's, adjusted for nothing; None where `p`
    is, and above `sign_flip.MOST_PAIRS`. `gain` is how many times longer the interval would be if
    the same values had not been paired. `of_means` is the difference of the two means over all
    values that either arm has, as a table shows them.

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
    kind: Kind = "t"
    joint: bool = False
    error: float | None = None
    """The standard error of the difference."""
    freedom: float = 0.0
    """The degrees of freedom of its t."""
    of_means: float | None = None
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
    def paired(self) -> bool:
        """Whether pairs by seed are behind it."""
        return self.kind != "welch"

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval, and no zero in it."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

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
    flipped = sign_flip(differences)
    known = replace(
        unknown,
        p=flipped if how.test == "sign_flip" else two_sided(difference / error, n - 1),
        sd=sd,
        p_sign_flip=flipped,
        gain=_gain(left, right, sd),
        error=error,
        freedom=n - 1,
    )
    if how.interval == "t":
        return within(known, ALPHA)
    ends = bca(differences, seed) if n >= FEWEST_FOR_BCA else (None, None)
    return replace(known, low=ends[0], high=ends[1], kind="bca")


def within(one: Contrast, tail: float) -> Contrast:
    """The contrast with the t-interval that misses with this chance; as it is, without spread."""
    if one.difference is None or one.error is None:
        return one
    half = beyond(one.freedom, tail) * one.error
    return replace(one, low=one.difference - half, high=one.difference + half)


def varies(sd: float, values: Iterable[float]) -> bool:
    """Whether a spread of differences of these values is more than their rounding."""
    return sd > ROUNDING * max(map(abs, values))


def adjusted(contrasts: Sequence[Contrast], how: Analysis = USUAL) -> list[Contrast]:
    """The contrasts of one family: its size, corrected p values, and intervals that hold together
    if the analysis says so.

    A contrast that has no p value yet counts as a member.
    """
    family, ps = len(contrasts), corrected([one.p for one in contrasts], how.steps)
    sized = [
        replace(one, p_adjusted=p, family=family) for one, p in zip(contrasts, ps, strict=True)
    ]
    if not how.joint:
        return sized
    tail = share(family)
    return [replace(within(one, tail), joint=family > 1) for one in sized]


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
    sds = [sd or 0.0, other_sd or 0.0]
    scale = magnitude(sds)
    squares = [(one / scale) ** 2 / len(side) for one, side in zip(sds, sides, strict=True)]
    difference, error = mean - other_mean, math.sqrt(sum(squares)) * scale
    unknown = replace(nothing, difference=difference, kind="welch")
    if not varies(error, sides[0] + sides[1]):
        return unknown
    freedom = sum(squares) ** 2 / sum(
        square**2 / (len(side) - 1) for square, side in zip(squares, sides, strict=True)
    )
    p = two_sided(difference / error, freedom)
    return within(replace(unknown, p=p, error=error, freedom=freedom), ALPHA)


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
