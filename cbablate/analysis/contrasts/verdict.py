"""`Finding`: what a contrast allows one to say, and no more.

How a finding is reached, in this order, over a family of contrasts of one metric:

1. *too few*: fewer than `FEWEST_PAIRS` pairs, where an exact sign-flip test cannot reach ALPHA
   even alone. Nothing is claimed, whatever the t test says. Where each arm is searched more than
   once, also fewer than `FEWEST_SEARCHES` searches.
   *one search*: both arms are at what one search of each chose. The interval holds for these
   hyperparameters, and another search would have chosen others: nothing is claimed of the arm.
2. *helps*, *hurts* (*differs* for a metric of which neither more nor less is better): Holm's
   adjusted p value of the paired t test is below ALPHA, and the sign-flip test agrees: its own
   p value, Holm-adjusted over the same family, is below ALPHA too, or it is the smallest that so
   many pairs can reach (all differences of one sign). The second way is open because few pairs
   and a large family put Holm's first step beyond the sign-flip test; it never weakens what the
   t test must show by itself. Above `sign_flip.MOST_PAIRS` pairs the t test decides alone,
   and so it does below `FEWEST_PAIRS` searches, of which no sign-flip test can speak.
3. *equivalent*: no difference larger than the margin, by two one-sided t tests (Schuirmann 1987);
   the larger of the two p values, Holm-adjusted over the family, is below ALPHA.
4. *undecided*: everything else. It is not a claim that there is no difference.

Where the number of replicates grows, p values and intervals hold over all looks
(`analysis.sequential`), and the t test decides alone.

So claims of a difference where there is none come in at most ALPHA of the families, and claims
of equivalence where the difference reaches the margin in at most ALPHA of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cbablate.analysis.contrasts.contrast import Contrast, holm
from cbablate.spec.metric import Direction
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS, floor
from cbablate.statistics.student_t import two_sided

__all__ = ["Claim", "Finding", "equivalence", "findings"]

Claim = Literal["helps", "hurts", "differs", "equivalent", "undecided", "too few", "one search"]


@dataclass(frozen=True)
class Finding:
    """What is claimed of a contrast, and the adjusted p values beside the t test's.

    `p_sign_flip` is Holm-adjusted; None where there is no such test. `p_equivalence` is None
    without a margin. A difference may be found and yet be shown to be smaller than the margin:
    then `claim` is the difference, and `small` is true.
    """

    claim: Claim
    p_sign_flip: float | None
    p_equivalence: float | None
    margin: float | None

    @property
    def small(self) -> bool:
        """Whether the difference is shown to be smaller than the margin."""
        return self.p_equivalence is not None and self.p_equivalence < ALPHA


def findings(
    contrasts: Sequence[Contrast],
    *,
    direction: Direction | None,
    margin: float | None = None,
    equal: Sequence[float | None] | None = None,
) -> list[Finding]:
    """The findings of one family of adjusted contrasts, in their order.

    A contrast without a p value counts as a member in each correction. `equal` are p values for
    equivalence to be used, not adjusted yet, in the place of the usual ones.
    """
    flips = _holm([one.p_sign_flip for one in contrasts])
    equal = _holm(equal or [equivalence(one, margin) for one in contrasts])
    return [
        Finding(_claim(one, direction, flip, same), flip, same, margin)
        for one, flip, same in zip(contrasts, flips, equal, strict=True)
    ]


def equivalence(contrast: Contrast, margin: float | None) -> float | None:
    """The larger p value of two one-sided t tests against -margin and +margin, not adjusted."""
    if margin is None or contrast.difference is None or contrast.p is None or not contrast.sd:
        return None
    error = contrast.sd / contrast.n**0.5
    room = min(margin - contrast.difference, margin + contrast.difference)
    tail = two_sided(room / error, contrast.n - 1) / 2
    return tail if room > 0 else 1 - tail


def _holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's p values, those that are missing counted as 1."""
    filled = holm([1.0 if p is None else p for p in ps])
    return [None if p is None else adjusted for p, adjusted in zip(ps, filled, strict=True)]


def _claim(
    one: Contrast, direction: Direction | None, flip: float | None, equal: float | None
) -> Claim:
    if not one.enough:
        return "too few"
    if one.searches == 1:
        return "one search"
    if one.p_adjusted is None or one.difference is None:
        return "undecided"
    if one.p_adjusted < ALPHA and _agrees(one, flip):
        if direction is None:
            return "differs"
        return "helps" if (one.difference > 0) == (direction == "maximize") else "hurts"
    if equal is not None and equal < ALPHA:
        return "equivalent"
    return "undecided"


def _agrees(one: Contrast, flip: float | None) -> bool:
    """Whether the sign-flip test says so too, or has nothing to say of so many pairs."""
    if one.p_sign_flip is None or flip is None or one.n < FEWEST_PAIRS:
        return True
    return flip < ALPHA or one.p_sign_flip <= floor(one.n)
