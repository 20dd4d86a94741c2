"""Designs of several factors: analysis of variance, components, screening."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import scipy.linalg
import scipy.stats

from benchmarks.statistics_checks.check import Check, Size, apart, compared, lacking, missed, share
from benchmarks.statistics_checks.fabricated import factorial
from cbablate.analysis.designs.components import components, pairs, ratio_interval
from cbablate.analysis.designs.factorial import by_cell, effects
from cbablate.analysis.designs.screening import screened
from cbablate.planning.plan import Plan
from cbablate.planning.screening import fractional, plackett_burman

Values = Mapping[str, Mapping[int, float]]

REACTION = (
    (420, 420, 480, 480, 600, 780),
    (420, 480, 480, 360, 480, 600),
    (480, 480, 540, 660, 780, 780),
    (420, 540, 540, 480, 780, 900),
    (540, 660, 540, 480, 660, 720),
    (360, 420, 360, 360, 480, 540),
    (480, 480, 600, 540, 720, 840),
    (480, 600, 660, 540, 720, 900),
    (540, 600, 540, 480, 720, 780),
    (480, 420, 540, 540, 660, 780),
)
"""Reaction times of ten subjects: noise absent, then present, each at 0, 4 and 8 degrees (Maxwell
and Delaney, Designing Experiments and Analyzing Data, chapter 12; also in R's ?SSD.mlm)."""
PUBLISHED = {"noise": (33.77, 1.0), "angle": (40.72, 0.962), "both": (45.31, 0.904)}
"""F and Greenhouse and Geisser's epsilon, rounded as there and in R's ?anova.mlm."""


def checks(size: Size) -> Iterator[Check]:
    """All of them."""
    yield from _variance(size)
    yield _published()
    yield _epsilon(size)
    yield from _alarms(size)
    yield _shapley()
    yield _fieller(size)
    yield _adding_up(size)
    yield _screened(size)
    yield _orthogonal()


def _drawn(planned: Plan, seed: int, own: float = 0.5) -> dict[str, dict[int, float]]:
    """Values with an effect of every factor, a part of the seed, and noise."""
    draw = random.Random(seed)
    of_seed = [draw.gauss(0, own) for _ in range(planned.study.most_replicates)]
    return {
        arm.id: {
            r: 0.7 * sum(_levels(arm.levels)) + part + draw.gauss(0, 1)
            for r, part in enumerate(of_seed)
        }
        for arm in planned.arms
    }


def _levels(levels: Mapping[str, str]) -> list[int]:
    return [int(level.split()[-1]) for level in levels.values()]


def _frame(planned: Plan, values: Values) -> Any:
    import pandas

    return pandas.DataFrame(
        [
            {**arm.levels, "seed": str(r), "y": y}
            for arm in planned.arms
            for r, y in values[arm.id].items()
        ]
    )


def _variance(size: Size) -> Iterator[Check]:
    squares = "analysis of variance with seeds as blocks: squares, df"
    if find_spec("statsmodels") is None:
        yield lacking(squares, "statsmodels")
        return
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import AnovaRM, anova_lm

    far = far_f = 0.0
    designs = ((2, 2), (3, 2), (2, 3, 2), (2, 2, 2), (4, 3))
    for seed, sizes in enumerate(designs):
        planned = factorial(sizes, 5)
        values = _drawn(planned, seed)
        names = [factor.name for factor in planned.study.factors]
        frame = _frame(planned, values)
        model = ols(f"y ~ C(seed) + {'*'.join(f'C({name})' for name in names)}", frame).fit()
        theirs = anova_lm(model, typ=2)
        measured = AnovaRM(frame, "y", "seed", within=names).fit().anova_table
        said = effects(planned, values, "y")
        for one in said.effects:
            row = theirs.loc[":".join(f"C({name})" for name in one.factors)]
            far = max(far, apart((one.squares, one.freedom), (row["sum_sq"], row["df"])))
            row = measured.loc[":".join(one.factors)]
            known = (row["F Value"], row["Num DF"], row["Den DF"])
            far_f = max(far_f, apart((one.f, one.freedom, one.error.freedom), known))
            if one.freedom == 1:
                far_f = max(far_f, apart((one.p,), (row["Pr > F"],)))
        parts = (said.error.squares, said.seeds.squares)
        far = max(far, apart(parts, theirs.loc[["Residual", "C(seed)"], "sum_sq"]))
    yield compared(squares, "statsmodels, type II", len(designs), far, 1e-9)
    yield compared(
        "each effect against its own error: F, df, p",
        "statsmodels AnovaRM",
        len(designs),
        far_f,
        1e-9,
    )


def _published() -> Check:
    planned = factorial((2, 3), 10)
    values = {
        arm: {r: float(row[place]) for r, row in enumerate(REACTION)}
        for place, arm in enumerate(by_cell(planned).values())
    }
    said = effects(planned, values, "time").effects
    far = max(
        max(abs((one.f or 0.0) - f), 10 * abs(one.epsilon - epsilon))
        for one, (f, epsilon) in zip(said, PUBLISHED.values(), strict=True)
    )
    return compared(
        "F, and Greenhouse and Geisser's epsilon, as rounded",
        "Maxwell and Delaney; R",
        3,
        far,
        0.0051,
    )


def _epsilon(size: Size) -> Check:
    far, cases = 0.0, size.of(200)
    for case in range(cases):
        draw = np.random.default_rng(case)
        levels, n = int(draw.integers(3, 6)), int(draw.integers(4, 12))
        y = draw.normal(size=(n, levels)) @ draw.normal(size=(levels, levels))
        planned = factorial((levels,), n)
        values = {
            arm.id: dict(enumerate(map(float, y[:, k]))) for k, arm in enumerate(planned.arms)
        }
        contrasts = scipy.linalg.null_space(np.ones((1, levels)))
        eigen = np.linalg.eigvalsh(np.cov(y @ contrasts, rowvar=False))
        epsilon = eigen.sum() ** 2 / (len(eigen) * (eigen**2).sum())
        (said,) = effects(planned, values, "y").effects
        above, below = epsilon * said.freedom, epsilon * said.error.freedom
        p = float(scipy.stats.f.sf(said.f, above, below))
        far = max(far, apart((said.epsilon, said.p), (epsilon, p)))
    return compared("epsilon and p of several degrees", "eigenvalues, scipy", cases, far, 1e-9)


def _alarms(size: Size) -> Iterator[Check]:
    studies = size.of(2_000)
    for sizes, own in (((2, 2), 1.0), ((3, 2), 1.0), ((2, 2), 0.0), ((4,), 0.0)):
        planned, wrong = factorial(sizes, 6), 0
        for study in range(studies):
            draw = random.Random(study)
            of_seed = [[draw.gauss(0, own) for _ in range(sizes[0])] for _ in range(6)]
            values = {
                arm.id: {
                    r: part[_levels(arm.levels)[0]] + draw.gauss(0, 0.3)
                    for r, part in enumerate(of_seed)
                }
                for arm in planned.arms
            }
            p = effects(planned, values, "y").effects[0].p
            wrong += p is not None and p < 0.05
        shape = " x ".join(map(str, sizes))
        yield share(
            f"false alarms of a main effect, {shape}, seed x factor {own:g}, noise 0.3",
            "simulation, 6 seeds",
            wrong,
            studies,
            (0.0, 0.05),
        )


def _shapley() -> Check:
    planned = factorial((2, 2, 2), 5)
    values, far = _drawn(planned, 3), 0.0
    cells = {
        frozenset(i for i, level in enumerate(cell) if level != "0"): values[arm]
        for cell, arm in by_cell(planned).items()
    }
    said = components(planned, values, "y").components
    for player, one in enumerate(said):
        own = []
        for r in range(5):
            added = [
                cells[frozenset(order[: order.index(player) + 1])][r]
                - cells[frozenset(order[: order.index(player)])][r]
                for order in itertools.permutations(range(3))
            ]
            own.append(math.fsum(added) / len(added))
        ends = scipy.stats.ttest_1samp(own, 0).confidence_interval()
        assert one.shapley is not None
        ours = (one.shapley.mean, one.shapley.low, one.shapley.high)
        far = max(far, apart(ours, (np.mean(own), *ends)))
    return compared("Shapley values and intervals", "all orders, one by one; scipy", 3, far, 1e-12)


def _fieller(size: Size) -> Check:
    studies, held, seen = size.of(4_000), 0, 0
    for study in range(studies):
        draw = random.Random(study)
        parts = [draw.gauss(1, 0.7) for _ in range(5)]
        ends = ratio_interval(parts, [part + draw.gauss(1.5, 0.7) for part in parts])
        if ends is not None:
            seen += 1
            held += ends[0] <= 0.4 <= ends[1]
    return share("Fieller's interval of a share, n = 5", "simulation", held, seen, (0.94, 0.97))


def _adding_up(size: Size) -> Check:
    far, cases = 0.0, size.of(100)
    for case in range(cases):
        planned = factorial((2, 2), 6)
        values = _drawn(planned, case)
        (one,) = pairs(planned, values, "y")
        none, second, first, both = (
            np.array([*values[arm].values()]) for arm in by_cell(planned).values()
        )
        theirs = scipy.stats.ttest_1samp(both - first - second + none, 0)
        far = max(far, apart((one.deviation.p,), (theirs.pvalue,)))
    return compared("deviation of a pair from adding up: p", "scipy", cases, far, 1e-9)


def _screened(size: Size) -> Check:
    far = 0.0
    for design in ("fractional", "plackett_burman"):
        planned = factorial((2,) * 5, 6, design)
        values = _drawn(planned, 5)
        x = np.array([[1.0, *(_levels(arm.levels))] for arm in planned.arms])
        means = np.array([np.mean([*values[arm.id].values()]) for arm in planned.arms])
        slopes = np.linalg.lstsq(x, means, rcond=None)[0][1:]
        said = [one.effect.difference for one in screened(planned, values)]
        far = max(far, apart(said, slopes))
    return compared("effects of screening designs", "least squares (numpy)", 10, far, 1e-9)


def _orthogonal() -> Check:
    wrong, cases = 0, 0
    for make, most in ((fractional, 12), (plackett_burman, 23)):
        for factors in range(2, most + 1):
            x = 2 * np.array(make(factors)) - 1
            wrong += not _is_orthogonal(x)
            if make is fractional:
                pairs_of = [x[:, i] * x[:, j] for i, j in itertools.combinations(range(factors), 2)]
                wrong += any(abs(x.T @ pair).max() == len(x) for pair in pairs_of)
            cases += 1
    return missed(
        "screening designs: orthogonal, balanced, no factor aliased with a pair (fractional)",
        "own algebra",
        cases,
        wrong,
    )


def _is_orthogonal(x: Sequence[Any]) -> bool:
    x = np.array(x)
    return bool((x.T @ x == len(x) * np.eye(x.shape[1])).all() and not x.sum(axis=0).any())
