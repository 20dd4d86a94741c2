"""Two arms that are the same, or not, tuned apart: what a study, driven whole, calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.tuned_apart import apart, claimed, driven, simulated


@pytest.mark.slow
def test_equal_arms_tuned_apart_are_never_called_different_over_one_search(tmp_path: Path) -> None:
    plan = apart(tmp_path, searches=1, trials=8, replicates=6)
    found = driven(plan, 6)
    assert (found.studies, found.called) == (6, 0)


@pytest.mark.slow
def test_a_large_difference_is_found_over_three_searches_and_over_one_a_replicate(
    tmp_path: Path,
) -> None:
    for searches in (3, 6):
        folder = tmp_path / str(searches)
        plan = apart(folder, searches=searches, shift=20.0, trials=4, replicates=6)
        claim, contrast = claimed(plan, folder / "results")
        assert claim == "helps", "the objective says which direction is better"
        assert (contrast.n, contrast.pairs) == (searches, 6)
    plan = apart(tmp_path / "one", searches=1, shift=20.0, trials=4, replicates=6)
    assert claimed(plan, tmp_path / "one" / "results")[0] == "one search"


def test_in_many_studies_intervals_over_searches_hold_and_over_replicates_of_one_do_not() -> None:
    for searches in (3, 6, 12):
        over = simulated(searches=searches, studies=4000)
        assert 0.035 < over.excluded / over.studies < 0.065
    one = simulated(searches=1, studies=4000)
    assert one.excluded / one.studies > 0.12
    assert one.called == 0
