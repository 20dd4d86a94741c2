"""What is claimed of arms that were tuned, by how many searches of each there were."""

from __future__ import annotations

import random
import statistics

import pytest
import scipy.stats

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.contrasts.verdict import Claim, Finding
from cbablate.analysis.designs.best import best_arms
from cbablate.analysis.outcome import Outcome, outcome
from cbablate.analysis.standing import Standing
from cbablate.planning.plan import Plan
from tests.analysis.fabrication import Telling
from tests.analysis.tuned import searched, tuned_toys

METRIC = "test/score"


def compared(
    searches: int,
    replicates: int,
    *,
    gain: float = 0.0,
    luck: float = 0.0,
    noise: float = 0.1,
    seed: int = 0,
    lost: tuple[int, ...] = (),
) -> tuple[Plan, Telling]:
    """A tuned study of two arms: the second is better by `gain`, a search's choice by its luck.

    Both have a seed's common value; replicates in `lost` of the second arm never end.
    """
    planned = tuned_toys({"ceiling": 2.0}, searches=searches, replicates=replicates)
    telling, draw = Telling(), random.Random(seed)
    searched(telling, planned, lambda _s, n, _p: {"val/score": float(n)})
    chance = {(arm, k): draw.gauss(0, luck) for arm in range(2) for k in range(searches)}
    for index, trial in enumerate(Standing(planned, telling.facts).confirmations.trials):
        arm, r = index % 2, trial.replicate
        if arm and r in lost:
            continue
        value = random.Random(r).gauss(0, 1) + arm * gain + chance[arm, r % searches]
        value += draw.gauss(0, noise)
        telling.complete(trial, {METRIC: value, "val/score": value})
    return planned, telling


def found(planned: Plan, telling: Telling) -> Outcome:
    return outcome(planned, telling.facts)


def second(one: Outcome) -> tuple[Contrast, Finding]:
    arm = one.summary.arms[1]
    return arm.contrasts[METRIC], arm.findings[METRIC]


def values(one: Outcome, arm: int) -> dict[int, float]:
    entered = one.summary.replicates.entered[one.plan.arms[arm].id]
    return {r: past.last.metrics[METRIC] for r, past in entered.items() if past.last}


def by_search(one: Outcome, arm: int, searches: int) -> list[float]:
    each = values(one, arm)
    return [
        statistics.fmean(v for r, v in each.items() if r % searches == k) for k in range(searches)
    ]


def test_of_one_search_no_difference_is_called_the_arms_however_sure_it_is() -> None:
    one = found(*compared(1, 10, gain=9.0))
    contrast, finding = second(one)
    assert (finding.claim, finding.sure) == ("one search", False)
    assert contrast.excludes_zero and contrast.p_adjusted is not None
    assert contrast.p_adjusted < 1e-9
    assert best_arms(one.plan, one.summary) == frozenset()


def test_at_the_hyperparameters_as_written_findings_are_as_they_are_without_a_sweep() -> None:
    planned, telling = compared(1, 10)
    draw = random.Random(1)
    for trial in planned.trials:
        value = trial.replicate + 5.0 * (trial.arm == planned.arms[1].id) + draw.gauss(0, 0.1)
        telling.complete(trial, {METRIC: value, "val/score": value})
    one = found(planned, telling)
    assert one.tuned is not None and one.tuned.fixed is not None
    assert one.tuned.fixed.arms[1].findings[METRIC].claim == "helps"


@pytest.mark.parametrize(("searches", "replicates"), [(3, 6), (4, 12), (6, 6), (8, 16)])
def test_the_search_is_the_unit_of_differences_as_scipy_has_them(
    searches: int, replicates: int
) -> None:
    one = found(*compared(searches, replicates, gain=1.0, luck=0.5))
    contrast, _ = second(one)
    left, right = by_search(one, 1, searches), by_search(one, 0, searches)
    told = scipy.stats.ttest_rel(left, right)
    interval = told.confidence_interval(0.95)
    assert (contrast.n, contrast.pairs) == (searches, replicates)
    assert contrast.difference == pytest.approx(statistics.fmean(left) - statistics.fmean(right))
    assert contrast.p == pytest.approx(told.pvalue)
    assert (contrast.low, contrast.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("searches", [3, 6])
def test_the_search_is_the_unit_of_a_mean_as_scipy_has_it(searches: int) -> None:
    one = found(*compared(searches, 12, luck=0.5))
    said = one.summary.arms[0].estimates[METRIC]
    means = by_search(one, 0, searches)
    low, high = scipy.stats.t.interval(
        0.95, searches - 1, statistics.fmean(means), scipy.stats.sem(means)
    )
    assert (said.n, said.planned, said.units) == (12, 12, searches)
    assert (said.low, said.high) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("searches", "replicates", "claim"),
    [
        (1, 5, "too few"),
        (1, 6, "one search"),
        (2, 12, "too few"),
        (3, 3, "too few"),
        (3, 6, "helps"),
        (6, 6, "helps"),
    ],
)
def test_a_claim_needs_six_pairs_and_three_searches(
    searches: int, replicates: int, claim: Claim
) -> None:
    contrast, finding = second(found(*compared(searches, replicates, gain=9.0)))
    assert finding.claim == claim
    assert contrast.low is not None, "the interval is there all the same"


def test_below_six_searches_the_t_test_decides_alone_and_at_six_the_flips_must_agree() -> None:
    contrast, finding = second(found(*compared(3, 6, gain=9.0)))
    assert contrast.p_sign_flip == 0.25
    assert finding.claim == "helps"
    contrast, _ = second(found(*compared(6, 6, gain=9.0)))
    assert contrast.p_sign_flip == pytest.approx(2 / 64)


def test_luck_of_searches_widens_the_interval_which_replicates_alone_cannot() -> None:
    one, three = (second(found(*compared(n, 12, luck=2.0, noise=0.1)))[0] for n in (1, 3))
    assert one.half_width is not None and three.half_width is not None
    assert three.half_width > 5 * one.half_width


def test_missing_replicates_leave_the_search_that_has_others_in() -> None:
    one = found(*compared(3, 12, gain=1.0, lost=(0, 3, 4)))
    contrast, _ = second(one)
    assert (contrast.n, contrast.pairs) == (3, 9)
    assert contrast.difference == pytest.approx(
        statistics.fmean(by_search(one, 1, 3)) - statistics.fmean(by_search(one, 0, 3))
    )


def test_null_studies_of_three_searches_are_called_different_in_five_per_cent() -> None:
    claims = [
        second(found(*compared(3, 6, luck=1.0, noise=0.5, seed=seed)))[1].sure
        for seed in range(200)
    ]
    assert sum(claims) <= 17, "the 95 % point of 200 draws at 5 % is 15"
