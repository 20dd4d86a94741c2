"""Power: what a number of replicates can show, before any of them is trained.

An effect is a true mean difference in units of the spread (the standard deviation) of the paired
differences. The level is that of one comparison: of several made together, its share of ALPHA
(`correction.share`). All of it is computed without scipy, which would cost more than the second in
which a plan is printed.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

from cbablate.statistics.student_t import critical

__all__ = [
    "ALPHA",
    "FEWEST_PAIRS",
    "FEWEST_SEARCHES",
    "MOST_PAIRS",
    "MOST_REPLICATES",
    "POWER",
    "detectable",
    "floor",
    "pairs_to_flip",
    "power",
    "replicates_for",
]

ALPHA = 0.05
"""The chance, over a family of comparisons in which nothing differs, of finding a difference."""
POWER = 0.8
"""The chance of seeing a difference that is there, by which replicates are counted."""
MOST_PAIRS = 20
"""The most pairs with an exact sign-flip test; a t test of more hardly minds their shape."""
MOST_REPLICATES = 1000
"""No study has more, so more are never asked for."""
_PANELS = 128
"""Intervals of Simpson's rule in each piece of an integral: errors stay below 1e-6."""


def floor(pairs: int) -> float:
    """The smallest two-sided p value of an exact sign-flip test: all pairs of one sign."""
    return math.ldexp(1.0, 1 - pairs) if pairs > 0 else 1.0


def pairs_to_flip(level: float = ALPHA) -> int:
    """The fewest pairs whose sign-flip test can be below a level."""
    pairs = 1
    while floor(pairs) >= level:
        pairs += 1
    return pairs


FEWEST_PAIRS = pairs_to_flip()
"""With fewer pairs an exact sign-flip test cannot reach ALPHA, even for a single comparison."""
FEWEST_SEARCHES = 3
"""With fewer searches of each arm nothing is claimed: two tell next to nothing of their spread."""


def power(effect: float, replicates: int, level: float = ALPHA) -> float:
    """The chance that a two-sided paired t test at this level sees this effect.

    With s the sample's spread over the true one and c the critical t, the test sees the effect
    where |z + effect sqrt(n)| > c s: given s that is a sum of two normal probabilities, and the
    density of s is that of sqrt(chi squared / freedom). The integral is the distribution function
    of the noncentral t (Johnson, Kotz, Balakrishnan 1995, chapter 31). 0 below two replicates.
    """
    if replicates < 2:
        return 0.0
    freedom = replicates - 1
    shift = abs(effect) * math.sqrt(replicates)
    bound = critical(freedom, 1 - level)
    low, high = _support(freedom)
    steep = (shift / bound - 9 / bound, shift / bound, shift / bound + 9 / bound)
    cuts = [low, *(cut for cut in steep if low < cut < high), high]
    seen = math.fsum(
        _simpson(start, end, freedom=freedom, shift=shift, bound=bound)
        for start, end in pairwise(cuts)
    )
    return min(1.0, max(0.0, seen))


@lru_cache(maxsize=256)
def detectable(replicates: int, level: float = ALPHA) -> float | None:
    """The smallest effect that is seen with `POWER`, in spreads; None below two replicates."""
    if replicates < 2:
        return None
    low, high = 0.0, 1.0
    while power(high, replicates, level) < POWER:
        high *= 2
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        if power(middle, replicates, level) < POWER:
            low = middle
        else:
            high = middle
    return high


def replicates_for(effect: float, level: float = ALPHA) -> int | None:
    """The fewest replicates that see this effect with `POWER`; None if `MOST_REPLICATES` do not."""
    if power(effect, MOST_REPLICATES, level) < POWER:
        return None
    low, high = 1, MOST_REPLICATES
    while high - low > 1:
        middle = (low + high) // 2
        if power(effect, middle, level) < POWER:
            low = middle
        else:
            high = middle
    return high


def _support(freedom: int) -> tuple[float, float]:
    """Where sqrt(chi squared / freedom) lies but for a chance of 1e-11 or less."""
    reach = 6 / math.sqrt(freedom)
    return max(0.0, 1 - reach), 1 + reach


def _simpson(start: float, end: float, *, freedom: int, shift: float, bound: float) -> float:
    """The integral of density times chance over a piece, by Simpson's rule."""
    constant = math.log(2) + freedom / 2 * math.log(freedom / 2) - math.lgamma(freedom / 2)
    step = (end - start) / _PANELS
    terms: list[float] = []
    for index in range(_PANELS + 1):
        s = start + step * index
        if s <= 0:
            density = math.exp(constant) if freedom == 1 else 0.0
        else:
            density = math.exp(constant + (freedom - 1) * math.log(s) - freedom * s * s / 2)
        chance = _above(bound * s - shift) + _above(bound * s + shift)
        weight = 1 if index in (0, _PANELS) else 4 if index % 2 else 2
        terms.append(weight * density * chance)
    return math.fsum(terms) * step / 3


def _above(z: float) -> float:
    """The chance that a standard normal variable is greater."""
    return math.erfc(z / math.sqrt(2)) / 2
