"""`Style`: the page that a table is set for: a venue's widths, its sizes, where its captions stand.

Widths are those that the venues' own classes and styles set, in their editions of 2023 to 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from cbablate.spec.typesetting import WIDTH, StyleName, Typesetting

__all__ = ["INCH", "STYLES", "Place", "Size", "Style", "rooms"]

Size = Literal[9, 8]
"""In points. It is said in numbers, as `\\footnotesize` has 8 points in `article`, 9 at NeurIPS."""
Place = Literal["column", "text", "turned"]
INCH = 72.27
_CM = INCH / 2.54
_UNITS = {"in": INCH, "pt": 1.0, "cm": _CM, "mm": _CM / 10}


@dataclass(frozen=True)
class Style:
    """A page: how wide a column and the whole text are and how high it is, in points.

    `columns` says in how many columns the venue's text runs. `figure` is how wide a figure is
    drawn, in inches; `sizes` are those that a table may have, the first one wished for; `below`
    says that captions stand below tables, `titles` that a caption is no more than a title.
    """

    name: StyleName
    column: float
    text: float
    height: float
    figure: float
    columns: int = 1
    sizes: tuple[Size, ...] = (9, 8)
    below: bool = False
    titles: bool = False

    @property
    def gutter(self) -> float:
        """Points between two columns."""
        return self.text - 2 * self.column if self.columns == 2 else 0.0


STYLES: Mapping[StyleName, Style] = MappingProxyType(
    {
        one.name: one
        for one in (
            # article at 10 pt: a column of `twocolumn`, so that a table fits either document
            Style("plain", 229.5, 345, 550, 3.25, sizes=(8,)),
            # neurips_2025.sty: textwidth=5.5in, textheight=9in
            Style("neurips", 5.5 * INCH, 5.5 * INCH, 9 * INCH, 5.5),
            # icml2025.sty: \textwidth 6.75in, \columnsep 0.25in
            Style("icml", 3.25 * INCH, 6.75 * INCH, 9 * INCH, 3.25, 2),
            # iclr2026_conference.sty: \textwidth 5.5 true in
            Style("iclr", 5.5 * INCH, 5.5 * INCH, 9 * INCH, 5.5),
            # cvpr.sty: \textwidth 6.875in, \columnsep 0.3125in; ICCV takes the same kit
            Style("cvpr", 3.28125 * INCH, 6.875 * INCH, 8.875 * INCH, 3.25, 2, below=True),
            Style("iccv", 3.28125 * INCH, 6.875 * INCH, 8.875 * INCH, 3.25, 2, below=True),
            # llncs.cls: \textwidth 12.2cm, \textheight 19.3cm
            Style("eccv", 12.2 * _CM, 12.2 * _CM, 19.3 * _CM, 3.25),
            # aaai25.sty: \textwidth 7.0in, \columnsep 0.375in
            Style("aaai", 3.3125 * INCH, 7 * INCH, 9 * INCH, 3.3125, 2, below=True),
            # acl.sty: a4paper, margin=2.5cm, \columnsep 0.6cm
            Style("acl", 7.7 * _CM, 16 * _CM, 24.7 * _CM, 3.03, 2, below=True),
            # IEEEtran.cls: 43 and 21 picas; 58 high, conferences 56
            Style("ieee", 252, 516, 672, 3.48, 2, sizes=(8,), titles=True),
            # tmlr.sty: \textwidth 6.5 true in
            Style("tmlr", 6.5 * INCH, 6.5 * INCH, 9 * INCH, 5.5),
        )
    }
)


def rooms(how: Typesetting) -> tuple[tuple[Place, float], ...]:
    """Where upright a table may stand and how wide it may be there, in points; the first is tried
    first. Both places are one where the text is one column. A length that is no wider than a
    column is a column's.
    """
    style = STYLES[how.style]
    column: tuple[Place, float] = ("column", style.column)
    text: tuple[Place, float] = ("text", style.text)
    if how.width is None:
        return (column, text) if style.column < style.text else (text,)
    if how.width in ("column", "text"):
        return (column,) if how.width == "column" else (text,)
    length = WIDTH.fullmatch(how.width)
    if length is None:
        raise ValueError(f"{how.width!r} is no width")
    wide = float(length["size"]) * _UNITS.get(
        length["unit"], style.text if length["unit"] == r"\textwidth" else style.column
    )
    return (("column" if wide <= style.column else "text", wide),)
