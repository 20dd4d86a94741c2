"""What views say of arms that were tuned, by how many searches of each there were."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence

import pytest
import scipy.stats

from cbablate.analysis.measures.alignment import alignments, cka
from cbablate.analysis.outcome import Outcome, outcome
from cbablate.analysis.standing import Standing
from cbablate.probes.catalog import GRAMS
from cbablate.reporting.forms.form import render
from cbablate.reporting.tables.view import view
from cbablate.spec.sweep import Parameter
from tests.analysis.fabrication import Telling
from tests.analysis.grid import grid
from tests.analysis.sketches import Leave, grams, sketched
from tests.analysis.tuned import searched, sweep, tuned

METRIC = "test/score"


def tuned_grid(searches: int, *sizes: int, design: str, leave: Sequence[Leave] = ()) -> Outcome:
    """Nine replicates of each arm, better by 3 for its first factor and by 2 for the first two."""
    how = sweep(space={"seconds": Parameter(kind="float", low=0.0, high=0.1)})
    planned = tuned(grid(*sizes, design=design, replicates=9), how, searches=searches)
    telling, draw = Telling(), random.Random(4)
    searched(telling, planned, lambda _s, number, _p: {"val/score": float(number)})
    rows = Standing(planned, telling.facts).rows
    for trial in rows.trials:
        first, second = [
            int(level.split()[-1]) for level in rows.arm_of[trial.arm].levels.values()
        ][:2]
        value = random.Random(trial.replicate).gauss(0, 1) + draw.gauss(0, 0.2)
        value += 3 * first + 2 * first * second
        telling.complete(trial, {METRIC: value, "val/score": value})
    return outcome(planned, sketched(rows, telling.facts, *leave))


@pytest.mark.parametrize(
    ("searches", "sizes", "design", "name"),
    [
        (1, (2, 2), "factorial", "pairs"),
        (1, (2, 2, 2, 2), "fractional", "effects"),
        (1, (2, 2, 2, 2), "plackett_burman", "effects"),
        (3, (2, 2), "factorial", "pairs"),
        (3, (2, 2, 2, 2), "plackett_burman", "effects"),
    ],
)
def test_a_view_marks_no_difference_of_arms_that_one_search_each_has_tuned(
    searches: int, sizes: tuple[int, ...], design: str, name: str
) -> None:
    one = tuned_grid(searches, *sizes, design=design)
    assert ("†" in render(view(name, one.plan, one.summary), "text")) == (searches > 1)


def test_the_search_is_the_unit_of_an_alignment_as_its_note_says() -> None:
    one = tuned_grid(3, 2, 2, design="factorial", leave=[grams])
    arm = next(each for each in alignments(one.plan, one.summary) if not each.yardstick)
    first, second = (
        {trial.replicate: grams(trial, place)[GRAMS].rows for trial in one.plan.trials}
        for place in (0, 1)
    )
    for layer, said in [*enumerate(arm.layers)][1:]:  # the first is the same in both
        found = [cka(first[r][layer], second[r][layer]) for r in range(9)]
        values = [both[0] for both in found if both is not None]
        means = [statistics.fmean(values[search::3]) for search in range(3)]
        ends = scipy.stats.t.interval(0.95, 2, statistics.fmean(means), scipy.stats.sem(means))
        assert (said.n, said.units) == (9, 3)
        assert (said.low, said.high) == pytest.approx(ends, abs=1e-4), "sketches are packed"
    assert "the unit is the search" in view("alignment", one.plan, one.summary).notes[-1]
