"""Choices: rows by name, the type of a key that names one of them, and the code that a row names.

What a person chooses by name (an operator, a probe, a sampler, a design, a data set, a form of a
table) stands in one table each, one row a thing. All that must know the names takes them from it.
A row names its code as `module:function`, so that reading a study imports nothing heavy.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

__all__ = ["OneOf", "by_name", "chosen", "code_at", "one_of"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Row = TypeVar("Row")
NamedRow = TypeVar("NamedRow", bound=_Named)


def by_name(what: str, rows: Iterable[NamedRow]) -> Mapping[str, NamedRow]:
    """A table of rows by their names, in the order given; `what` is the plural of a row.

    Raises:
        ValueError: two rows have one name.
    """
    table: dict[str, NamedRow] = {}
    for row in rows:
        if row.name in table:
            raise ValueError(f"two {what} are called '{row.name}'")
        table[row.name] = row
    return MappingProxyType(table)


def chosen(what: str, table: Mapping[str, Row], name: str) -> Row:
    """The row of this name; `what` is what a row is.

    Raises:
        LookupError: there is none; the message lists those there are.
    """
    if name not in table:
        raise LookupError(f"there is no {what} '{name}'; there are {', '.join(sorted(table))}")
    return table[name]


@dataclass(frozen=True)
class OneOf:
    """The type of a string that is one of these names: a `Literal` that a table spells."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.literal_schema(list(self.names))


def one_of(names: Iterable[str]) -> OneOf:
    """What makes `Annotated[str, one_of(TABLE)]` accept the names of a table and no others.

    Errors, hints and the JSON Schema are those of a `Literal` of these names.
    """
    return OneOf(tuple(names))


def code_at(where: str) -> Any:
    """What lies at `module:function`; the module is imported now."""
    module, _, function = where.partition(":")
    return getattr(importlib.import_module(module), function)
