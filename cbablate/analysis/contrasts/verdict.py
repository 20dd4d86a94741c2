"""`Finding`: what a contrast allows one to say, and no more.

How a finding is reached, in this order, over a family of contrasts of one metric:

1. *too few*: fewer than `FEWEST_PAIRS` pairs, where an exact sign-flip test cannot reach ALPHA
   even alone. Nothing is claimed, whatever the t test says. Where each arm is searched more than
   once, also fewer than `FEWEST_SEARCHES` searches.
   *one search*: both arms are at what one search of each chose. The interval holds for these
   hyperparameters, and another search would have chosen others: nothing is claimed of the arm.
2. *helps*, *hurts* (*differs* for a metric of which neither more nor less is better): the adjusted
   p value is below ALPHA, the printed interval leaves out zero (the same, unless one asks for
   intervals that are not adjusted, or for another test than the interval's), and two other
   views agree: the exact sign-flip test, and the sign of the means' own difference. The sign-flip
   test agrees if its p value, corrected alike, is below ALPHA too, or is the smallest that so many
   pairs can reach (all differences of one sign). The second way is open because few pairs and a
   large family put ALPHA beyond the sign-flip test; it never weakens what the t test must
   show by itself. Above `sign_flip.MOST_PAIRS` pairs the t test decides alone, and so it does
   below `FEWEST_PAIRS` searches, of which no sign-flip test can speak.
3. *equivalent*: no difference larger than the margin, by two one-sided t tests (Schuirmann 1987);
   the larger of the two p values, corrected alike, is below ALPHA.
4. *unconfirmed*: something of 2 is there, but not all of it.
5. *undecided*: everything else. It is not a claim that there is no difference, and the printed
   interval has zero in it.

Where the number of replicates grows, p values and intervals hold over all looks
(`analysis.course`), and the t test decides alone.

So claims of a difference where there is none come in at most ALPHA of the families, and claims
of equivalence where the difference reaches the margin in at most ALPHA of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cbablate.analysis.contrasts.contrast import Contrast, within
from cbablate.spec.analysis import USUAL, Analysis
from cbablate.spec.metric import Direction
from cbablate.statistics.correction import corrected, share
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS, floor
from cbablate.statistics.student_t import two_sided

__all__ = [
    "SURE",
    "Claim",
    "Equivalence",
    "Finding",
    "agrees",
    "equivalence",
    "findings",
    "turned",
]

Claim = Literal[
    "helps",
    "hurts",
    "differs",
    "equivalent",
    "unconfirmed",
    "undecided",
    "too few",
    "one search",
]
SURE: tuple[Claim, ...] = ("helps", "hurts", "differs")
"""The claims of a difference: where a mark stands beside it, and nowhere else."""


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests against a margin: the larger p, adjusted for nothing, and the interval
    that lies within the margin where the test, at its corrected level, is passed.
    """

    p: float
    low: float
    high: float


@dataclass(frozen=True)
class Finding:
    """What is claimed of a contrast, and the adjusted p values beside the t test's.

    `p_sign_flip` is None where there is no such test, `p_equivalence` and `equivalence` without a
    margin. A difference may be found and yet be shown to be smaller than the margin: then `claim`
    is the difference, and `small` is true.
    """

    claim: Claim
    p_sign_flip: float | None
    p_equivalence: float | None
    margin: float | None
    equivalence: Equivalence | None = None

    @property
    def sure(self) -> bool:
        """Whether a difference is claimed, so that it has a mark."""
        return self.claim in SURE

    @property
    def small(self) -> bool:
        """Whether the difference is shown to be smaller than the margin."""
        return self.p_equivalence is not None and self.p_equivalence < ALPHA


def findings(
    contrasts: Sequence[Contrast],
    *,
    direction: Direction | None,
    margin: float | None = None,
    equal: Sequence[Equivalence | None] | None = None,
    how: Analysis = USUAL,
) -> list[Finding]:
    """The findings of one family of adjusted contrasts, in their order.

    A contrast without a p value counts as a member in each correction. `equal` are tests of
    equivalence to be used in the place of the usual ones.
    """
    flips = corrected([one.p_sign_flip for one in contrasts], how.steps)
    level = share(len(contrasts)) if how.joint else ALPHA
    equal = equal or [equivalence(one, margin, level) for one in contrasts]
    same = corrected([None if one is None else one.p for one in equal], how.steps)
    return [
        Finding(_claim(one, direction, flip, p), flip, p, margin, tost)
        for one, flip, p, tost in zip(contrasts, flips, same, equal, strict=True)
    ]


def equivalence(one: Contrast, margin: float | None, level: float = ALPHA) -> Equivalence | None:
    """Two one-sided t tests of a contrast against -margin and +margin, at a level each."""
    if margin is None or one.difference is None or one.p is None or not one.sd or not one.error:
        return None
    room = min(margin - one.difference, margin + one.difference)
    tail = two_sided(room / one.error, one.freedom) / 2
    ends = within(one, 2 * level)
    if ends.low is None or ends.high is None:
        return None
    return Equivalence(tail if room > 0 else 1 - tail, ends.low, ends.high)


def _claim(
    one: Contrast, direction: Direction | None, flip: float | None, equal: float | None
) -> Claim:
    if not one.enough:
        return "too few"
    if one.searches == 1:
        return "one search"
    if one.p_adjusted is None or one.difference is None:
        return "undecided"
    low, apart = one.p_adjusted < ALPHA, one.excludes_zero
    if low and apart and agrees(one, flip) and not turned(one):
        if direction is None:
            return "differs"
        return "helps" if (one.difference > 0) == (direction == "maximize") else "hurts"
    if equal is not None and equal < ALPHA:
        return "equivalent"
    return "unconfirmed" if low or apart else "undecided"


def agrees(one: Contrast, flip: float | None) -> bool:
    """Whether the sign-flip test says so too, or has nothing to say of so many pairs."""
    if one.p_sign_flip is None or flip is None or one.n < FEWEST_PAIRS:
        return True
    return flip < ALPHA or one.p_sign_flip <= floor(one.n)


def turned(one: Contrast) -> bool:
    """Whether the two means, which may be over other seeds too, differ the other way."""
    return one.of_means is not None and one.of_means * (one.difference or 0.0) < 0
