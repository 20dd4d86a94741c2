"""Suggestions: which known word was meant by an unknown one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

__all__ = ["did_you_mean", "nearest"]

_SAME, _PLURAL, _ONE_SLIP, _CONTAINED, _TWO_SLIPS, _AT_LEAST = 6.0, 5.0, 4.0, 3.0, 2.0, 0.7
_LONGEST = 80
_MOST = 3


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
    scores = {choice: _likeness(word, choice) for choice in choices}
    best = max(scores.values(), default=0.0)
    if best < (_ONE_SLIP if surely else _AT_LEAST):
        return ()
    return tuple(choice for choice, score in scores.items() if score == best)[:_MOST]


def _likeness(word: str, choice: str) -> float:
    one, other = _folded(word), _folded(choice)
    if one == other:
        return _SAME
    if one.removesuffix("s") == other.removesuffix("s"):
        return _PLURAL
    if max(len(word), len(choice)) > _LONGEST:
        return 0.0
    slips = _slips(one, other)
    allowed = min(2, len(word) // 3)
    if slips == 1 <= allowed:
        return _ONE_SLIP
    if f"_{word}_" in f"_{choice}_" or f"_{choice}_" in f"_{word}_":
        return _CONTAINED
    if slips <= allowed:
        return _TWO_SLIPS
    return difflib.SequenceMatcher(None, word.casefold(), choice.casefold(), False).ratio()


def _folded(word: str) -> str:
    return "".join(c for c in word.casefold() if c.isalnum()) or word


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
