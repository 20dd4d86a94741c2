from __future__ import annotations

import random

import pytest
import scipy.stats

from cbablate.analysis.designs.screening import screened
from cbablate.analysis.summary import summarize
from cbablate.errors import CbablateError
from cbablate.reporting.sentences.note import notes
from cbablate.reporting.tables.catalog import VIEWS
from tests.analysis.grid import facts_of, grid, laid

WEIGHTS = (1.0, -0.5, 0.0, 0.25, 2.0)


@pytest.mark.parametrize("design", ["fractional", "plackett_burman"])
def test_effects_that_add_up_come_out_as_they_are(design: str) -> None:
    plan = grid(2, 2, 2, 2, 2, design=design)
    found = laid(
        plan, lambda at, r: sum(w * on for w, on in zip(WEIGHTS, at, strict=True)) + 3.0 * r
    )
    said = [one.effect.difference for one in screened(plan, found)]
    assert said == pytest.approx(WEIGHTS, abs=1e-12)


def test_a_fractions_effects_are_not_moved_by_pairs_and_plackett_burmans_are() -> None:
    def moved(design: str) -> float:
        plan = grid(2, 2, 2, 2, design=design)
        found = laid(plan, lambda at, r: 1.0 * at[0] * at[1] + r)
        said = screened(plan, found)
        return max(abs(said[factor].effect.difference or 0.0) for factor in (2, 3))

    assert moved("fractional") == pytest.approx(0.0, abs=1e-12)
    assert moved("plackett_burman") > 0.2


def test_p_is_a_t_test_over_seeds_with_holm_over_factors() -> None:
    plan = grid(2, 2, 2, 2, design="fractional", replicates=6)
    draw = random.Random(4)
    found = laid(plan, lambda at, _r: 0.3 * at[0] + draw.gauss(0, 0.5))
    effects = [
        sum((2 * (arm.levels["ceiling"] != "0") - 1) * found[arm.id][r] for arm in plan.arms) / 4
        for r in range(6)
    ]
    one = screened(plan, found)[0].effect
    assert one.p == pytest.approx(scipy.stats.ttest_1samp(effects, 0).pvalue, rel=1e-9)
    assert (one.family, one.n) == (4, 6)


def test_an_arm_without_values_is_refused() -> None:
    plan = grid(2, 2, 2, 2, design="fractional")
    found = laid(plan, lambda _at, r: float(r))
    found[plan.arms[2].id].clear()
    with pytest.raises(CbablateError, match="all 8 arms have completed; so far there are none"):
        screened(plan, found)


def test_the_table_of_effects_and_the_notes_of_the_arms_state_the_aliases() -> None:
    plan = grid(2, 2, 2, 2, design="fractional")
    draw = random.Random(1)
    facts = facts_of(plan, laid(plan, lambda at, _r: 1.0 * at[3] + draw.gauss(0, 0.1)))
    summary = summarize(plan, facts)
    table = VIEWS["effects"](plan, summary)
    assert table.rows[0].cells[0].plain == "noise", "the largest effect comes first"
    for said in (table.notes, notes(plan, summary)):
        assert any("resolution IV" in note for note in said)
    with pytest.raises(CbablateError, match="cumulative"):
        VIEWS["components"](plan, summary)
