"""Values near the ends of what a float can hold: every interval is that of others, scaled."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from cbablate.analysis.contrasts.contrast import Contrast, contrast
from cbablate.analysis.contrasts.dunnett import dunnett
from cbablate.analysis.summary import summarize
from cbablate.reporting.forms.form import FORMS, render
from cbablate.reporting.tables.arms import ablation_table
from cbablate.spec.analysis import Analysis
from tests.analysis.grid import facts_of, grid, laid

Values = dict[str, dict[int, float]]


def drawn(power: int) -> Values:
    """Twelve values of two arms, times two to this power."""
    draw = random.Random(3)
    return {
        arm: {r: math.ldexp(shift + draw.gauss(0, 1), power) for r in range(12)}
        for arm, shift in (("base", 2.0), ("arm", 3.0))
    }


def bootstrapped(values: Values) -> Contrast:
    return contrast(values["arm"], values["base"], against="base", how=Analysis(interval="bca"))


def unpaired(values: Values) -> Contrast:
    left = {r + 12: value for r, value in values["arm"].items()}
    return contrast(left, values["base"], against="base")


def joint(values: Values) -> Contrast:
    return dunnett(values, ["arm"], "base")[0]


@pytest.mark.parametrize("compared", [bootstrapped, unpaired, joint])
@pytest.mark.parametrize("power", [-1000, 1010])
def test_intervals_of_huge_and_of_tiny_values_are_those_of_others_scaled(
    compared: Callable[[Values], Contrast], power: int
) -> None:
    usual, extreme = compared(drawn(0)), compared(drawn(power))
    assert (extreme.p, extreme.kind) == (usual.p, usual.kind)
    assert usual.low is not None and usual.high is not None
    ends = (math.ldexp(usual.low, power), math.ldexp(usual.high, power))
    assert (extreme.low, extreme.high) == ends


@pytest.mark.parametrize("size", [1e-310, 1e300])
def test_a_table_of_huge_or_of_tiny_values_has_every_form(size: float) -> None:
    plan, draw = grid(2, design="one_at_a_time", replicates=6), random.Random(5)
    values = laid(plan, lambda at, _r: size * (1 + at[0]) + size / 10 * draw.gauss(0, 1))
    table = ablation_table(plan, summarize(plan, facts_of(plan, values)))
    assert all(render(table, form) for form in FORMS)
