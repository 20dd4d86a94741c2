"""`split_of`: the split of the data that a metric is measured on, by the words of its name."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["Split", "other_split", "split_of", "twins"]

Split = Literal["train", "val", "test"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_TEST = frozenset({"test", "tests", "testing", "testset"})
_VAL = frozenset({"val", "valid", "validation", "eval", "dev"})
_TRAIN = frozenset({"train", "training"})
_FIRST_ONLY = frozenset({"dev"})
"""Words that mean a split at the beginning of a name alone: `dev/loss`, not `std_dev`."""


def split_of(name: str) -> Split | None:
    """The split that a name tells of; None where it tells of none.

    Names are taken apart at whatever is no letter and where a capital follows a small letter:
    `acc/test`, `miou_test` and `testAcc` are of the test split, `latest` and `contest` are not.
    A word for the test split goes before all others, as in `eval/test/top1`.
    """
    words = [found.group().casefold() for found in _WORD.finditer(name)]
    if _TEST.intersection(words):
        return "test"
    if _VAL.intersection([*words[:1], *(one for one in words if one not in _FIRST_ONLY)]):
        return "val"
    return "train" if _TRAIN.intersection(words[:1]) else None


def twins(one: str, other: str) -> bool:
    """Whether two names mean the same quantity, one on validation data and one on test data."""
    return any(
        not _without(left, _VAL).isdisjoint(_without(right, _TEST))
        for left, right in ((one, other), (other, one))
    )


def other_split(name: str) -> str:
    """A name of the test split with `val` in place of its word for it."""
    found = next((each for each in _WORD.finditer(name) if each.group().casefold() in _TEST), None)
    return f"{name[: found.start()]}val{name[found.end() :]}" if found else name


def _without(name: str, words: frozenset[str]) -> frozenset[str]:
    """The name with a hole for each of these words in turn, however its words are joined."""
    return frozenset(
        f"{_plain(name[: found.start()])}*{_plain(name[found.end() :])}"
        for found in _WORD.finditer(name)
        if found.group().casefold() in words
    )


def _plain(part: str) -> str:
    return re.sub(r"[\W_]+", "/", part).casefold()
