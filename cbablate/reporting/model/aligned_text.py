"""`aligned_text`: a table as text for a person at a terminal, or for a log."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from cbablate.character import visible, width
from cbablate.reporting.model.cell import DASH, MINUS, Blank, Cell, Range, Spread
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.text_layout import GAP, broken, text_layout

__all__ = ["aligned_text", "in_ascii"]

_NARROWEST = 60
_FILL = "\0"
"""The second half of a wide letter, while lines are made; no text that is shown has it."""
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
    room: int | None = None,
) -> str:
    """Title, table, notes. `ascii_only` is for an output that cannot show other characters, `room`
    the width of the terminal, if it goes to one.
    """
    columns = [
        _column(column, [row.cells[index] for row in rows], ascii_only)
        for index, column in enumerate(heads)
    ]
    names = [index for index, column in enumerate(heads) if column.kind == "text"]
    layout = text_layout(columns, names, room)
    panels = [
        [_lines(columns, number, panel, layout.widths, names) for number in range(len(rows) + 2)]
        for panel in layout.panels
    ]
    wide = max([_NARROWEST, *(width(line) for panel in panels for row in panel for line in row)])
    wide = wide if room is None else min(wide, room)
    rule = _spelled("─", ascii_only) * wide
    table = [rule]
    for label, unit, *body in panels:
        table += [*(line for line in (*label, *unit) if line), rule]
        for row, lines in zip(rows, body, strict=True):
            table += ["", *lines] if row.opens else lines
        table.append(rule)
    told = [line for note in below for line in _wrapped(_spelled(note, ascii_only), wide)]
    title = [line for one in above for line in _wrapped(_spelled(one, ascii_only), wide)]
    return "\n".join([*title, "", *table, *told]) + "\n"


def _column(column: Column, cells: Sequence[Cell], ascii_only: bool) -> list[str]:
    """The column's texts: label and unit, then one a row; numbers stand point below point."""
    parts = [[_spelled(part, ascii_only) for part in _parts(cell)] for cell in cells]
    widths = [max((width(part[i]) for part in parts), default=0) for i in range(3)]
    heads = [_spelled(head, ascii_only) for head in (column.title, column.below)]
    if column.kind == "text":
        return [*heads, *("".join(part) for part in parts)]
    body = [
        _right(part[0], widths[0]) + _right(part[1], widths[1]) + _left(part[2], widths[2])
        for part in parts
    ]
    return [*heads, *body]


def _lines(
    columns: Sequence[Sequence[str]],
    number: int,
    panel: Sequence[int],
    widths: Sequence[int],
    names: Sequence[int],
) -> list[str]:
    """One row of a panel, the first two of which are its heads, in as many lines as it takes."""
    fields = [
        broken(text, widths[index]) if number == 0 or index in names else [text]
        for index in panel
        for text in [columns[index][number]]
    ]
    high = max(map(len, fields))
    for field in fields:
        place = 0 if number < 2 else len(field)  # heads stand above the rule, names begin above
        field[place:place] = [""] * (high - len(field))
    return [
        GAP.join(
            (_left if index in names else _right)(field[line], widths[index])
            for index, field in zip(panel, fields, strict=True)
        ).rstrip()
        for line in range(high)
    ]


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
    """The text as it is shown, with the space that parts it from what it stands behind."""
    shown = in_ascii(text) if ascii_only else visible(text)
    return f" {shown}" if shown and text.startswith(" ") else shown


def in_ascii(text: str) -> str:
    """The text in one line of ASCII: signs as one types them, the rest by number."""
    return visible(text).translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def _wrapped(text: str, wide: int) -> list[str]:
    """The text in lines, of which none ends within a word such as Top-1."""
    filled = "".join(letter + _FILL * (width(letter) - 1) for letter in text)
    lines = textwrap.wrap(filled, wide, subsequent_indent="  ", break_on_hyphens=False)
    return [line.replace(_FILL, "") for line in lines]


def _left(text: str, wide: int) -> str:
    return text + " " * (wide - width(text))


def _right(text: str, wide: int) -> str:
    return " " * (wide - width(text)) + text
