r"""`ColumnLayout`: how a column of a table is set in LaTeX: its specification, head and cells.

Numbers stand in siunitx's `S` columns, aligned at the point. Half-widths, spans and marks have
columns of their own behind them, a thin space away: siunitx sets an uncertainty in an `S` column
with uneven gaps, and its options for text there differ between versions 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from cbablate.reporting.forms.tex_text import breakable, escape
from cbablate.reporting.forms.text_width import EM, points
from cbablate.reporting.model.cell import Blank, Cell, Number, Range, Spread, Text
from cbablate.reporting.model.column import Column
from cbablate.reporting.model.style import Size

__all__ = ["ColumnLayout", "column_layout", "heads", "natural_width", "spelled_cell"]

_HEAD = 8.0
"""Width in em beyond which a head is broken, if its numbers are no wider."""
_THIN, _MARK, _SIGN, _DIGIT, _POINT = 0.167, 0.35, 0.78, 0.5, 0.36


@dataclass(frozen=True)
class ColumnLayout:
    """How a column is set: its specification, and which columns follow it as parts of it.

    `wrapped` is how wide its words are, in points, where they are broken into lines; `head` the
    same of its heading. `width` is how wide it comes out.
    """

    specification: str
    width: float
    spread: bool = False
    mark: bool = False
    wrapped: float | None = None
    head: float | None = None

    @property
    def span(self) -> int:
        """How many columns of LaTeX it takes: for a centre, its spread, its mark."""
        return 1 + self.spread + self.mark


def column_layout(
    column: Column, cells: Sequence[Cell], *, size: Size, share: float
) -> ColumnLayout:
    """The layout of a column whose words, if it holds words, have `share` points at most."""
    wide = natural_width(column, cells, size)
    if column.kind == "text":
        if wide > share:
            ragged = r">{\raggedright\hangindent=1em\arraybackslash}"
            return ColumnLayout(f"{ragged}p{{{share:.1f}pt}}", share, wrapped=share)
        return ColumnLayout("l", wide)
    room = max(_body_width(column, cells, size), _HEAD * EM[size])
    head = room if _head_width(column, size) > room else None
    spread, mark = _parts(column, cells)
    if column.kind == "range":
        form = _format([one.centre for one in cells if isinstance(one, Range | Spread)])
        return ColumnLayout(rf"S[table-format={form}]@{{\,}}r", wide, spread=True, head=head)
    if column.kind == "stack":  # the half-width and its mark in one column, which starts even
        return ColumnLayout(r"r@{\,}l", wide, spread=True, head=head)
    if column.kind == "spread":
        behind = (r"@{\,}r" if spread else "") + ("@{}l" if mark else "")
        form = _format([one.centre for one in cells if isinstance(one, Spread)])
        return ColumnLayout(f"S[table-format={form}]{behind}", wide, spread, mark, head=head)
    return ColumnLayout("r", wide, head=head)


def natural_width(column: Column, cells: Sequence[Cell], size: Size) -> float:
    """How wide a column is, in points, if no cell of it is broken."""
    if column.kind == "text":
        return _words_width(column, cells, size)
    body = _body_width(column, cells, size)
    return max(body, min(_head_width(column, size), max(body, _HEAD * EM[size])))


def heads(columns: Sequence[Column], layouts: Sequence[ColumnLayout], size: Size) -> Iterator[str]:
    """The heading's lines: what spans several columns, with a rule below; labels; and below them
    units and directions where there are any."""
    if any(column.over for column in columns):
        yield from _spanning(columns, layouts, size)
    yield (
        " & ".join(
            _head(_label(column, layout), column, layout)
            for column, layout in zip(columns, layouts, strict=True)
        )
        + r" \\"
    )
    if any(column.below for column in columns):
        yield (
            " & ".join(
                _head(escape(column.below), column, layout) if column.below else _gap(layout)
                for column, layout in zip(columns, layouts, strict=True)
            )
            + r" \\"
        )


def _spanning(
    columns: Sequence[Column], layouts: Sequence[ColumnLayout], size: Size
) -> Iterator[str]:
    """The line of headings that neighbours share, and the rules below each."""
    fields: list[str] = []
    rules: list[str] = []
    place = 1
    runs = groupby(zip(columns, layouts, strict=True), key=lambda pair: pair[0].over)
    for over, run in runs:
        told = [layout for _, layout in run]
        span = sum(layout.span for layout in told)
        if over:
            room = sum(layout.width for layout in told)
            fits = points(over, size) <= room
            spelled = escape(over) if fits else _boxed(breakable(over), room)
            fields.append(rf"\multicolumn{{{span}}}{{c}}{{{spelled}}}")
            rules.append(rf"\cmidrule{{{place}-{place + span - 1}}}")
        else:
            fields.append(" &" * (span - 1))
        place += span
    yield " & ".join(fields) + r" \\"
    yield " ".join(rules)


def spelled_cell(cell: Cell, layout: ColumnLayout) -> str:
    """A cell in the columns of its layout."""
    if isinstance(cell, Text):
        return breakable(cell.text) if layout.wrapped else escape(cell.text)
    if isinstance(cell, Spread):
        aligned = layout.specification.startswith("S")
        centre = _number(cell.centre) if aligned else _alone(cell.centre)
        parts = [(r"\bfseries " if cell.best else "") + centre]
        if layout.spread:
            parts.append(rf"$\pm\,${escape(cell.half.plain)}" if cell.half else "")
        if layout.mark:
            parts.append(_raised(cell.mark))
        else:
            parts[-1] += _raised(cell.mark)
        return " & ".join(parts).rstrip()
    if isinstance(cell, Range):
        return f"{_number(cell.centre)} & {escape(cell.span)}{_raised(cell.mark)}"
    if isinstance(cell, Number):
        return _number(cell)
    if isinstance(cell, Blank) and (layout.span > 1 or layout.specification.startswith("S")):
        return rf"\multicolumn{{{layout.span}}}{{c}}{{{escape(cell.plain)}}}"
    return escape(cell.plain).replace(r"\textless{}", "$<$")


def _raised(mark: str) -> str:
    return f"$^{{{escape(mark).strip('$')}}}$" if mark else ""


def _parts(column: Column, cells: Sequence[Cell]) -> tuple[bool, bool]:
    """Whether any cell has a spread, and any a mark."""
    if column.kind == "range":
        return True, False
    spreads = [one for one in cells if isinstance(one, Spread)]
    return any(one.half for one in spreads), any(one.mark for one in spreads)


def _words_width(column: Column, cells: Sequence[Cell], size: Size) -> float:
    said = [column.label, *(one.plain for one in cells)]
    return max(points(text, size) for text in said)


def _body_width(column: Column, cells: Sequence[Cell], size: Size) -> float:
    """The width of the numbers with all that stands behind them."""
    plain = [points(one.plain, size) for one in cells if not isinstance(one, Spread | Range)]
    numbers = [one.centre for one in cells if isinstance(one, Spread | Range)]
    if column.kind not in ("spread", "stack", "range") or not numbers:
        return max([points(one.plain, size) for one in cells], default=0.0)
    spread, mark = _parts(column, cells)
    form = _format(numbers)
    whole, _, decimals = form.lstrip("+").partition(".")
    ems = _DIGIT * (int(whole) + int(decimals)) + _POINT * (int(decimals) > 0)
    ems += _SIGN * form.startswith("+") + _POINT * ((int(whole) - 1) // 3) * (int(whole) > 4)
    wide = EM[size] * (ems + _THIN * spread + _MARK * mark)
    behind = [points(one.span, size) for one in cells if isinstance(one, Range)]
    behind += [
        points(f"±{one.half.plain}", size) + _THIN * EM[size]
        for one in cells
        if isinstance(one, Spread) and one.half
    ]
    apart = [points(one.plain, size) for one in numbers if not one.aligned]
    return max([max([wide, *apart]) + max(behind, default=0.0), *plain])


def _head_width(column: Column, size: Size) -> float:
    return max(points(column.label, size), points(column.below, size))


def _head(spelled: str, column: Column, layout: ColumnLayout) -> str:
    """One line of a heading, over all columns of a layout."""
    if column.kind == "text":
        return spelled
    if layout.head is not None:
        spelled = _boxed(spelled, layout.head)
    side = "r" if column.kind in ("count", "probability") else "c"
    return rf"\multicolumn{{{layout.span}}}{{{side}}}{{{spelled}}}"


def _boxed(spelled: str, room: float) -> str:
    """Words broken into lines of a width in points, on the last of which the line stands."""
    return rf"\parbox[b]{{{room:.1f}pt}}{{\centering {spelled}\strut}}"


def _label(column: Column, layout: ColumnLayout) -> str:
    if column.symbol:
        return f"${escape(column.label)}$"
    broken = layout.wrapped is not None or layout.head is not None
    return breakable(column.label) if broken else escape(column.label)


def _gap(layout: ColumnLayout) -> str:
    """Nothing, in all columns of a layout."""
    return " &" * (layout.span - 1)


def _format(centres: Sequence[Number]) -> str:
    """The room that siunitx keeps: `+2.2` for up to -12.34."""
    digits = [number.digits for number in centres if number.aligned]
    sign = "+" if any(text[0] in "+-" for text in digits) else ""
    whole = max((len(text.lstrip("+-").partition(".")[0]) for text in digits), default=1)
    decimals = max((len(text.partition(".")[2]) for text in digits), default=0)
    return f"{sign}{whole}.{decimals}"


def _number(number: Number) -> str:
    return number.digits if number.aligned else f"{{{escape(number.plain)}}}"


def _alone(number: Number) -> str:
    """A number in a column that is not siunitx's, grouped as it would be there."""
    return rf"\num{{{number.digits}}}" if number.aligned else escape(number.plain)
