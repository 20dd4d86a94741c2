"""`Table`: what is said, before how it is spelled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cbablate.phrases import counted
from cbablate.reporting.model.aligned_text import aligned_text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.data_frame import data_frame
from cbablate.reporting.model.sheet import Sheet
from cbablate.shown import Shown
from cbablate.spec.typesetting import Notes, Typesetting

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["MARK", "Table"]

MARK = "cbablate"
"""Comments that begin with it say where numbers come from; `cbablate verify` reads them."""


@dataclass(frozen=True)
class Table(Shown):
    """A caption, columns, rows, and the notes without which they would mislead.

    `comment` says what was done, in lines above the table or in its source; `method` how it was
    compared, for the source only, as the notes say it to the reader. `sheet` are the numbers,
    unrounded. `name` is a word fit for a file, `data` the version of the data behind the numbers.

    `notes` are all of them, `brief` those at `short`, where these are not the same. `typesetting`
    says which are shown, and is else for LaTeX alone; so is `statement`: the caption's sentences
    after the first. They say what the notes of `stated` say, which then need not stand below.
    `signs` are the notes that say what signs mean, which stay where notes are `none`. `bold` says
    what bold faces mean, for forms that have them and no caption; "" where none stands.
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
    brief: tuple[str, ...] | None = None
    signs: tuple[str, ...] = ()
    bold: str = ""

    @property
    def shown(self) -> tuple[str, ...]:
        """The notes that stand below it where it has no caption; at `none`, what signs mean."""
        silent = self.typesetting.notes == "none"
        return tuple(one for one in self.warnings if not silent or one in self.signs)

    @property
    def captioned(self) -> tuple[str, ...]:
        """The caption's sentences after the first; without notes, all that signs mean."""
        return (
            self.statement if self.typesetting.notes != "none" else (*self.statement, *self._rest)
        )

    @property
    def below(self) -> tuple[str, ...]:
        """The notes that stand below it in a paper, beside what its caption says."""
        return () if self.typesetting.notes == "none" else self._rest

    @property
    def silent(self) -> tuple[str, ...]:
        """The notes that only the source has."""
        return tuple(one for one in self.warnings if one not in self.shown)

    @property
    def _rest(self) -> tuple[str, ...]:
        return tuple(one for one in self.shown if one not in self.stated)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notes that its source has at least, and a terminal shows."""
        full = self.typesetting.notes == "full" or self.brief is None
        return self.notes if full or self.brief is None else self.brief

    def noted(self, notes: Notes) -> Table:
        """The table with other notes than its study asks for."""
        return replace(self, typesetting=self.typesetting.model_copy(update={"notes": notes}))

    def __repr__(self) -> str:
        rows, columns = counted(len(self.rows), "row"), counted(len(self.columns), "column")
        return f"<Table {self.name}: {rows}, {columns}>"

    def to_pandas(self) -> DataFrame:
        """The numbers behind it, unrounded, as a data frame: the rows of its `sheet`.

        Raises:
            EnvironmentFault: pandas is not installed.
        """
        return data_frame(self.sheet.header, self.sheet.rows)

    def __str__(self) -> str:
        return self.as_text()

    def as_text(self, *, ascii_only: bool = False, room: int | None = None) -> str:
        """The table as it looks in a terminal; `ascii_only` where that shows nothing else, `room`
        its width, within which the table is kept."""
        return aligned_text(
            self.columns,
            self.rows,
            above=self.comment,
            below=self.warnings,
            ascii_only=ascii_only,
            room=room,
        )
