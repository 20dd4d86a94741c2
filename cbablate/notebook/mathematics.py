r"""`mathematics`: a table as an array of LaTeX's mathematics, which needs no package but amsmath.

A notebook sets LaTeX with MathJax, which knows no tabular, and a notebook that becomes a paper is
set by LaTeX without our preamble. An array is read alike by both. `latex` writes the table for a
paper.
"""

from __future__ import annotations

import re

from cbablate.character import visible
from cbablate.reporting.model.column import Column
from cbablate.reporting.model.table import Table

__all__ = ["array"]

_SIGNS = {
    **{sign: rf"\{sign}" for sign in "&%$#_{}"},
    "\\": r"\backslash ",
    "~": r"\sim ",
    "^": r"\wedge ",
    "−": "-",  # noqa: RUF001 - a minus, which mathematics spells so
    "–": r"\text{--}",  # noqa: RUF001 - a dash, where there is no value
    "±": r"\pm ",
    "†": r"\dagger ",
    "↑": r"\uparrow ",
    "↓": r"\downarrow ",
    "Δ": r"\Delta ",
    "<": "<",
    ">": ">",
}
"""What text of mathematics would read as more than itself, or lacks, as mathematics."""
_PARTS = re.compile(f"([{re.escape(''.join(_SIGNS))}])")


def array(table: Table) -> str:
    """The heads and rows between two rules; without caption and notes, which HTML has."""
    sides = "".join("l" if column.kind == "text" else "r" for column in table.columns)
    lines = [
        " & ".join(map(_head, table.columns)),
        *(" & ".join(_words(cell.plain) for cell in row.cells) for row in table.rows),
    ]
    head, *body = (rf"{line} \\" for line in lines)
    rows = "\n".join([r"\hline", head, r"\hline", *body, r"\hline"])
    return f"$$\n\\begin{{array}}{{{sides}}}\n{rows}\n\\end{{array}}\n$$"


def _head(column: Column) -> str:
    if column.symbol and column.label.isalpha() and column.label.isascii():
        return column.label
    return _words(f"{column.title} {column.below}".strip())


def _words(text: str) -> str:
    parts = _PARTS.split(visible(text))
    return "".join(_SIGNS.get(part, rf"\text{{{part}}}") for part in parts if part)
