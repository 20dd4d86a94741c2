"""Looking at differences after each further seed, and being allowed to.

Testing at 5 % after every seed until something is found finds something in a third of null
studies. Here each look spends a part of ALPHA, by the spending function of O'Brien and Fleming's
type (Lan and DeMets 1983), which spends hardly anything early and nearly all at the planned end.
The nominal levels come from the normal theory of repeated looks and are applied to the p values
of paired t tests (Jennison and Turnbull 2000, section 4.4). That alone raises false alarms by up
to a sixth, as the spread is estimated anew at each look (simulated: docs/decisions/0015); so all of
it is done at an alpha that is smaller by an allowance for that.

Levels grow with alpha at every look. So the smallest alpha at which a look decides is a p value
that holds however often one has looked before (a sequential p value: Liu and Anderson 2008), and
the interval at that look's own level holds jointly over all looks (a repeated confidence interval:
Jennison and Turnbull 1989). Of several comparisons each has its share of alpha.

Pairs that failed for good leave alpha unspent at the last look; then it is spent there, whatever
part of the planned pairs there is. That is how a spending function is used where information falls
short of its plan; which pairs there are must not depend on how large differences are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from statistics import NormalDist
from threading import Lock
from typing import TYPE_CHECKING, Any

from cbablate.statistics.correction import share
from cbablate.statistics.power import ALPHA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

__all__ = ["Looks", "nominal_levels", "spent"]

_POINTS = ((120, 96), (400, 192), (1000, 384))
"""Points of Gauss's rule over what has not been stopped yet, up to so many looks: each step is then
wide enough for the points, and levels are right to 1e-5 or better.
"""
_HALVINGS = 42
"""Halvings of the interval that holds a bound: to 12 standard deviations x 2^-42."""
_LARGEST = 12.0
"""No bound is further out, in standard deviations: what is there has no chance worth a word."""
_KNOTS = tuple(10.0 ** (exponent / 2) for exponent in range(-14, 0))
"""Alphas between which sequential p values are interpolated; p below the first is told as it."""
_MOST_SHARES = 24
"""The sizes of a family up to which ALPHA's shares are knots too, so that these are exact."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Looks:
    """The plan of looking: at `fewest` pairs, then after each further one, up to `most`."""

    fewest: int
    most: int

    def level(self, n: int, alpha: float = ALPHA, *, last: bool = False) -> float:
        """The two-sided p that the test at n pairs must be below, `alpha` over all looks.

        A `last` look spends what is left. It may have fewer pairs than were asked of the first.
        """
        if last:
            return nominal_levels(self._until(n), alpha / self.allowance, last=True)[-1]
        return _growing(self.shares, (alpha / self.allowance,)).at(n - self.fewest)[0]

    def levels(self, alpha: float = ALPHA) -> tuple[float, ...]:
        """The levels of all looks as they are planned, the last at `most` pairs.

        Raises:
            ValueError: fewer than two pairs at the first look, or more than at the last.
        """
        return nominal_levels(self.shares, alpha / self.allowance)

    @property
    def allowance(self) -> float:
        """By how much alpha is made smaller, as spreads are estimated.

        As much as was simulated to be needed by 7 to 100 replicates at most. A single look is an
        exact t test, and needs none.
        """
        return 1.0 if self.fewest == self.most else 1 + min(0.18, 0.02 + 3.6 / self.most)

    @property
    def shares(self) -> tuple[float, ...]:
        """What part of the planned pairs each look has.

        Raises:
            ValueError: as `levels` says.
        """
        if not 2 <= self.fewest <= self.most:
            raise ValueError(
                f"looks go from two pairs or more to at least as many, not {self.fewest} to "
                f"{self.most}"
            )
        return self._until(self.most)

    def _until(self, n: int) -> tuple[float, ...]:
        return tuple(pairs / self.most for pairs in range(min(self.fewest, n), n + 1))

    def spent(self, n: int, *, last: bool = False) -> float:
        """What part of ALPHA is spent when so many pairs are there."""
        if last:
            return 1.0
        return spent(n / self.most) / ALPHA if n >= self.fewest else 0.0

    def p(self, n: int, p: float, *, family: int = 1, last: bool = False) -> float:
        """The sequential p value of a test at n pairs that gave p: the smallest alpha that decides.

        It is below `share(k)`, of any k up to `family`, just where the look at that alpha decides.
        Elsewhere it is interpolated between knots, to a few per cent of itself.
        """
        shares, alphas = self._until(n) if last else self.shares, _knots(min(family, _MOST_SHARES))
        found = _growing(shares, tuple(alpha / self.allowance for alpha in alphas), last=last)
        levels = found.at(len(shares) - 1 if last else n - self.fewest)
        above = next((i for i, level in enumerate(levels) if level > p), None)
        if above is None:
            return 1.0
        if above == 0:
            return alphas[0]
        low, high = alphas[above - 1], alphas[above]
        if p <= 0 or levels[above - 1] <= 0:
            return math.sqrt(low * high)
        part = math.log(p / levels[above - 1]) / math.log(levels[above] / levels[above - 1])
        return low * math.pow(high / low, min(part, 1 - 1e-12))


def spent(part: float, alpha: float = ALPHA) -> float:
    """What of alpha may be spent when so large a part of the planned pairs is there.

    Each side spends half of it, as is usual for two-sided tests.
    """
    bound = -_NORMAL.inv_cdf(alpha / 4) / math.sqrt(part)
    return 2 * math.erfc(bound / math.sqrt(2))


@lru_cache(maxsize=256)
def nominal_levels(
    shares: tuple[float, ...], alpha: float = ALPHA, *, last: bool = False
) -> tuple[float, ...]:
    """The two-sided level of each look at these shares of the planned pairs, growing to 1.

    If they end before 1, `last` says that no look comes after, so that all alpha is spent.
    """
    return tuple(column[0] for column in _columns(shares, (alpha,), last=last))


@lru_cache(maxsize=64)
def _knots(family: int) -> tuple[float, ...]:
    """Alphas in growing order, between which sequential p values are interpolated."""
    return tuple(sorted({*_KNOTS, *(share(k) for k in range(1, family + 1)), 0.999}))


class _Growing:
    """The levels of looks at several alphas, computed as far as they are asked for.

    A look's do not depend on later ones: 20 replicates of at most 1000 need not wait for 1000.
    """

    def __init__(self, columns: Iterator[tuple[float, ...]]) -> None:
        self._columns = columns
        self._known: list[tuple[float, ...]] = []
        self._lock = Lock()

    def at(self, look: int) -> tuple[float, ...]:
        """The levels of a look, the first being 0, at each alpha."""
        with self._lock:
            self._known += islice(self._columns, max(0, look + 1 - len(self._known)))
        return self._known[look]


@lru_cache(maxsize=256)
def _growing(
    shares: tuple[float, ...], alphas: tuple[float, ...], *, last: bool = False
) -> _Growing:
    return _Growing(_columns(shares, alphas, last=last))


def _columns(
    shares: Sequence[float], alphas: Sequence[float], *, last: bool = False
) -> Iterator[tuple[float, ...]]:
    """The nominal levels of each look at several alphas; a `last` one spends what is left.

    With W a Brownian motion, W(share) is the sum of differences so far. Look k's bound c is where
    the chance of staying within all bounds before and leaving at k is what may be spent at k; the
    density of what stayed is carried from look to look (Armitage, McPherson and Rowe 1969).
    """
    import numpy as np

    points_for = next((n for looks, n in _POINTS if len(shares) <= looks), _POINTS[-1][1])
    at, weights = np.polynomial.legendre.leggauss(points_for)
    count = len(alphas)
    points, mass = np.zeros((count, 1)), np.ones((count, 1))  # before the first look, all at zero
    before, gone = 0.0, np.zeros(count)
    for number, at_look in enumerate(shares, 1):
        step = math.sqrt(at_look - before)
        all_of_it = last and number == len(shares)
        may = [alpha if all_of_it else spent(at_look, alpha) for alpha in alphas]
        allowed = np.maximum(may - gone, 0.0)

        def left(
            bound: Numbers, points: Numbers = points, mass: Numbers = mass, step: float = step
        ) -> Numbers:
            out = _tail((bound[:, None] - points) / step) + _tail((bound[:, None] + points) / step)
            found: Numbers = (mass * out).sum(axis=1)
            return found

        bound = _roots(left, allowed, math.sqrt(at_look))
        yield tuple(math.erfc(float(one) / math.sqrt(2 * at_look)) for one in bound)
        gone = gone + left(bound)
        fresh = bound[:, None] * at
        apart = (fresh[:, :, None] - points[:, None, :]) / step
        np.square(apart, out=apart)
        np.multiply(apart, -0.5, out=apart)
        np.exp(apart, out=apart)
        density = np.einsum("aij,aj->ai", apart, mass) / (step * math.sqrt(2 * math.pi))
        points, mass, before = fresh, density * weights * bound[:, None], at_look


def _tail(z: Any) -> Any:
    """The chance that a standard normal variable is greater."""
    from scipy.special import ndtr  # only a study that looks in between waits for it

    return ndtr(-z)


def _roots(left: Callable[[Numbers], Numbers], allowed: Numbers, scale: float) -> Numbers:
    """The bounds beyond which so much is left; left falls as a bound grows."""
    import numpy as np

    low, high = np.zeros_like(allowed), np.full_like(allowed, _LARGEST * scale)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        more = left(middle) > allowed
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    found: Numbers = high
    return found
