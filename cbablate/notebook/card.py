"""`Card`: a heading, lines and a few rows: what a notebook shows of a value that is not a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cbablate.phrases import counted
from cbablate.reporting.forms.markdown import escaped
from cbablate.reporting.forms.web_page import template
from cbablate.reporting.model.cell import significant
from cbablate.reporting.model.sheet import Value

__all__ = ["MOST_ROWS", "TEMPLATES", "Card", "card_of"]

MOST_ROWS = 20
"""More rows than these are counted, and not shown: an output stays in its notebook for ever."""
MOST_LINES = 40
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Card:
    """What is shown, already in words; `left_out` says what is not shown, "" where all is."""

    title: str
    lines: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numeric: tuple[bool, ...] = ()
    left_out: str = ""

    @property
    def html(self) -> str:
        """A part of a page."""
        return template("card.html", TEMPLATES).render(card=self)

    @property
    def markdown(self) -> str:
        """The same as Markdown."""
        lines = [f"**{escaped(self.title)}**", ""]
        for line in self.lines:
            lines += [escaped(line), ""]
        if self.header:
            rule = ["---:" if right else ":---" for right in self.numeric]
            for cells in (map(escaped, self.header), rule, *(map(escaped, r) for r in self.rows)):
                lines.append(f"| {' | '.join(cells)} |")
            lines.append("")
        if self.left_out:
            lines += [escaped(self.left_out), ""]
        return "\n".join(lines)


def card_of(
    title: str,
    lines: Iterable[str] = (),
    *,
    header: Sequence[str] = (),
    rows: Sequence[Sequence[Value]] = (),
    noun: str = "row",
) -> Card:
    """A card of values, of which the first rows are shown."""
    said = [*lines]
    left = len(rows) - MOST_ROWS
    more = [f"And {counted(left, f'more {noun}')}."] if left > 0 else []
    if len(said) > MOST_LINES:
        more.append(f"And {counted(len(said) - MOST_LINES, 'more line')}.")
    shown = rows[:MOST_ROWS]
    numeric = [
        any(isinstance(row[place], int | float) for row in shown)
        and not any(isinstance(row[place], str) for row in shown)
        for place in range(len(header))
    ]
    return Card(
        title=title,
        lines=tuple(said[:MOST_LINES]),
        header=tuple(header),
        rows=tuple(tuple(map(_spelled, row)) for row in shown),
        numeric=tuple(numeric),
        left_out=" ".join(more),
    )


def _spelled(value: Value) -> str:
    """A value for a reader; the rows themselves keep it unrounded."""
    if value is None:
        return ""
    if isinstance(value, float):
        return significant(value, 5) if math.isfinite(value) else str(value)
    return str(value)
