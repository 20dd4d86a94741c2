"""Half a minute of fuzzing, and every input that ever failed once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.fuzzing import SEEDS, feed, fuzz
from tests.fuzz.targets import TARGETS

SECONDS = 30.0 / len(TARGETS)


@pytest.mark.parametrize("seed", sorted(SEEDS.glob("*/*")), ids=lambda path: path.name)
def test_what_failed_once_is_a_sentence_now(seed: Path) -> None:
    feed(seed.parent.name, seed.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_hostile_files_raise_errors_of_ours_only(name: str) -> None:
    tried, said = fuzz(name, SECONDS, shrink=False)
    assert not said, said
    assert tried
