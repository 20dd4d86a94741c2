"""`Effects`: which factor, and which pair of factors, the variation of a factorial comes from.

The analysis of variance of a factorial whose replicates are whole blocks, a seed each: every
combination of levels is trained once from every seed. Squares split into those of seeds, of each
factor, of each pair of factors, of all higher orders together, and what is left, which is the
error. In a balanced design these parts are orthogonal and add up, so that none depends on an
order (Montgomery, Design and Analysis of Experiments, chapters 4 and 5).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cbablate.analysis.contrasts.replicates import Values, complete
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.statistics.correction import holm

__all__ = ["HIGHER", "Effect", "Effects", "Part", "by_cell", "effects"]

HIGHER = "three or more factors"
"""What the orders above pairs are called, together."""
_ROUNDING = 16 * 2.0**-52
"""An error whose root is less than this part of the values is of rounding only."""

Cell = tuple[str, ...]
"""One level's name for each factor, in the study's order."""


@dataclass(frozen=True)
class Part:
    """A sum of squares, its degrees of freedom, and its share of all squares (eta squared)."""

    freedom: int
    squares: float
    eta: float


@dataclass(frozen=True)
class Effect(Part):
    """What one factor, one pair of them, or all higher orders contribute.

    `partial_eta` is the share of the effect in effect and error; `omega` is omega squared, the
    share without what chance puts in, which can come out below zero
    ((SS - df MSE) / (SST + MSE); Hays 1963). `f` and `p` are of the test against the error,
    `p_adjusted` Holm's over the effects; None where the error does not vary.
    """

    factors: tuple[str, ...]
    partial_eta: float
    omega: float
    f: float | None
    p: float | None
    p_adjusted: float | None = None

    @property
    def name(self) -> str:
        """`width`, `width x depth`; of more than three factors, the higher orders together."""
        return " \u00d7 ".join(self.factors) if len(self.factors) <= 3 else HIGHER


@dataclass(frozen=True)
class Effects:
    """The decomposition of one metric. `blocks` replicates entered; `left_out` are not whole."""

    metric: str
    effects: tuple[Effect, ...]
    seeds: Part
    error: Part
    squares: float
    blocks: tuple[int, ...]
    left_out: tuple[int, ...]

    @property
    def of(self) -> Mapping[tuple[str, ...], Effect]:
        """Effects by their factors."""
        return {one.factors: one for one in self.effects}


def effects(plan: Plan, found: Values, metric: str) -> Effects:
    """The effects of a study's factors on a metric, from its values by arm and replicate.

    Raises:
        CbablateError: the design lacks combinations, fewer than two replicates are whole, or
            nothing varies.
    """
    cells = by_cell(plan)
    every = [*cells.values()]
    blocks = complete(found, every)
    if len(blocks) < 2:
        raise CbablateError(_too_few(plan, found, len(blocks)))
    known = {replicate for arm in every for replicate in found[arm]}
    y = {cell: [found[arm][block] for block in blocks] for cell, arm in cells.items()}
    split = _split(plan, y)
    if split.squares == 0.0:
        raise CbablateError(f"{metric} is the same in all trials: there is no variation to share")
    return replace(
        split,
        metric=metric,
        blocks=tuple(blocks),
        left_out=tuple(sorted(known - {*blocks})),
    )


def by_cell(plan: Plan) -> dict[Cell, str]:
    """The arm of every combination of levels, by the levels' names.

    Raises:
        CbablateError: the study has no factors, or its design leaves combinations out.
    """
    factors = plan.study.factors
    if not factors:
        raise CbablateError(f"study '{plan.study.name}' has no factors, so there are no effects")
    cells = {tuple(arm.levels[f.name] for f in factors): arm.id for arm in plan.arms}
    asked = [
        tuple(level.name for level in levels)
        for levels in itertools.product(*(factor.levels for factor in factors))
    ]
    missing = sum(cell not in cells for cell in asked)
    if missing:
        raise CbablateError(
            f"effects need every combination of the factors' levels; design {plan.study.design} of "
            f"study '{plan.study.name}' leaves out {missing:,} of {len(asked):,}. Use design: "
            "factorial"
        )
    return {cell: cells[cell] for cell in asked}


def _too_few(plan: Plan, found: Values, blocks: int) -> str:
    """Why nothing can be decomposed: which arms keep replicates from being whole."""
    most = max(len(found[arm.id]) for arm in plan.arms)
    short = [f"'{arm.name}' ({len(found[arm.id])})" for arm in plan.arms if not found[arm.id]]
    short = short or [
        f"'{arm.name}' ({len(found[arm.id])})" for arm in plan.arms if len(found[arm.id]) < most
    ]
    whose = f"; the fewest values have {', '.join(short[:5])}" if short else ""
    more = f" and {len(short) - 5} more arms" if len(short) > 5 else ""
    count = f"{blocks or 'no'} replicate{' is' if blocks == 1 else 's are'}"
    return (
        f"effects need two replicates or more that all {len(plan.arms)} arms have completed: so "
        f"far {count} whole{whose}{more}"
    )


def _split(plan: Plan, y: Mapping[Cell, Sequence[float]]) -> Effects:
    """All squares and tests of a balanced table of values, n a cell."""
    names = [factor.name for factor in plan.study.factors]
    sizes = [len(factor.levels) for factor in plan.study.factors]
    n = len(next(iter(y.values())))
    everything = [value for one in y.values() for value in one]
    grand = _mean(everything)
    centred = {cell: [value - grand for value in one] for cell, one in y.items()}
    means = {cell: _mean(one) for cell, one in centred.items()}
    blocks = [_mean([one[block] for one in centred.values()]) for block in range(n)]
    mains = [_margin(means, (i,)) for i in range(len(names))]
    squares: dict[tuple[int, ...], float] = {}
    fitted = dict.fromkeys(means, 0.0)
    for i, main in enumerate(mains):
        squares[(i,)] = n * math.fsum(main[(cell[i],)] ** 2 for cell in means)
        fitted = {cell: fit + main[(cell[i],)] for cell, fit in fitted.items()}
    for i, j in itertools.combinations(range(len(names)), 2):
        pair = {
            key: mean - mains[i][key[:1]] - mains[j][key[1:]]
            for key, mean in _margin(means, (i, j)).items()
        }
        squares[(i, j)] = n * math.fsum(pair[cell[i], cell[j]] ** 2 for cell in means)
        fitted = {cell: fit + pair[cell[i], cell[j]] for cell, fit in fitted.items()}
    if len(names) > 2:
        higher = n * math.fsum((mean - fitted[cell]) ** 2 for cell, mean in means.items())
        squares[tuple(range(len(names)))] = higher
    error = math.fsum(
        (value - means[cell] - blocks[block]) ** 2
        for cell, one in centred.items()
        for block, value in enumerate(one)
    )
    of_seeds = len(y) * math.fsum(block**2 for block in blocks)
    total = math.fsum(value**2 for one in centred.values() for value in one)
    floor = (_ROUNDING * max(map(abs, everything))) ** 2
    if total <= floor * len(everything):
        total = 0.0
    return _tested(
        squares,
        names=names,
        sizes=sizes,
        seeds=Part(n - 1, of_seeds, _share(of_seeds, total)),
        error=Part((len(y) - 1) * (n - 1), error, _share(error, total)),
        total=total,
        floor=floor,
    )


def _tested(
    squares: Mapping[tuple[int, ...], float],
    *,
    names: Sequence[str],
    sizes: Sequence[int],
    seeds: Part,
    error: Part,
    total: float,
    floor: float,
) -> Effects:
    """The effects with their shares and tests, from their squares."""
    mean_error = error.squares / error.freedom
    of_cells = math.prod(sizes) - 1
    found: list[Effect] = []
    for key, one in squares.items():
        freedom = math.prod(sizes[i] - 1 for i in key)
        if len(key) > 2:
            freedom = of_cells - sum(effect.freedom for effect in found)
        varies = mean_error > floor
        f = one / freedom / mean_error if varies else None
        found.append(
            Effect(
                freedom=freedom,
                squares=one,
                eta=_share(one, total),
                factors=tuple(names[i] for i in key),
                partial_eta=_share(one, one + error.squares),
                omega=_share(one - freedom * mean_error, total + mean_error),
                f=f,
                p=None if f is None else _tail(f, freedom, error.freedom),
            )
        )
    ps = holm([1.0 if one.p is None else one.p for one in found])
    tested = tuple(
        replace(one, p_adjusted=None if one.p is None else p)
        for one, p in zip(found, ps, strict=True)
    )
    return Effects("", tested, seeds, error, total, (), ())


def _margin(means: Mapping[Cell, float], places: tuple[int, ...]) -> dict[Cell, float]:
    """Means over all factors but those at these places."""
    gathered: dict[Cell, list[float]] = {}
    for cell, mean in means.items():
        gathered.setdefault(tuple(cell[i] for i in places), []).append(mean)
    return {key: _mean(found) for key, found in gathered.items()}


def _tail(f: float, above: int, below: int) -> float:
    """The chance of an F statistic at least as large."""
    from scipy.special import fdtrc  # half a second, which printing a plain table does not spend

    return float(fdtrc(above, below, f))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _mean(found: Sequence[float]) -> float:
    return math.fsum(found) / len(found)
