from __future__ import annotations

import random

import pytest

from cbablate.statistics.coverage import BCA, FEWEST_FOR_BCA
from cbablate.statistics.estimate import estimate


@pytest.mark.parametrize("n", [5, 8, 20])
def test_of_ten_thousand_default_intervals_94_to_96_percent_hold_the_mean(n: int) -> None:
    draw, held = random.Random(n), 0
    for _ in range(10_000):
        said = estimate([draw.gauss(3.0, 2.0) for _ in range(n)], n)
        assert said.low is not None
        assert said.high is not None
        held += said.low <= 3.0 <= said.high
    assert 9_400 <= held <= 9_600


def test_what_is_offered_as_bca_covers_nine_tenths_at_least() -> None:
    assert all(share > 0.9 for n, share in BCA.items() if n >= FEWEST_FOR_BCA)
    assert all(share < 0.9 for n, share in BCA.items() if n < FEWEST_FOR_BCA)
