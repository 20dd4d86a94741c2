r"""`ColumnLayout`: how a column of a table is set in LaTeX: its specification, head and cells.

A column of a table is one column of LaTeX, centred, whose cells are all equally wide: digits that
a number has fewer than the longest are there unseen (`\phantom{0}`). So numbers stand point below
point, and a head that is wider than they are stands over the middle of mean and interval. Digits
are the text's own, which in all fonts that papers are set in are equally wide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from cbablate.reporting.forms.tex_text import breakable, escape, unsettable
from cbablate.reporting.forms.text_width import EM, points
from cbablate.reporting.model.cell import MINUS, Blank, Cell, Number, Range, Spread, Text
from cbablate.reporting.model.column import Column
from cbablate.reporting.model.style import Size

__all__ = ["MARK_WIDTH", "ColumnLayout", "column_layout", "heads", "natural_width", "spelled_cell"]

_HEAD = 8.0
"""Width in em beyond which a head is broken, if its numbers are no wider."""
_NUMBERED = 7.0
"""Width in em that a letter takes that is spelled by its number."""
_SIGNS = ("+", MINUS)
MARK_WIDTH = 3.5
"""Points that a mark takes, which stands behind its column."""
_PM = r"\,$\pm$\,"
_PM_SPACE = 3.2
"""Points of its two thin spaces."""
_BOLD = 1.15
"""Bold digits of Computer Modern are so much wider; those of Times are not."""


@dataclass(frozen=True)
class _Room:
    """What the longest numbers of a column take: a sign, so many digits and marks before the
    point, so many from the point on; `00` and `.00`.
    """

    sign: str = ""
    whole: str = ""
    tail: str = ""

    @classmethod
    def of(cls, numbers: Sequence[str], *, pointed: bool = True) -> _Room:
        """The room of numbers that stand point below point, or unless `pointed` end alike."""
        parts = [_split(one, pointed) for one in numbers]
        return cls(*(max((part[i] for part in parts), key=len, default="") for i in range(3)))

    def padding(self, number: str, *, pointed: bool = True) -> tuple[str, str]:
        """What stands unseen before and behind a number."""
        sign, whole, tail = _split(number, pointed)
        before = self.whole[: len(self.whole) - len(whole)]
        return (
            _unseen(("$+$" if self.sign and not sign else "") + before),
            _unseen(self.tail[len(tail) :]),
        )

    @property
    def widest(self) -> str:
        """A number that takes all of it."""
        return self.sign + self.whole + self.tail


@dataclass(frozen=True)
class ColumnLayout:
    """How a column is set. `wrapped` is how wide its words are, in points, where they are broken
    into lines; `head` the same of its heading. `width` is how wide it comes out.

    `em` is how wide an em of it is. `centre` and `behind` are the room of a number and of its
    half-width or span. `pointed` says that numbers stand point below point, `marked` that marks
    stand in the gap behind some.
    """

    specification: str
    width: float
    wrapped: float | None = None
    head: float | None = None
    em: float = EM[8]
    centre: _Room = _Room()
    behind: _Room = _Room()
    pointed: bool = True
    marked: bool = False


def column_layout(
    column: Column, cells: Sequence[Cell], *, size: Size, share: float
) -> ColumnLayout:
    """The layout of a column whose words, if it holds words, have `share` points at most."""
    wide = natural_width(column, cells, size)
    if column.kind == "text":
        if wide > share or _is_foreign(column, cells):
            share = min(wide, share)
            ragged = r">{\raggedright\hangindent=1em\arraybackslash}"
            return ColumnLayout(f"{ragged}p{{{share:.1f}pt}}", share, wrapped=share, em=EM[size])
        return ColumnLayout("l", wide)
    room = wide - MARK_WIDTH * _is_marked(cells)
    head = room if _head_width(column, size) > room or unsettable(column.label) else None
    if column.kind in ("count", "probability"):
        return ColumnLayout("r", wide, head=head, em=EM[size])
    centre, behind = _rooms(column, cells)
    pointed = column.kind != "stack"
    return ColumnLayout(
        "c",
        wide,
        head=head,
        em=EM[size],
        centre=centre,
        behind=behind,
        pointed=pointed,
        marked=_is_marked(cells),
    )


def natural_width(column: Column, cells: Sequence[Cell], size: Size) -> float:
    """How wide a column is, in points, if no cell of it is broken."""
    if column.kind == "text":
        wide = [points(text, size) for text in (column.label, *(one.plain for one in cells))]
        return max([*wide, _NUMBERED * EM[size] * _is_foreign(column, cells)])
    body = _body_width(column, cells, size)
    head = min(_head_width(column, size), max(body, _HEAD * EM[size]))
    return max(body, head) + MARK_WIDTH * _is_marked(cells)


def _is_foreign(column: Column, cells: Sequence[Cell]) -> bool:
    """Whether a column has words that pdfLaTeX spells by numbers, which must be broken."""
    return any(unsettable(text) for text in (column.label, *(one.plain for one in cells)))


def heads(columns: Sequence[Column], layouts: Sequence[ColumnLayout], size: Size) -> Iterator[str]:
    """The heading's lines: what spans several columns, with a rule below; labels; and below them
    units and directions where there are any."""
    if any(column.over for column in columns):
        yield from _spanning(columns, layouts, size)
    both = list(zip(columns, layouts, strict=True))
    yield " & ".join(_label(column, layout) for column, layout in both) + r" \\"
    if any(column.below for column in columns):
        below = (
            _in_lines(escape(one.below), layout.head) if one.below else "" for one, layout in both
        )
        yield " & ".join(below) + r" \\"


def _spanning(
    columns: Sequence[Column], layouts: Sequence[ColumnLayout], size: Size
) -> Iterator[str]:
    """The line of headings that neighbours share, and the rules below each."""
    fields: list[str] = []
    rules: list[str] = []
    place = 1
    runs = groupby(zip(columns, layouts, strict=True), key=lambda pair: pair[0].over)
    for over, run in runs:
        shared = [layout for _, layout in run]
        room = sum(layout.width for layout in shared)
        if over:
            fits = points(over, size) <= room and not unsettable(over)
            spelled = escape(over) if fits else _in_lines(breakable(over, room / EM[size]), room)
            fields.append(rf"\multicolumn{{{len(shared)}}}{{c}}{{{spelled}}}")
            rules.append(rf"\cmidrule(lr){{{place}-{place + len(shared) - 1}}}")
        else:
            fields += [""] * len(shared)
        place += len(shared)
    yield " & ".join(fields) + r" \\"
    yield " ".join(rules)


def spelled_cell(cell: Cell, layout: ColumnLayout) -> str:
    """A cell in the column of its layout."""
    if isinstance(cell, Text):
        if layout.wrapped is None:
            return escape(cell.text)
        return breakable(cell.text, layout.wrapped / layout.em - 1)  # which later lines stand in
    if isinstance(cell, Spread):
        alone = cell.half is None and not layout.pointed
        room = replace(layout, centre=_Room()) if alone else layout
        return _number(cell.centre, room, bold=cell.best) + _half(
            cell.half, room, _raised(cell.mark)
        )
    if isinstance(cell, Range):
        before, _ = layout.behind.padding(cell.span, pointed=False)
        return f"{_number(cell.centre, layout)} {before}{escape(cell.span)}{_raised(cell.mark)}"
    if isinstance(cell, Number):
        return _number(cell, layout) + _half(None, layout, "")
    return escape(cell.plain).replace(r"\textless{}", "$<$")


def _raised(mark: str) -> str:
    """A mark, which takes no room of the cell that it stands behind."""
    return rf"\rlap{{$^{{{escape(mark).strip('$')}}}$}}" if mark else ""


def _number(number: Number, layout: ColumnLayout, *, bold: bool = False) -> str:
    """A number in the room that its column keeps."""
    text = number.plain
    sign = {"+": "$+$", MINUS: "$-$"}.get(text[0], "")
    if not number.aligned:
        return sign + escape(text[1:] if sign else text)
    before, behind = layout.centre.padding(text, pointed=layout.pointed)
    digits = text[1:] if sign else text
    digits = rf"\textbf{{{digits}}}" if bold else digits
    return f"{before}{sign}{digits}{behind}"


def _half(half: Number | None, layout: ColumnLayout, mark: str) -> str:
    """Plus-minus and a half-width with its mark; as much room where there is none but others of
    the same metric have one.
    """
    room = layout.behind
    if half is None:
        return mark + (_unseen(_PM + room.widest) if room.widest and layout.pointed else "")
    if not half.aligned:
        return f"{_PM}{escape(half.plain)}{mark}"
    before, behind = room.padding(half.plain, pointed=layout.pointed)
    if not layout.pointed:
        before, behind = "", before
    return f"{_PM}{before}{half.plain}{mark}{behind}"


def _rooms(column: Column, cells: Sequence[Cell]) -> tuple[_Room, _Room]:
    """The room of centres, and of half-widths or spans."""
    pointed = column.kind != "stack"
    centres = [one.centre for one in cells if isinstance(one, Range)]
    centres += [one.centre for one in cells if isinstance(one, Spread) and (pointed or one.half)]
    centres += [one for one in cells if isinstance(one, Number)]
    spans = [one.span for one in cells if isinstance(one, Range)]
    halves = [one.half for one in cells if isinstance(one, Spread) and one.half]
    behind = spans or [one.plain for one in halves if one.aligned]
    return (
        _Room.of([one.plain for one in centres if one.aligned], pointed=pointed),
        _Room.of(behind, pointed=pointed and not spans),
    )


def _split(text: str, pointed: bool) -> tuple[str, str, str]:
    """A number's sign, and the shapes of what is before and from the point: `+`, `00`, `.00`."""
    shape = re.sub(r"[^0.,]", "", re.sub(r"\d", "0", text))
    whole, point, tail = shape.partition(".") if pointed else (shape, "", "")
    return ("+" if pointed and text[0] in _SIGNS else "", whole, point + tail)


def _unseen(text: str) -> str:
    return rf"\phantom{{{text}}}" if text else ""


def _body_width(column: Column, cells: Sequence[Cell], size: Size) -> float:
    """The width of the numbers with all that stands behind them."""
    if column.kind in ("count", "probability"):
        return max([points(one.plain, size) for one in cells], default=0.0)
    centre, behind = _rooms(column, cells)
    spans = [f" {one.span}" for one in cells if isinstance(one, Range)]
    if behind.widest and not spans:
        spans = [f"\u00b1{behind.widest}"]
    wide = max((points(one, size) for one in spans), default=-_PM_SPACE) + _PM_SPACE
    alone = [points(one.plain, size) for one in cells if isinstance(one, Blank | Spread)]
    bold = any(isinstance(one, Spread) and one.best for one in cells)
    number = points(centre.widest, size) * (_BOLD if bold else 1)
    return max([number + wide, *alone])


def _is_marked(cells: Sequence[Cell]) -> bool:
    return any(isinstance(one, Spread | Range) and one.mark for one in cells)


def _head_width(column: Column, size: Size) -> float:
    numbered = _NUMBERED * EM[size] * bool(unsettable(column.label))
    return max(points(column.label, size), points(column.below, size), numbered)


def _label(column: Column, layout: ColumnLayout) -> str:
    if column.symbol:
        return f"${escape(column.label)}$"
    room = layout.wrapped or layout.head
    spelled = breakable(column.label, room / layout.em) if room else escape(column.label)
    return _in_lines(spelled, room, left=layout.wrapped is not None)


def _in_lines(spelled: str, room: float | None, *, left: bool = False) -> str:
    """Words broken into lines of a width in points, on the last of which the line stands; or as
    they are, if there is no such width."""
    if room is None:
        return spelled
    side = r"\raggedright" if left else r"\centering"
    return rf"\parbox[b]{{{room:.1f}pt}}{{{side} {spelled}\strut}}"
