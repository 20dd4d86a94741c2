"""`TextLayout`: how columns of text come to stand within a terminal's width."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cbablate.character import width

__all__ = ["GAP", "TextLayout", "broken", "text_layout"]

GAP = "  "
_PIECE = re.compile(r"[^/_ ]*[/_ ]+|[^/_ ]+")
"""What stands together in one line where there is no room for more: a line may end after each."""
_SHORTEST = 12
"""A name is broken into lines no narrower, as long as there is room for one column beside it."""


@dataclass(frozen=True)
class TextLayout:
    """How wide each column is, in characters, and which of them stand beside each other."""

    widths: tuple[int, ...]
    panels: tuple[tuple[int, ...], ...]


def text_layout(
    columns: Sequence[Sequence[str]], names: Sequence[int], room: int | None
) -> TextLayout:
    """The layout of columns, each a head and the texts below it, of which `names` may be broken.

    Where there is no room for all, heads are broken down to what stands below them, then names;
    then the columns are shared out over panels, each with the names.
    """
    widths = [max(map(width, texts)) for texts in columns]
    every = tuple(range(len(columns)))
    if room is None or _total(widths) <= room:
        return TextLayout(tuple(widths), (every,))
    numbers = [index for index in every if index not in names]
    for index in numbers:
        head, *others = columns[index]
        pieces = [piece.rstrip() for piece in _PIECE.findall(head)]
        widths[index] = max(map(width, (*others, *pieces)))
    least = min(_SHORTEST * len(names), sum(widths[index] for index in names))
    beside = room - sum(len(GAP) + widths[index] for index in numbers)
    if beside < least:
        beside = max(least, room // 3)
    beside -= len(GAP) * (len(names) - 1)
    while sum(widths[index] for index in names) > max(beside, len(names)):
        widths[max(names, key=lambda index: widths[index])] -= 1
    panels: list[tuple[int, ...]] = []
    for index in numbers:
        if panels and _total([widths[one] for one in (*panels[-1], index)]) <= room:
            panels[-1] += (index,)
        else:
            panels.append((*names, index))
    return TextLayout(tuple(widths), tuple(panels) or (every,))


def broken(text: str, room: int) -> list[str]:
    """The text in lines of so many characters; it is cut only where a piece of it is longer."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and width(lines[-1] + piece.rstrip()) > room:
            lines.append("")
        for character in piece:
            if width(lines[-1] + character) > room and character != " ":
                lines.append("")
            lines[-1] += character
    return [line.rstrip() for line in lines]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)
