"""`Row`: what a program has said at once, by its own names, before it is a measurement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cbablate.character import brief, visible
from cbablate.errors import TrialFailure

__all__ = ["Row", "Value", "quoted", "reported", "row_of"]

Value = float | tuple[float, ...]
"""A metric, or a vector."""


@dataclass(frozen=True)
class Row:
    """Numbers by the program's names; `where` they stood, for a sentence.

    `spent` and `seconds` are what the program expressly says of them. A row that is said `anew`
    takes the place of the one before it.
    """

    values: Mapping[str, Value]
    where: str
    spent: float | None = None
    seconds: float | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    anew: bool = False

    def joined(self, later: Row) -> Row:
        """Both as one; what the later one says goes before."""
        return Row(
            {**self.values, **later.values},
            later.where,
            self.spent if later.spent is None else later.spent,
            self.seconds if later.seconds is None else later.seconds,
            {**self.notes, **later.notes},
        )


def row_of(said: Mapping[str, Any], where: str) -> Row:
    """The numbers and lists of numbers in a decoded JSON object; whatever else it holds is none.

    Of mappings within it, the names are joined by a stroke.
    """
    return Row(dict(_numbers(said, "", where)), where)


def reported(said: Mapping[str, Any], where: str) -> Row:
    """A line of the report file: `metrics`, `vectors` and `notes` apart, or all in one mapping.

    Raises:
        TrialFailure: a part of it is not what it should be, or the line says that `report` has
            refused what it was given.
    """
    seconds = said.get("seconds")
    if not isinstance(said.get("metrics"), Mapping):
        flat = {name: value for name, value in said.items() if name != "notes"}
        words = {name: value for name, value in flat.items() if isinstance(value, str)}
        row, notes = row_of(flat, where), {**words, **_part(said, "notes", where)}
        return Row(row.values, where, notes={name: str(note) for name, note in notes.items()})
    if isinstance(said.get("refused"), str):
        raise TrialFailure(said["refused"])
    values: dict[str, Value] = {}
    for part in ("metrics", "vectors"):
        for name, value in _part(said, part, where).items():
            found = _value(value, name, where)
            if found is None:
                raise TrialFailure(f"{where}: {part} has {quoted(value)} as {name}, not a number")
            values[name] = found
    spent = said.get("spent")
    return Row(
        values,
        where,
        None if spent is None else _number(spent, "spent", where),
        None if seconds is None else _number(seconds, "seconds", where),
        {name: str(note) for name, note in _part(said, "notes", where).items()},
    )


def quoted(value: object) -> str:
    """A value of the program's, in a sentence."""
    return brief(visible(repr(value)), 80)


def _part(said: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    part = said.get(name, {})
    if not isinstance(part, Mapping):
        raise TrialFailure(f"{where}: {name} is {quoted(part)}, not a mapping")
    return part


def _numbers(said: Mapping[str, Any], within: str, where: str) -> Iterator[tuple[str, Value]]:
    for key, value in said.items():
        name = f"{within}{key}"
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{name}/", where)
        else:
            found = _value(value, name, where)
            if found is not None:
                yield name, found


def _value(value: Any, name: str, where: str) -> Value | None:
    """A number, or some; None for anything else."""
    if isinstance(value, list) and value and all(_is_number(each) for each in value):
        return tuple(_number(each, name, where) for each in value)
    return _number(value, name, where) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any, name: str, where: str) -> float:
    if not _is_number(value):
        raise TrialFailure(f"{where}: {name} is {quoted(value)}, not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise TrialFailure(f"{where}: {name} is a number beyond all bounds") from error
