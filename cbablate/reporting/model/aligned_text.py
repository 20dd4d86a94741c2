"""`aligned_text`: a table as text for a person at a terminal, or for a log."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from cbablate.character import visible, width
from cbablate.reporting.model.cell import DASH, MINUS, Blank, Cell, Range, Spread
from cbablate.reporting.model.column import Column, Row

__all__ = ["aligned_text", "in_ascii"]

_GAP = "  "
_NARROWEST = 60
_ASCII = str.maketrans(
    {
        "±": "+-",
        "Δ": "diff.",
        DASH: "-",
        MINUS: "-",
        "†": "*",
        "↑": "(max)",
        "↓": "(min)",
        "─": "-",
        "\u00d7": "x",
        "“": '"',
        "”": '"',
        "⁻": "-",
        "Š": "S",
        "á": "a",
        **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True)),
    }
)


def aligned_text(
    heads: Sequence[Column],
    rows: Sequence[Row],
    *,
    above: Sequence[str],
    below: Sequence[str],
    ascii_only: bool = False,
) -> str:
    """Title, table, notes. `ascii_only` is for an output that cannot show other characters."""
    columns = [
        _column(column, [row.cells[index] for row in rows], ascii_only)
        for index, column in enumerate(heads)
    ]
    lines = [_joined([column[row] for column in columns]) for row in range(len(columns[0]))]
    wide = max([_NARROWEST, *map(width, lines)])
    rule = _spelled("─", ascii_only) * wide
    body: list[str] = []
    for row, line in zip(rows, lines[2:], strict=True):
        body += ["", line] if row.opens else [line]
    headings = [line for line in lines[:2] if line.strip()]
    told = [line for note in below for line in _wrapped(_spelled(note, ascii_only), wide)]
    title = [line for one in above for line in _wrapped(_spelled(one, ascii_only), wide)]
    return "\n".join([*title, "", rule, *headings, rule, *body, rule, *told]) + "\n"


def _column(column: Column, cells: Sequence[Cell], ascii_only: bool) -> list[str]:
    """The column's lines, all equally wide: two of heading, then one a row."""
    parts = [[_spelled(part, ascii_only) for part in _parts(cell)] for cell in cells]
    widths = [max((width(part[i]) for part in parts), default=0) for i in range(3)]
    pad = _left if column.kind == "text" else _right
    body = [
        pad(part[0], widths[0]) + _right(part[1], widths[1]) + _left(part[2], widths[2])
        for part in parts
    ]
    heads = [column.title, column.below]
    lines = [*(_spelled(head, ascii_only) for head in heads), *body]
    wide = max(map(width, lines))
    return [pad(line, wide) for line in lines]


def _parts(cell: Cell) -> tuple[str, str, str]:
    """A cell as what is aligned: a centre to the right, its spread to the right, its mark."""
    if isinstance(cell, Spread):
        return cell.centre.plain, f" ± {cell.half.plain}" if cell.half else "", cell.mark
    if isinstance(cell, Range):
        return cell.centre.plain, f" {cell.span}", cell.mark
    if isinstance(cell, Blank):
        return cell.plain, "", ""
    return visible(cell.plain), "", ""


def _spelled(text: str, ascii_only: bool) -> str:
    """The text as it is shown; a space before it, which parts it from what it stands behind, stays."""
    shown = in_ascii(text) if ascii_only else visible(text)
    return f" {shown}" if shown and text.startswith(" ") else shown


def in_ascii(text: str) -> str:
    """The text in one line of ASCII: signs as one types them, the rest by number."""
    return visible(text).translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def _wrapped(text: str, wide: int) -> list[str]:
    """The text in lines, of which none ends within a word such as Top-1."""
    return textwrap.wrap(text, wide, subsequent_indent="  ", break_on_hyphens=False)


def _joined(fields: Sequence[str]) -> str:
    return _GAP.join(fields).rstrip()


def _left(text: str, wide: int) -> str:
    return text + " " * (wide - width(text))


def _right(text: str, wide: int) -> str:
    return " " * (wide - width(text)) + text
