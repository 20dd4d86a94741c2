"""Findings: known answers, what they must not claim, and what must not change them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.contrasts.contrast import Contrast, adjusted, contrast
from cbablate.analysis.contrasts.verdict import Claim, Finding, equivalence, findings
from cbablate.analysis.summary import direction_of, summarize
from cbablate.spec.analysis import Analysis
from tests.analysis.fabrication import Telling, placement, told

numbers = st.integers(-1000, 1000).map(lambda whole: whole / 64)
families = st.lists(st.lists(numbers, min_size=5, max_size=8), min_size=1, max_size=3)
SWAPPED: dict[Claim, Claim] = {"helps": "hurts", "hurts": "helps"}


def paired(differences: Sequence[float], against: str = "r") -> Contrast:
    """The contrast of these differences with a reference of zeros."""
    zeros = dict.fromkeys(range(len(differences)), 0.0)
    return contrast(dict(enumerate(differences)), zeros, against=against)


def claims(*family: Sequence[float], margin: float | None = None) -> list[str]:
    contrasts = adjusted([paired(one) for one in family])
    return [one.claim for one in findings(contrasts, direction="maximize", margin=margin)]


CLEAR = [1.0, 1.1, 0.9, 1.2, 0.8, 1.05]
NOISE = [1.0, -1.1, 0.9, -1.2, 0.8, -0.3]


def test_a_clear_difference_helps_or_hurts() -> None:
    assert claims(CLEAR) == ["helps"]
    assert claims([-d for d in CLEAR]) == ["hurts"]
    assert claims(NOISE) == ["undecided"]


def test_a_metric_without_direction_only_differs() -> None:
    family = adjusted([paired(CLEAR), paired(NOISE)])
    assert [one.claim for one in findings(family, direction=None)] == ["differs", "undecided"]


def test_where_less_is_better_less_helps() -> None:
    (found,) = findings(adjusted([paired(CLEAR)]), direction="minimize")
    assert found.claim == "hurts"


@pytest.mark.parametrize("n", range(6))
def test_below_six_pairs_nothing_is_claimed_however_small_p(n: int) -> None:
    assert claims([100 + d for d in CLEAR[:n]], margin=1000.0) == ["too few"]


def test_a_t_test_that_the_sign_flips_contradict_is_not_believed() -> None:
    # one of seven differences has the other sign: the sign-flip p is 4 / 2^7, and for two 0.0615
    family = [[1.0, 1.1, 0.9, 1.2, 0.8, 1.0, -0.1], [*NOISE, 0.2]]
    contrasts = adjusted([paired(one) for one in family])
    assert contrasts[0].p_adjusted is not None
    assert contrasts[0].p_adjusted < 0.05
    found = findings(contrasts, direction="maximize")[0]
    assert found.p_sign_flip == pytest.approx(1 - (1 - 4 / 2**7) ** 2)
    assert contrasts[0].excludes_zero
    assert found.claim == "unconfirmed", "and not undecided, beside an interval without zero"
    assert not found.sure


def test_in_a_large_family_few_pairs_must_all_have_one_sign() -> None:
    # 2 / 2^6 x 10 is above 0.05: only the floor itself is agreement
    others = [NOISE] * 9
    sharp = [1.0, 1.001, 0.999, 1.002, 0.998, 1.0005]
    assert claims(sharp, *others)[0] == "helps"
    found = findings(adjusted([paired(one) for one in (sharp, *others)]), direction="maximize")[0]
    assert found.p_sign_flip == pytest.approx(1 - (1 - 1 / 32) ** 10)


def test_beyond_twenty_pairs_the_t_test_decides_alone() -> None:
    (found,) = findings(adjusted([paired(CLEAR * 4)]), direction="maximize")
    assert (found.claim, found.p_sign_flip) == ("helps", None)


def test_equivalence_needs_a_margin_and_room_within_it() -> None:
    tight = [0.01, -0.02, 0.015, -0.01, 0.02, -0.012]
    assert claims(tight) == ["undecided"]
    assert claims(tight, margin=0.1) == ["equivalent"]
    assert claims(tight, margin=0.01) == ["undecided"]
    assert claims(NOISE, margin=0.5) == ["undecided"]


def test_a_difference_that_is_sure_and_small_is_both() -> None:
    family = adjusted([paired(CLEAR)])
    (found,) = findings(family, direction="maximize", margin=5.0)
    assert (found.claim, found.small) == ("helps", True)
    (found,) = findings(family, direction="maximize", margin=1.01)
    assert (found.claim, found.small) == ("helps", False)


@pytest.mark.slow
@given(st.lists(numbers, min_size=2, max_size=20, unique=True), st.floats(0.01, 40))
def test_equivalence_is_two_of_scipys_one_sided_t_tests(
    differences: list[float], margin: float
) -> None:
    above = scipy.stats.ttest_1samp(differences, -margin, alternative="greater").pvalue
    below = scipy.stats.ttest_1samp(differences, margin, alternative="less").pvalue
    said = equivalence(paired(differences), margin)
    assert said is not None
    assert said.p == pytest.approx(max(above, below), rel=1e-9, abs=1e-12)
    if abs(said.p - 0.05) > 1e-9:
        assert (said.p < 0.05) == (-margin < said.low and said.high < margin), "its 90 % interval"


def test_equivalence_is_held_back_by_the_correction_too() -> None:
    near = [0.1, 0.5, 0.3, -0.2, 0.4, 0.35]
    alone = equivalence(paired(near), 0.5)
    assert alone is not None
    assert 0.0253 < alone.p < 0.05
    assert claims(near, margin=0.5) == ["equivalent"]
    assert claims(near, NOISE, margin=0.5) == ["undecided", "undecided"]


def test_the_interval_of_equivalence_decides_at_the_corrected_level() -> None:
    near = [0.1, 0.5, 0.3, -0.2, 0.4, 0.35]
    for others in (0, 1, 4):
        family = adjusted([paired(one) for one in (near, *[NOISE] * others)])
        for margin in (0.4, 0.5, 0.6, 0.8):
            found = findings(family, direction="maximize", margin=margin)[0]
            assert found.equivalence is not None
            inside = -margin < found.equivalence.low and found.equivalence.high < margin
            assert found.small == inside
            assert found.claim == ("equivalent" if inside else "undecided")


@pytest.mark.parametrize("how", [Analysis(correction="holm"), Analysis(intervals="single")])
def test_undecided_has_zero_in_its_interval_also_where_intervals_are_single(how: Analysis) -> None:
    weak = [1.0, 1.5, 0.1, 1.8, -0.2, 1.3]
    family = adjusted([paired(one) for one in (weak, *[NOISE] * 3)], how)
    assert family[0].excludes_zero
    assert (family[0].p_adjusted or 0.0) > 0.05
    found = findings(family, direction="maximize", how=how)
    assert [one.claim for one in found] == ["unconfirmed", *["undecided"] * 3]


def test_a_difference_of_pairs_against_that_of_the_printed_means_is_not_claimed() -> None:
    (one,) = adjusted([paired(CLEAR)])
    for means, claim in ((0.5, "helps"), (-0.5, "unconfirmed")):
        (found,) = findings([replace(one, of_means=means)], direction="maximize")
        assert found.claim == claim


def test_equal_differences_prove_nothing() -> None:
    assert claims([0.5] * 8, margin=10.0) == ["undecided"]


@given(families, st.sampled_from([None, 0.5, 4.0]))
@settings(max_examples=40, deadline=None)
def test_swapping_arm_and_reference_swaps_helps_and_hurts(
    family: list[list[float]], margin: float | None
) -> None:
    def found(turn: int) -> list[Finding]:
        sides = [(dict(enumerate(one)), dict(enumerate([0.25] * len(one)))) for one in family]
        contrasts = [contrast(*both[::turn], against="r") for both in sides]
        return findings(adjusted(contrasts), direction="maximize", margin=margin)

    for one, other in zip(found(1), found(-1), strict=True):
        assert other.claim == SWAPPED.get(one.claim, one.claim)
        assert (other.p_sign_flip, other.p_equivalence) == (one.p_sign_flip, one.p_equivalence)


@given(families, st.integers(-20, 20))
@settings(max_examples=40, deadline=None)
def test_another_unit_changes_no_claim(family: list[list[float]], power: int) -> None:
    def found(scale: float) -> list[str]:
        return claims(*([d * scale for d in one] for one in family), margin=2.0 * scale)

    assert found(1.0) == found(math.ldexp(1.0, power))


def drawn(draw: random.Random, n: int, shift: float = 0.0) -> dict[int, float]:
    return {replicate: draw.gauss(shift, 1) for replicate in range(n)}


@pytest.mark.slow
@pytest.mark.parametrize("n", [6, 9])
def test_of_null_studies_with_ten_arms_at_most_5_in_100_claim_a_difference(n: int) -> None:
    draw, studies, wrong = random.Random(n), 1000, 0
    for _ in range(studies):
        reference = drawn(draw, n)
        family = [contrast(drawn(draw, n), reference, against="r") for _ in range(10)]
        found = findings(adjusted(family), direction="maximize", margin=1.0)
        wrong += any(one.claim in ("helps", "hurts") for one in found)
    assert wrong / studies <= 0.05


def test_of_studies_at_the_margin_at_most_5_in_100_claim_equivalence() -> None:
    draw, studies, wrong = random.Random(3), 1000, 0
    for _ in range(studies):
        reference = drawn(draw, 8)
        family = [contrast(drawn(draw, 8, 2.0), reference, against="r") for _ in range(4)]
        found = findings(adjusted(family), direction="maximize", margin=2.0)
        wrong += any(one.claim == "equivalent" or one.small for one in found)
    assert wrong / studies <= 0.05


def test_a_large_effect_is_found_in_most_studies() -> None:
    draw, found = random.Random(5), 0
    for _ in range(200):
        reference = drawn(draw, 10)
        family = [contrast(drawn(draw, 10, 3.0), reference, against="r") for _ in range(5)]
        found += sum(
            one.claim == "helps" for one in findings(adjusted(family), direction="maximize")
        )
    assert found / 1000 > 0.8


def test_a_summary_has_a_finding_for_every_contrast_and_the_margin_for_the_primary() -> None:
    plan = placement(margin=0.3)
    summary = summarize(plan, told(plan))
    assert summary.primary == "test/top1"
    for one in summary.arms:
        assert one.findings.keys() == one.contrasts.keys()
    last = summary.arms[-1].findings
    assert last["test/top1"].claim == "helps"
    assert last["test/top1"].margin == 0.3
    assert last["attention/entropy"].claim == "differs"
    assert last["attention/entropy"].margin is None
    assert last["val/top1"].claim == "helps"


def test_the_objectives_direction_is_the_studys() -> None:
    plan = placement()
    assert direction_of(plan, "val/top1") == "maximize"
    assert direction_of(plan, "params") == "minimize"
    assert direction_of(plan, "attention/entropy") is None


def test_a_study_of_timings_only_has_no_primary_metric() -> None:
    plan = placement(report=("throughput/train",))
    assert summarize(plan, Telling().facts).primary == ""
