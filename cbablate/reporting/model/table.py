"""`Table`: what is said, before how it is spelled."""

from __future__ import annotations

from dataclasses import dataclass, field

from cbablate.reporting.model.aligned_text import aligned_text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.sheet import Sheet
from cbablate.spec.typesetting import Typesetting

__all__ = ["MARK", "Table"]

MARK = "cbablate"
"""Comments that begin with it say where numbers come from; `cbablate verify` reads them."""


@dataclass(frozen=True)
class Table:
    """A caption, columns, rows, and the notes without which they would mislead.

    `comment` says what was done, in lines above the table or in its source; `method` how it was
    compared, for the source only, as the notes say it to the reader. `sheet` are the numbers,
    unrounded. `name` is a word fit for a file, `data` the version of the data behind the numbers.

    `typesetting` is for LaTeX alone, and so is `statement`: the caption's sentences after the
    first. They say what the notes of `stated` say, which then need not stand below.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    comment: tuple[str, ...]
    method: tuple[str, ...]
    sheet: Sheet
    data: str = ""
    typesetting: Typesetting = field(default_factory=Typesetting)
    statement: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.as_text()

    def as_text(self, *, ascii_only: bool = False) -> str:
        """The table as it looks in a terminal; `ascii_only` where that shows nothing else."""
        return aligned_text(
            self.columns, self.rows, above=self.comment, below=self.notes, ascii_only=ascii_only
        )
