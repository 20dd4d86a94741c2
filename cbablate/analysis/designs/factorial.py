"""`Effects`: which factor, and which pair of factors, the variation of a factorial comes from.

The analysis of variance of a factorial whose replicates are whole blocks, a seed each: every
combination of levels is trained once from every seed. Squares split into those of seeds, of each
factor, of each pair of factors, of all higher orders together, and what is left. In a balanced
design these parts are orthogonal and add up, so that none depends on an order (Montgomery, Design
and Analysis of Experiments, chapters 4 and 5).

What is left is how effects differ between seeds. Each effect is tested against its own part of it,
seed by effect, as repeated measures are: one error for all would call an effect sure in 24 of 100
studies without it where another effect depends on the seed. An effect of several degrees of freedom
needs its contrasts to vary alike; they are taken not to, and its degrees of freedom are shrunk by
Greenhouse and Geisser's epsilon (1959).
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cbablate.analysis.contrasts.contrast import ROUNDING
from cbablate.analysis.contrasts.replicates import Values, complete
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.statistics.correction import holm
from cbablate.statistics.f_distribution import tail
from cbablate.statistics.power import ALPHA
from cbablate.statistics.sign_flip import sign_flip

__all__ = ["HIGHER", "Effect", "Effects", "Part", "by_cell", "effects"]

HIGHER = "three or more factors"
"""What the orders above pairs are called, together."""

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

    `error` is how the effect differs between seeds. `partial_eta` is the share of the effect in
    effect and error; `omega` is omega squared, the share without what chance puts in, which can
    come out below zero ((SS - df MSE) / (SST + MSE); Hays 1963). `f` and `p` are of the test
    against the error, whose degrees of freedom `epsilon` shrinks (1 of a single one); `p_adjusted`
    is Holm's over the effects; None where the error does not vary. `p_sign_flip` is of the exact
    sign-flip test of an effect of one degree of freedom, not adjusted.
    """

    factors: tuple[str, ...]
    error: Part
    epsilon: float
    partial_eta: float
    omega: float
    f: float | None
    p: float | None
    p_sign_flip: float | None
    p_adjusted: float | None = None

    @property
    def sure(self) -> bool:
        """Whether p is below ALPHA and the sign-flip test, where there is one, agrees."""
        agrees = self.p_sign_flip is None or self.p_sign_flip < ALPHA
        return self.p_adjusted is not None and self.p_adjusted < ALPHA and agrees

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
    blocks = [_mean([one[block] for one in centred.values()]) for block in range(n)]
    of_seeds = len(y) * math.fsum(block**2 for block in blocks)
    total = math.fsum(value**2 for one in centred.values() for value in one)
    floor = (ROUNDING * max(map(abs, everything))) ** 2
    if total <= floor * len(everything):
        total = 0.0
    by_seed = [
        _components({cell: one[block] - mean for cell, one in centred.items()}, len(names))
        for block, mean in enumerate(blocks)
    ]
    found: list[Effect] = []
    for key in by_seed[0]:
        freedom = math.prod(sizes[i] - 1 for i in key)
        if len(key) > 2:
            freedom = len(y) - 1 - sum(effect.freedom for effect in found)
        of = tuple(names[i] for i in key)
        found.append(_effect(of, [one[key] for one in by_seed], freedom, total=total, floor=floor))
    ps = holm([1.0 if one.p is None else one.p for one in found])
    error = math.fsum(one.error.squares for one in found)
    return Effects(
        metric="",
        effects=tuple(
            replace(one, p_adjusted=None if one.p is None else p)
            for one, p in zip(found, ps, strict=True)
        ),
        seeds=Part(n - 1, of_seeds, _share(of_seeds, total)),
        error=Part((len(y) - 1) * (n - 1), error, _share(error, total)),
        squares=total,
        blocks=(),
        left_out=(),
    )


def _components(y: Mapping[Cell, float], factors: int) -> dict[tuple[int, ...], list[float]]:
    """What each effect puts into each cell of a table whose mean is 0, by the effect's factors."""
    mains = [_margin(y, (i,)) for i in range(factors)]
    found: dict[tuple[int, ...], list[float]] = {
        (i,): [main[(cell[i],)] for cell in y] for i, main in enumerate(mains)
    }
    for i, j in itertools.combinations(range(factors), 2):
        pair = _margin(y, (i, j))
        found[i, j] = [
            pair[cell[i], cell[j]] - mains[i][(cell[i],)] - mains[j][(cell[j],)] for cell in y
        ]
    if factors > 2:
        fitted = map(math.fsum, zip(*found.values(), strict=True))
        found[tuple(range(factors))] = [
            value - fit for value, fit in zip(y.values(), fitted, strict=True)
        ]
    return found


def _effect(
    factors: tuple[str, ...],
    by_seed: Sequence[Sequence[float]],
    freedom: int,
    *,
    total: float,
    floor: float,
) -> Effect:
    """An effect from what it puts into each cell, by seed."""
    n = len(by_seed)
    means = [_mean(cell) for cell in zip(*by_seed, strict=True)]
    apart = [[v - mean for v, mean in zip(one, means, strict=True)] for one in by_seed]
    gram = [[math.fsum(map(operator.mul, one, other)) for other in apart] for one in apart]
    squares = n * math.fsum(mean**2 for mean in means)
    own = math.fsum(gram[i][i] for i in range(n))
    error = Part(freedom * (n - 1), own, _share(own, total))
    noise = own / error.freedom
    # that of several contrasts' covariance, whose trace and sum of squares the seeds' products have
    spread = freedom * math.fsum(value**2 for row in gram for value in row)
    epsilon = min(1.0, max(1 / freedom, _share(own**2, spread)))
    f = squares / freedom / noise if noise > floor else None
    p = None if f is None else tail(f, epsilon * freedom, epsilon * error.freedom)
    return Effect(
        freedom=freedom,
        squares=squares,
        eta=_share(squares, total),
        factors=factors,
        error=error,
        epsilon=epsilon,
        partial_eta=_share(squares, squares + own),
        omega=_share(squares - freedom * noise, total + noise),
        f=f,
        p=p,
        p_sign_flip=sign_flip([one[0] for one in by_seed]) if freedom == 1 else None,
    )


def _margin(means: Mapping[Cell, float], places: tuple[int, ...]) -> dict[Cell, float]:
    """Means over all factors but those at these places."""
    gathered: dict[Cell, list[float]] = {}
    for cell, mean in means.items():
        gathered.setdefault(tuple(cell[i] for i in places), []).append(mean)
    return {key: _mean(found) for key, found in gathered.items()}


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _mean(found: Sequence[float]) -> float:
    return math.fsum(found) / len(found)
