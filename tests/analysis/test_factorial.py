from __future__ import annotations

import math
import random

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.designs.factorial import HIGHER, Effects, effects
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from tests.analysis.grid import grid, laid, noise


def drawn(plan: Plan, seed: int) -> dict[str, dict[int, float]]:
    draw = random.Random(seed)
    seeds = [draw.gauss(0, 0.5) for _ in range(plan.study.replicates)]
    return laid(plan, lambda levels, r: sum(levels) * 0.7 + seeds[r] + draw.gauss(0, 1))


def test_a_constructed_factorial_gives_back_the_shares_it_was_made_of() -> None:
    plan = grid(3, 2, replicates=6)
    size, place, both, block = (
        (-1.0, 0.25, 0.75),
        (-0.5, 0.5),
        (0.2, -0.3, 0.1),
        (3, -2, 1, -3, 2, -1),
    )
    error = noise(plan, 1, 0.4)
    clean = laid(
        plan,
        lambda at, r: (
            90 + size[at[0]] + place[at[1]] + both[at[0]] * (2 * at[1] - 1) + block[r] / 10
        ),
    )
    found = {arm: {r: clean[arm][r] + error[arm][r] for r in clean[arm]} for arm in clean}
    squares = {
        ("ceiling",): 12 * sum(a * a for a in size),
        ("start",): 18 * sum(b * b for b in place),
        ("ceiling", "start"): 12 * sum(c * c for c in both),
    }
    seeds = 6 * sum(b * b / 100 for b in block)
    rest = sum(e * e for one in error.values() for e in one.values())
    total = sum(squares.values()) + seeds + rest
    said = effects(plan, found, "test/score")
    for names, square in squares.items():
        one = said.of[names]
        own = one.error.squares
        assert one.eta == pytest.approx(square / total, rel=1e-9)
        assert one.partial_eta == pytest.approx(square / (square + own), rel=1e-9)
        chance = own / one.error.freedom
        omega = (square - one.freedom * chance) / (total + chance)
        assert one.omega == pytest.approx(omega, rel=1e-9)
        assert one.f == pytest.approx(square / one.freedom / chance, rel=1e-9)
    assert sum(one.error.squares for one in said.effects) == pytest.approx(rest, rel=1e-9)
    assert sum(one.error.freedom for one in said.effects) == said.error.freedom
    assert said.seeds.eta == pytest.approx(seeds / total, rel=1e-9)
    assert (said.seeds.freedom, said.error.freedom) == (5, 25)
    assert said.error.eta == pytest.approx(rest / total, rel=1e-9)


def test_squares_are_those_of_statsmodels_and_tests_those_of_its_repeated_measures() -> None:
    pandas = pytest.importorskip("pandas")
    formula = pytest.importorskip("statsmodels.formula.api")
    anova = pytest.importorskip("statsmodels.stats.anova")
    plan = grid(2, 3, 2, replicates=5)
    found = drawn(plan, 4)
    frame = pandas.DataFrame(
        [
            {**arm.levels, "seed": str(r), "y": y}
            for arm in plan.arms
            for r, y in found[arm.id].items()
        ]
    )
    model = formula.ols("y ~ C(seed) + C(ceiling)*C(start)*C(rate)", frame).fit()
    theirs = anova.anova_lm(model, typ=2)
    measured = anova.AnovaRM(frame, "y", "seed", within=["ceiling", "start", "rate"]).fit()
    ours = effects(plan, found, "test/score")
    for one in ours.effects:
        row = theirs.loc[":".join(f"C({name})" for name in one.factors)]
        assert one.freedom == row["df"]
        assert one.squares == pytest.approx(row["sum_sq"], rel=1e-9)
        row = measured.anova_table.loc[":".join(one.factors)]
        assert one.f == pytest.approx(row["F Value"], rel=1e-9)
        assert (one.freedom, one.error.freedom) == (row["Num DF"], row["Den DF"])
        if one.freedom == 1:
            assert one.p == pytest.approx(row["Pr > F"], rel=1e-9)
    assert ours.error.squares == pytest.approx(theirs.loc["Residual", "sum_sq"], rel=1e-9)
    assert ours.seeds.squares == pytest.approx(theirs.loc["C(seed)", "sum_sq"], rel=1e-9)


def test_several_degrees_of_freedom_are_shrunk_as_greenhouse_and_geisser_do() -> None:
    """Epsilon by the textbook: eigenvalues of the covariance of orthonormal contrasts."""
    plan = grid(4, replicates=6)
    draw = np.random.default_rng(3)
    spread = np.array([[1, 0.8, 0, 0], [0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0.3]])
    y = draw.normal(size=(6, 4)) @ spread
    found = {arm.id: dict(enumerate(map(float, y[:, k]))) for k, arm in enumerate(plan.arms)}
    contrasts = scipy.linalg.null_space(np.ones((1, 4)))
    eigen = np.linalg.eigvalsh(np.cov(y @ contrasts, rowvar=False))
    (said,) = effects(plan, found, "test/score").effects
    epsilon = eigen.sum() ** 2 / (3 * (eigen**2).sum())
    assert said.epsilon == pytest.approx(epsilon, rel=1e-9)
    assert said.p == pytest.approx(scipy.stats.f.sf(said.f, 3 * epsilon, 15 * epsilon), rel=1e-9)


@pytest.mark.parametrize("sizes", [(2, 2), (3, 2)])
def test_an_effect_that_depends_on_the_seed_raises_no_false_alarm(sizes: tuple[int, ...]) -> None:
    """One error for all effects called the first factor sure in 24 of 100 such studies."""
    plan, studies, wrong = grid(*sizes, replicates=6), 400, 0
    for study in range(studies):
        draw = random.Random(study)
        own = [[draw.gauss(0, 1) for _ in range(sizes[0])] for _ in range(6)]
        found = laid(plan, lambda at, r, own=own, draw=draw: own[r][at[0]] + draw.gauss(0, 0.3))
        p = effects(plan, found, "test/score").of["ceiling",].p
        wrong += p is not None and p < 0.05
    assert wrong / studies < 0.075


def test_two_levels_of_one_factor_are_the_paired_t_test() -> None:
    plan = grid(2, replicates=7)
    found = drawn(plan, 9)
    one, other = (list(found[arm.id].values()) for arm in plan.arms)
    t = scipy.stats.ttest_rel(one, other)
    (said,) = effects(plan, found, "test/score").effects
    assert said.f == pytest.approx(t.statistic**2, rel=1e-9)
    assert said.p == pytest.approx(t.pvalue, rel=1e-9)
    assert said.p_adjusted == said.p


def shares(said: Effects) -> list[float]:
    return [one.eta for one in (*said.effects, said.seeds, said.error)]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(2, 3), min_size=1, max_size=4), st.integers(2, 4), st.integers(0, 99))
def test_shares_add_up_to_one_and_degrees_of_freedom_to_all_but_one(
    sizes: list[int], n: int, seed: int
) -> None:
    plan = grid(*sizes, replicates=n)
    said = effects(plan, drawn(plan, seed), "test/score")
    assert math.fsum(shares(said)) == pytest.approx(1.0, abs=1e-12)
    freedom = sum(one.freedom for one in said.effects) + said.seeds.freedom + said.error.freedom
    assert freedom == len(plan.trials) - 1


@settings(deadline=None, max_examples=25)
@given(st.floats(-1e6, 1e6), st.integers(-20, 20))
def test_another_unit_and_origin_change_no_share(origin: float, power: int) -> None:
    plan = grid(2, 3)
    found = drawn(plan, 2)
    moved = {
        arm: {r: math.ldexp(y, power) + math.ldexp(origin, power) for r, y in one.items()}
        for arm, one in found.items()
    }
    assert shares(effects(plan, moved, "m")) == pytest.approx(
        shares(effects(plan, found, "m")), rel=1e-6, abs=1e-9
    )


def test_orders_above_pairs_of_four_factors_are_one_row() -> None:
    said = effects(grid(2, 2, 2, 2), drawn(grid(2, 2, 2, 2), 3), "test/score")
    last = said.effects[-1]
    assert (len(said.effects), last.name, last.freedom) == (11, HIGHER, 5)


def test_a_replicate_that_an_arm_lacks_is_left_out_and_said() -> None:
    plan = grid(2, 2, replicates=4)
    found = drawn(plan, 5)
    del found[plan.arms[2].id][1]
    said = effects(plan, found, "test/score")
    assert (said.blocks, said.left_out) == ((0, 2, 3), (1,))


def test_missing_cells_are_refused_by_name() -> None:
    plan = grid(2, 2, replicates=3)
    found = drawn(plan, 5)
    found[plan.arms[3].id].clear()
    with pytest.raises(
        CbablateError, match=r"all 4 arms have completed: .*'ceiling 1, start 1' \(0\)"
    ):
        effects(plan, found, "test/score")


def test_a_design_that_leaves_combinations_out_is_refused() -> None:
    plan = grid(2, 2, design="one_at_a_time")
    with pytest.raises(CbablateError, match="leaves out 1 of 4"):
        effects(plan, laid(plan, lambda _at, _r: 0.0), "test/score")


def test_what_never_varies_is_refused_and_what_varies_by_arm_only_is_not_tested() -> None:
    plan = grid(2, 2)
    with pytest.raises(CbablateError, match="the same in all trials"):
        effects(plan, laid(plan, lambda _at, _r: 0.3), "params")
    said = effects(plan, laid(plan, lambda at, _r: 0.1 + 0.2 * at[0]), "params")
    assert said.of["ceiling",].eta == pytest.approx(1.0)
    assert all(one.f is None and one.p_adjusted is None for one in said.effects)
