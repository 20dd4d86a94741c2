from __future__ import annotations

import math
import random

import pytest
import scipy.stats

from cbablate.statistics.jackknife import CHANCE, CORRELATION, PLAIN, Scale, jackknife


def mean(values: object) -> float:
    found = list(values)  # type: ignore[call-overload]
    return math.fsum(found) / len(found)


def test_of_a_mean_it_is_the_t_interval() -> None:
    draw = random.Random(1)
    values = [draw.gauss(5, 2) for _ in range(7)]
    theirs = scipy.stats.ttest_1samp(values, 0).confidence_interval()
    assert jackknife(mean, values) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


@pytest.mark.parametrize(("scale", "value"), [(PLAIN, -3.0), (CHANCE, 0.8), (CORRELATION, -0.4)])
def test_a_scale_leads_there_and_back_and_knows_its_slope(scale: Scale, value: float) -> None:
    assert scale.back(scale.to(value)) == pytest.approx(value, rel=1e-12)
    step = 1e-6
    slope = (scale.to(value + step) - scale.to(value - step)) / (2 * step)
    assert scale.slope(value) == pytest.approx(slope, rel=1e-6)


def test_an_interval_of_a_chance_stays_between_0_and_1() -> None:
    ends = jackknife(mean, [1.0] * 9 + [0.0], CHANCE)
    assert ends is not None
    assert 0 < ends[0] < 0.9 < ends[1] < 1


def test_units_that_cannot_tell_have_no_interval() -> None:
    assert jackknife(mean, [1.0]) is None
    assert jackknife(mean, [0.1 + 0.2] * 9) is None, "they differ by rounding at most"
    assert jackknife(lambda kept: None if len(kept) < 3 else 1.0, [1.0, 2.0, 3.0]) is None
