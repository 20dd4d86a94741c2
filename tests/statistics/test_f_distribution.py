from __future__ import annotations

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cbablate.statistics.f_distribution import tail


@given(st.floats(1e-3, 500), st.floats(1, 60), st.floats(1, 400))
def test_the_tail_is_scipys_for_whole_degrees_and_others(f: float, a: float, b: float) -> None:
    assert tail(f, a, b) == pytest.approx(scipy.stats.f.sf(f, a, b), rel=1e-9, abs=1e-13)


def test_nothing_above_nothing_is_all_of_it() -> None:
    assert tail(0.0, 1, 5) == tail(0.0, 3, 5) == 1.0
