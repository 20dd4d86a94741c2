"""Which blocks of a model are meant: all, a part from either end, every K-th, or a list.

No library is imported here, so that a study's words can be checked before anything heavy is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["checked", "chosen"]

_WORDS = re.compile(r"^(first|last|every) ([1-9][0-9]{0,5})$")
_PART = re.compile(r"^(first|last) ([1-9][0-9]?|100)%$")
_GRAMMAR = (
    "all, first K, last K, every K (K from 1), first P%, last P% (P from 1 to 100), "
    "or a list of block indices from 0"
)


def checked(blocks: str | Sequence[int]) -> None:
    """Refuse what says nothing about any model.

    Raises:
        ValueError: the words are none of the grammar's, or the list is empty, repeats an index
            or has one below 0.
    """
    if isinstance(blocks, str):
        if blocks != "all" and not _WORDS.match(blocks) and not _PART.match(blocks):
            raise ValueError(f"blocks '{blocks}' says nothing: write {_GRAMMAR}")
        return
    if not blocks:
        raise ValueError(f"blocks is an empty list, so nothing would be placed: write {_GRAMMAR}")
    if any(index < 0 for index in blocks):
        raise ValueError(f"block indices count from 0, but {min(blocks)} is asked for")
    if len(set(blocks)) < len(blocks):
        raise ValueError(f"blocks {list(blocks)} names a block twice")


def chosen(blocks: str | Sequence[int], depth: int) -> tuple[int, ...]:
    """The indices meant in a model of `depth` blocks, in order.

    `every K` starts with block K - 1, so that the last of each K blocks is meant. A percentage
    of the depth is rounded to the nearest number of blocks, half a block up.

    Raises:
        ValueError: as `checked`, or the model has not so many blocks, or so few that
            the percentage is of none.
    """
    checked(blocks)
    if not isinstance(blocks, str):
        if max(blocks) >= depth:
            raise ValueError(
                f"block {max(blocks)} is asked for, but the model has {depth} blocks, "
                f"0 to {depth - 1}"
            )
        return tuple(sorted(blocks))
    if blocks == "all":
        return tuple(range(depth))
    word, number = blocks.split(" ")
    if number.endswith("%"):
        count = (int(number[:-1]) * depth + 50) // 100
        if not count:
            raise ValueError(f"'{blocks}' of {depth} blocks is less than half a block, so none")
    else:
        count = int(number)
    if count > depth:
        raise ValueError(f"'{blocks}' asks for {count} blocks, but the model has {depth}")
    if word == "every":
        return tuple(range(count - 1, depth, count))
    return tuple(range(count)) if word == "first" else tuple(range(depth - count, depth))
