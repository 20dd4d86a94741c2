from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.measures.alignment import Alignment, alignments, cka
from cbablate.analysis.summary import Summary, summarize
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.probes.catalog import GRAMS
from cbablate.records.sketch import Sketch
from tests.analysis.fabrication import placement, told
from tests.analysis.sketches import Leave, grams, sketched, triangle
from tests.analysis.test_course import drawn as normal
from tests.analysis.test_course import growing, lived


def drawn(seed: int, images: int, width: int) -> np.ndarray:
    return np.random.RandomState(seed).randn(images, width)


def explicit(one: np.ndarray, other: np.ndarray) -> float:
    """Linear CKA as Kornblith et al. write it, from whole features."""
    one, other = (each - each.mean(axis=0) for each in (one, other))
    cross = np.linalg.norm(other.T @ one) ** 2
    return float(cross / np.linalg.norm(one.T @ one) / np.linalg.norm(other.T @ other))


def song(one: np.ndarray, other: np.ndarray) -> float:
    """HSIC without bias, by equation 5 of Song et al. (2012), from features as they are."""
    n = len(one)
    first, second = (each @ each.T for each in (one, other))
    np.fill_diagonal(first, 0.0), np.fill_diagonal(second, 0.0)
    ones = np.ones(n)
    trace = np.trace(first @ second)
    sums = ones @ first @ ones * (ones @ second @ ones) / (n - 1) / (n - 2)
    return float((trace + sums - 2 * (ones @ first @ second @ ones) / (n - 2)) / n / (n - 3))


shapes = st.tuples(st.integers(0, 999), st.integers(5, 24), st.integers(1, 30), st.integers(1, 30))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(shapes)
def test_gram_matrices_give_the_cka_of_the_features(shape: tuple[int, int, int, int]) -> None:
    seed, images, width, wider = shape
    one, other = drawn(seed, images, width), drawn(seed + 1, images, wider)
    other[:, 0] += one[:, 0]
    found = cka(triangle(one), triangle(other))
    assert found is not None
    unbiased = song(one, other) / (song(one, one) * song(other, other)) ** 0.5
    assert found[0] == pytest.approx(unbiased, abs=1e-9)
    assert found[1] == pytest.approx(explicit(one, other), abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(shapes)
def test_what_the_ledger_keeps_of_them_gives_it_to_a_thousandth(
    shape: tuple[int, int, int, int],
) -> None:
    seed, images, width, wider = shape
    one, other = drawn(seed, images, width), drawn(seed + 1, images, wider)
    whole = [triangle(each) for each in (one, other)]
    kept = [Sketch.unpacked(Sketch("", (each,)).packed).rows[0] for each in whole]
    assert cka(*kept) == pytest.approx(cka(*whole), abs=1e-3)


@given(st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_a_layer_is_like_itself_turned_moved_and_scaled(seed: int) -> None:
    features = drawn(seed, 20, 8)
    turn, _ = np.linalg.qr(drawn(seed + 1, 8, 8))
    found = cka(triangle(features), triangle(3.0 * features @ turn + drawn(seed + 2, 1, 8)))
    assert found == pytest.approx((1.0, 1.0), abs=1e-9)


def test_wide_layers_that_share_nothing_are_not_alike_though_the_plain_estimate_says_so() -> None:
    found = [cka(triangle(drawn(s, 64, 192)), triangle(drawn(s + 50, 64, 192))) for s in range(20)]
    unbiased, plain = (np.mean([each[kind] for each in found if each]) for kind in (0, 1))
    assert abs(unbiased) < 0.01
    assert plain > 0.7


def test_a_layer_that_gives_all_images_the_same_features_is_like_none() -> None:
    assert cka(triangle(np.ones((8, 3))), triangle(drawn(0, 8, 3))) is None


def test_numbers_that_are_no_triangle_are_refused() -> None:
    with pytest.raises(ValueError, match="5 numbers are no triangle"):
        cka((1.0,) * 5, (1.0,) * 5)
    with pytest.raises(ValueError, match="of 5 and of 6 images"):
        cka(triangle(drawn(0, 5, 2)), triangle(drawn(0, 6, 2)))


PLAN = placement(replicates=4)


def summary(*leave: Leave, plan: Plan = PLAN) -> Summary:
    return summarize(plan, sketched(plan, told(plan), *leave))


def by_arm(found: tuple[Alignment, ...]) -> dict[str, Alignment]:
    return {("again " if one.yardstick else "") + PLAN.arm_of[one.arm].name: one for one in found}


def test_each_arm_is_set_against_its_reference_and_the_reference_against_itself() -> None:
    found = by_arm(alignments(PLAN, summary(grams)))
    assert [*found] == ["again none", "MLP front", "MLP middle", "MLP end", "after attention"]
    again, front, last = found["again none"], found["MLP front"], found["after attention"]
    assert [layer.n for layer in again.layers] == [4] * 4  # 0-1, 1-2, 2-3, 3-0
    assert {(layer.low, layer.high) for layer in again.layers} == {(None, None)}
    assert front.layers[0].mean == pytest.approx(1.0, abs=1e-3)  # the first layer has no noise
    means = [layer.mean for layer in last.layers]
    assert means == sorted(means, reverse=True)
    assert last.layers[3].mean < again.layers[3].mean < front.layers[3].mean  # type: ignore[operator]  # none is None
    assert last.biased[3].mean > last.layers[3].mean  # type: ignore[operator]  # none is None


def instead(third: Callable[[Trial], dict[str, Sketch]]) -> Leave:
    """Gram matrices as ever, but of the third arm."""
    return lambda trial, arm: third(trial) if arm == 2 else grams(trial, arm)


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (instead(lambda t: grams(t, 2, depth=3)), "they have 3 and 4 blocks"),
        (
            instead(lambda t: {GRAMS: Sketch("others", grams(t, 2)[GRAMS].rows)}),
            "they were not shown the same images",
        ),
        (instead(lambda _: {}), "no two trials have what it takes yet"),
        (
            instead(lambda _: {GRAMS: Sketch("the same", (triangle(np.ones((16, 3))),) * 4)}),
            "a block gives all images the same features",
        ),
    ],
)
def test_what_cannot_be_set_against_its_reference_has_a_reason_and_no_number(
    left: Leave, why: str
) -> None:
    found = by_arm(alignments(PLAN, summary(left)))
    assert found["MLP middle"].why == why
    assert found["MLP middle"].layers == ()
    assert found["MLP end"].layers


def test_a_study_that_keeps_nothing_of_its_networks_is_told_what_to_write() -> None:
    with pytest.raises(CbablateError, match=r"write `probes: \[alignment\]` in the baseline"):
        alignments(PLAN, summary())


def test_a_trial_that_is_not_complete_is_in_no_alignment() -> None:
    def skip(trial: Trial, arm: int) -> str:
        return "pruned" if (arm, trial.replicate) == (3, 1) else ""

    facts = sketched(PLAN, told(PLAN, skip=skip), grams)
    found = by_arm(alignments(PLAN, summarize(PLAN, facts)))
    assert found["MLP end"].layers[0].n == 3
    assert found["MLP end"].layers[0].planned == 4


def test_where_replicates_grow_an_arm_has_as_many_as_looks_asked_for() -> None:
    plan = growing(6, 12)
    facts = lived(plan, normal(plan, 1, [0.0, 5.0, 0.2]), random.Random(1))
    seen = summarize(plan, sketched(plan, facts, grams))
    assert seen.course is not None
    for one in alignments(plan, seen):
        if not one.yardstick:
            assert {each.planned for each in one.layers} == {seen.course.asked[one.arm]}
