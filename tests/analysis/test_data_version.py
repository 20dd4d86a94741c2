"""The digest of a table's data: what moves it, and what does not."""

from __future__ import annotations

from collections.abc import Mapping

from cbablate.analysis.summary import summarize
from tests.analysis.fabrication import Telling, placement


def digest(metrics: Mapping[str, float]) -> str:
    plan, telling = placement(replicates=1), Telling()
    telling.session()
    for trial in plan.trials:
        telling.measure(trial, metrics)
        telling.end(trial)
    return summarize(plan, telling.facts).data


def test_a_clock_that_no_table_shows_leaves_the_data_what_it_was() -> None:
    values = {"test/top1": 90.0, "attention/entropy": 1.0, "val/top1": 91.0}
    first = digest({**values, "seconds": 8.0, "images_per_second": 1700.0})
    assert digest({**values, "seconds": 9.5, "images_per_second": 1500.0}) == first
    for name in values:
        assert digest({**values, name: 2.0, "seconds": 8.0}) != first
