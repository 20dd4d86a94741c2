"""Printed tables of random studies: no mark, word, bold face or interval contradicts another."""

from __future__ import annotations

import pytest

from benchmarks.contradictions import contradictions, drawn, misses


def broken(seeds: range) -> list[tuple[int, str]]:
    """The rules that these random studies break."""
    return [(seed, rule) for seed in seeds for rule in contradictions(drawn(seed))]


def test_no_table_contradicts_itself() -> None:
    assert broken(range(2_000, 2_020)) == []


@pytest.mark.slow
def test_none_of_300_tables_contradicts_itself() -> None:
    assert broken(range(300)) == []


@pytest.mark.slow
def test_intervals_that_are_said_to_hold_together_do_in_95_percent_of_tables() -> None:
    told = [missed for seed in range(600) if (missed := misses(drawn(seed))) is not None]
    error = (0.05 * 0.95 / len(told)) ** 0.5
    assert sum(told) / len(told) < 0.05 + 3 * error
    assert sum(told) / len(told) > 0.04 - 3 * error, "and they are hardly wider than that"
