from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.data.quota import quotas


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12), st.data())
def test_shares_sum_up_and_are_within_one_of_their_proportion(
    sizes: list[int], data: st.DataObject
) -> None:
    total = sum(sizes)
    count = data.draw(st.integers(0, total))
    shares = quotas(sizes, count)
    assert sum(shares) == count
    for share, size in zip(shares, sizes, strict=True):
        assert 0 <= share <= size
        assert not total or abs(share - count * size / total) < 1


def test_more_than_there_are_cannot_be_shared_out() -> None:
    with pytest.raises(ValueError, match="5 images cannot be shared out of 4"):
        quotas([2, 2], 5)
