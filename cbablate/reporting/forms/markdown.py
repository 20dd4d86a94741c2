"""`markdown`: a table for a README or an issue (GitHub's dialect), readable as it stands too."""

from __future__ import annotations

import re

from cbablate.character import visible, width
from cbablate.reporting.forms.symbol import SYMBOL
from cbablate.reporting.model.cell import Cell, Range, Spread
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.table import MARK, Table

__all__ = ["escaped", "markdown", "sentence"]

_SPECIAL = re.compile(r"([\\`*_\[\]|~$#])")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=[#A-Za-z])")


def markdown(table: Table) -> str:
    """Caption, table, notes."""
    heads = [_head(column) for column in table.columns]
    body = [[_cell(cell) for cell in row.cells] for row in table.rows]
    widths = [max(map(width, (line[i] for line in [heads, *body]))) for i in range(len(heads))]
    left = [column.kind == "text" for column in table.columns]
    rule = [
        f"{':' if to_left else '-'}{'-' * max(1, wide - 2)}{'-' if to_left else ':'}"
        for to_left, wide in zip(left, widths, strict=True)
    ]
    widths = [max(wide, 3) for wide in widths]
    marks = [_mark(table, row) for row in table.rows]
    lines = [
        *(f"<!-- {_remark(line)} -->" for line in (*table.comment, *table.method, *table.silent)),
        *([f"<!-- {MARK} data {table.name} {table.data} -->"] if table.data else []),
        "",
        f"**{escaped(table.caption)}**",
        "",
        *(
            "| " + " | ".join(_padded(*one) for one in zip(line, widths, left, strict=True)) + mark
            for line, mark in zip([heads, rule, *body], [" |", " |", *marks], strict=True)
        ),
        "",
        *(f"- {sentence(note)}" for note in table.shown),
        *([f"<!-- {MARK} end {table.name} -->"] if table.data else []),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _mark(table: Table, row: Row) -> str:
    """The end of a row's line. What follows the last bar is a cell too many, which none shows."""
    return f" | <!-- {MARK} row {table.name} {row.key} -->" if row.key and table.data else " |"


def _head(column: Column) -> str:
    label = f"*{escaped(column.label)}*" if column.symbol else escaped(column.title)
    unit = f" ({escaped(column.unit)})" if column.unit else ""
    return f"{label}{unit} {column.arrow}".rstrip()


def _cell(cell: Cell) -> str:
    """A cell, whose mark stands at its number."""
    mark = cell.mark if isinstance(cell, Spread | Range) else ""
    return escaped(cell.plain.removesuffix(f" {mark}") + mark) if mark else escaped(cell.plain)


def escaped(text: str) -> str:
    """Words that Markdown shows as they are; what it would take for HTML becomes an entity."""
    shown = _SPECIAL.sub(r"\\\1", visible(text))
    shown = _TAG.sub("&lt;", _ENTITY.sub("&amp;", shown))
    return shown.replace(">", "&gt;")


def sentence(text: str) -> str:
    """The text as a sentence of ours, its symbols in italics."""
    return SYMBOL.sub(r"*\g<0>*", escaped(text))


def _remark(text: str) -> str:
    """Words inside an HTML comment, which they cannot end."""
    return visible(text).replace("--", "- -").replace("<", "(").replace(">", ")")


def _padded(text: str, wide: int, to_left: bool) -> str:
    room = " " * (wide - width(text))
    return text + room if to_left else room + text
