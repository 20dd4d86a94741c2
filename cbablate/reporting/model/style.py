"""`Style`: the page that a table is set for: a venue's widths, its sizes, where its captions stand.

Widths are those of the venues' own templates: NeurIPS sets one column of 5.5 in; ICML a text of
6.75 in and CVPR one of 6.875 in, both in two columns of 3.25 in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from cbablate.spec.typesetting import StyleName

__all__ = ["STYLES", "Size", "Style"]

Size = Literal["small", "footnotesize"]
"""9 and 8 points, where the text has 10."""


@dataclass(frozen=True)
class Style:
    """A page, in inches. `sizes` are those that a table may have, the first one wished for.

    `figure` is how wide a figure is drawn; `below` says that captions stand below tables.
    """

    name: StyleName
    column: float
    text: float
    height: float
    figure: float
    sizes: tuple[Size, ...]
    below: bool = False

    @property
    def columns(self) -> int:
        """How many columns of text the page has."""
        return 1 if self.column == self.text else 2


STYLES: Mapping[StyleName, Style] = MappingProxyType(
    {
        one.name: one
        for one in (
            Style("plain", 5.5, 5.5, 7.6, 3.25, ("footnotesize",)),
            Style("neurips", 5.5, 5.5, 9.0, 5.5, ("small", "footnotesize")),
            Style("icml", 3.25, 6.75, 9.0, 3.25, ("small", "footnotesize")),
            Style("cvpr", 3.25, 6.875, 8.875, 3.25, ("small", "footnotesize"), below=True),
        )
    }
)
