"""Suggestions: which known word was meant by an unknown one."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice

__all__ = ["did_you_mean", "nearest"]

_SAME, _PLURAL, _ONE_SLIP, _CONTAINED, _TWO_SLIPS, _AT_LEAST = 6.0, 5.0, 4.0, 3.0, 2.0, 0.7
_LONGEST = 80
_MOST = 3
_MOST_CHOICES = 1_000
"""The most choices that are looked at: a file of thousands of names stays quick to read."""


def did_you_mean(
    word: str, choices: Iterable[str], *, spelt: Callable[[str], str] = lambda choice: choice
) -> str:
    """The question `did you mean 'x'?`, or an empty string where nothing comes near.

    `spelt` gives a choice as the question shows it.
    """
    found = nearest(word, choices)
    if not found:
        return ""
    *others, last = (f"'{spelt(choice)}'" for choice in found)
    return f"did you mean {', '.join(others) + ' or ' if others else ''}{last}?"


def nearest(word: str, choices: Iterable[str], *, surely: bool = False) -> tuple[str, ...]:
    """The choice most like `word`; several where they are equally like it, none where none is.

    Most alike are words that differ in case and dashes only, then in a plural, then by one slip
    of the hand (a letter added, dropped, changed or swapped); then those of which one contains
    the other's words (`drop_path` and `drop_path_rate`), then two slips, then shared letters.
    `surely` leaves out all after one slip.
    """
    best = _ONE_SLIP if surely else _AT_LEAST
    likest: list[str] = []
    for choice in islice(dict.fromkeys(choices), _MOST_CHOICES):
        score = _likeness(word, choice, least=best)
        if score > best:
            best, likest = score, []
        if score == best:
            likest.append(choice)
    return tuple(likest[:_MOST])


def _likeness(word: str, choice: str, *, least: float) -> float:
    """How alike two words are; 0 where it is less than `least`."""
    one, other = _folded(word), _folded(choice)
    if one == other:
        return _SAME
    if one.removesuffix("s") == other.removesuffix("s"):
        return _PLURAL
    if max(len(word), len(choice)) > _LONGEST:
        return 0.0
    allowed = min(2, len(word) // 3)
    slips = _slips(one, other) if _apart(one, other) <= allowed else _LONGEST
    if slips == 1 <= allowed:
        return _ONE_SLIP
    if f"_{word}_" in f"_{choice}_" or f"_{choice}_" in f"_{word}_":
        return _CONTAINED
    if slips <= allowed:
        return _TWO_SLIPS
    if least > 1.0:
        return 0.0
    matcher = difflib.SequenceMatcher(None, word.casefold(), choice.casefold(), False)
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    return matcher.ratio()


def _folded(word: str) -> str:
    return "".join(c for c in word.casefold() if c.isalnum()) or word


def _apart(one: str, other: str) -> int:
    """A lower bound of the slips between two words: letters that only one of them has."""
    if abs(len(one) - len(other)) > 2:
        return _LONGEST
    letters, others = Counter(one), Counter(other)
    return max((letters - others).total(), (others - letters).total())


def _slips(one: str, other: str) -> int:
    """The optimal string alignment distance: insertions, deletions, changes, swaps of neighbours.

    Words too different in length are as far apart as can be.
    """
    if abs(len(one) - len(other)) > 2:
        return _LONGEST
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
