from __future__ import annotations

import math
import random

import pytest
import scipy.stats

from cbablate.analysis.measures.mechanism import FEWEST_SEEDS, Change, association, changes
from cbablate.analysis.summary import summarize
from cbablate.errors import CbablateError
from cbablate.reporting.tables.catalog import VIEWS
from tests.analysis.fabrication import FROZEN, placement, told


def drawn(
    seed: int, *, arms: int = 4, seeds: int = 8, between: float = 0.0, within: float = 0.0
) -> list[Change]:
    """Changes whose metric follows the arm's and the seed's part of the probe by so much."""
    draw = random.Random(seed)
    found = []
    for arm in range(arms):
        for r in range(seeds):
            own = draw.gauss(0, 1)
            metric = between * arm + within * own + draw.gauss(0, 1)
            found.append(Change(f"arm {arm}", r, arm + own, metric))
    return found


def test_correlations_and_slope_are_scipys() -> None:
    found = drawn(1, between=0.5)
    xs, ys = [one.probe for one in found], [one.metric for one in found]
    said = association(found, 1, permutations=20)
    assert said.pearson.value == pytest.approx(scipy.stats.pearsonr(xs, ys).statistic, rel=1e-9)
    assert said.spearman.value == pytest.approx(scipy.stats.spearmanr(xs, ys).statistic, rel=1e-9)
    assert said.slope.value == pytest.approx(scipy.stats.linregress(xs, ys).slope, rel=1e-9)


def test_ties_share_their_rank() -> None:
    found = [
        Change("a", i, x, y) for i, (x, y) in enumerate([(1, 2), (1, 3), (2, 3), (4, 9), (4, 1)])
    ]
    xs, ys = [one.probe for one in found], [one.metric for one in found]
    said = association(found, 1, permutations=5).spearman.value
    assert said == pytest.approx(scipy.stats.spearmanr(xs, ys).statistic, rel=1e-9)


def test_what_arms_do_as_a_whole_is_told_from_what_seeds_do_within_an_arm() -> None:
    apart = association(drawn(2, between=3.0, seeds=20), 1, permutations=200)
    assert apart.between is not None
    assert apart.between > 0.95
    assert abs(apart.within.value or 0.0) < 0.35
    alike = association(drawn(3, within=2.0, seeds=20), 1, permutations=200)
    assert (alike.within.value or 0.0) > 0.7
    assert alike.p_within is not None
    assert alike.p_within < 0.02


@pytest.mark.slow
def test_of_unrelated_probes_few_are_found_related_within_arms() -> None:
    ps = [
        association(drawn(seed, between=1.0), seed, permutations=40).p_within for seed in range(50)
    ]
    assert sum(p is not None and p < 0.05 for p in ps) <= 6


def test_a_seed_that_moves_all_arms_together_widens_the_interval() -> None:
    def width(common: float) -> float:
        draw = random.Random(4)
        of_seed = [(draw.gauss(0, common), draw.gauss(0, common)) for _ in range(10)]
        found = [
            Change(str(arm), r, x + draw.gauss(0, 1), y + draw.gauss(0, 1))
            for arm in range(12)
            for r, (x, y) in enumerate(of_seed)
        ]
        said = association(found, 1, permutations=200).pearson
        assert said.low is not None
        assert said.high is not None
        return said.high - said.low

    assert width(2.0) > 2 * width(0.0)


@pytest.mark.slow
@pytest.mark.parametrize(("arms", "seeds"), [(2, 5), (4, 8)])
def test_intervals_hold_in_95_of_100_studies(arms: int, seeds: int) -> None:
    """Changes share their reference's noise; half of the probe's own goes into the metric's."""
    held = dict.fromkeys(("pearson", "spearman", "slope", "within"), 0)
    truth = {"pearson": 0.6, "spearman": 0.582, "slope": 0.6, "within": 0.6}
    studies = 400
    for study in range(studies):
        draw = random.Random(study)
        found = []
        for r in range(seeds):
            reference = draw.gauss(0, 1), draw.gauss(0, 1)
            for arm in range(arms):
                x, e = draw.gauss(0, 1) - reference[0], draw.gauss(0, 1) - reference[1]
                found.append(Change(str(arm), r, x, 0.6 * x + 0.8 * e))
        said = association(found, study, permutations=1)
        for name in held:
            one = getattr(said, name)
            held[name] += one.low <= truth[name] <= one.high
    for name, count in held.items():
        assert count / studies >= 0.92, name


def test_few_seeds_have_numbers_but_no_interval() -> None:
    said = association(drawn(5, seeds=FEWEST_SEEDS - 1), 1)
    assert said.pearson.value is not None
    assert said.pearson.low is said.p_within is None


def test_the_same_seed_gives_the_same_numbers() -> None:
    found = drawn(6)
    assert association(found, 3, permutations=50) == association(found, 3, permutations=50)


def test_changes_are_paired_and_need_all_four_values() -> None:
    probe = {"a": {0: 1.0, 1: 2.0, 2: 3.0}, "ref": {0: 0.5, 1: 0.5}}
    metric = {"a": {0: 90.0, 2: 91.0}, "ref": {0: 89.0, 1: 88.0, 2: 88.0}}
    assert changes(probe, metric, [("a", "ref")]) == [Change("a", 0, 0.5, 1.0)]


def test_what_does_not_vary_is_refused() -> None:
    for found in ([Change("a", r, 1.0, float(r)) for r in range(5)], drawn(1, arms=1, seeds=2)):
        with pytest.raises(CbablateError, match="three changes or more"):
            association(found, 1)


def test_the_table_cautions_before_it_says_anything_and_names_what_did_not_change() -> None:
    plan = placement(replicates=4, names=("one",), description=FROZEN)
    facts = told(plan)
    table = VIEWS["mechanism"](plan, summarize(plan, facts))
    assert table.notes[0].startswith("This is association, not causation")
    assert [row.cells[0].plain for row in table.rows] == ["Entropy"]
    assert "Without changes to compare: Parameters." in table.notes
    with pytest.raises(CbablateError, match="no metric beside its first"):
        lone = placement(report=("test/top1",), description=FROZEN)
        VIEWS["mechanism"](lone, summarize(lone, told(lone)))


@pytest.mark.slow
def test_a_probe_that_is_one_number_in_each_arm_says_nothing_within_arms() -> None:
    """Its residuals are rounding, and rounding correlates with nothing for sure."""
    draw = random.Random(0)
    awkward = (draw.uniform(1, 9) - draw.uniform(1, 9) for _ in range(1000))
    some = [x for x in awkward if math.fsum([x] * 7) / 7 != x][:3]
    probes = dict(zip("abc", some, strict=True))
    for seed in range(40):
        draw = random.Random(seed)
        found = [Change(a, r, probes[a], draw.gauss(0, 1)) for a in probes for r in range(7)]
        assert association(found, seed, permutations=40).within.value is None
