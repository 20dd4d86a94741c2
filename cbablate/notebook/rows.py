"""`Rows`: a header and rows of plain values, which a notebook shows and pandas takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from cbablate.notebook.card import Card, card_of
from cbablate.phrases import counted
from cbablate.reporting.model.data_frame import data_frame
from cbablate.reporting.model.sheet import Value

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Rows"]


@dataclass(frozen=True, repr=False)
class Rows(Sequence[Mapping[str, Value]]):
    """Rows by column, each a mapping; numbers as they were recorded, None where there is none.

    `title` says what they are, `noun` what one of them is.
    """

    title: str
    columns: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]
    noun: str = "row"

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Value]: ...
    @overload
    def __getitem__(self, index: slice) -> list[Mapping[str, Value]]: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, Value] | list[Mapping[str, Value]]:
        if isinstance(index, slice):
            return [self._row(one) for one in self.values[index]]
        return self._row(self.values[index])

    def __iter__(self) -> Iterator[Mapping[str, Value]]:
        return map(self._row, self.values)

    def to_pandas(self) -> DataFrame:
        """The rows as a data frame.

        Raises:
            EnvironmentFault: pandas is not installed.
        """
        return data_frame(self.columns, self.values)

    def __repr__(self) -> str:
        columns = counted(len(self.columns), "column")
        return f"<{self.title}: {counted(len(self), self.noun)}, {columns}>"

    def _repr_html_(self) -> str:
        return self._card.html

    def _repr_markdown_(self) -> str:
        return self._card.markdown

    @property
    def _card(self) -> Card:
        return card_of(self.title, header=self.columns, rows=self.values, noun=self.noun)

    def _row(self, values: Sequence[Value]) -> Mapping[str, Value]:
        return dict(zip(self.columns, values, strict=True))
