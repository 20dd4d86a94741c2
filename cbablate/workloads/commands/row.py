"""`Row`: what a program has said at once, by its own names, before it is a measurement."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cbablate.character import brief, visible
from cbablate.errors import TrialFailure

__all__ = ["Row", "Value", "decoded", "quoted", "reported", "row_of"]

Value = float | tuple[float, ...]
"""A metric, or a vector."""

_DEEPEST = 50
"""Strokes in a name at most."""


@dataclass(frozen=True)
class Row:
    """Numbers by the program's names; `where` they stood, for a sentence.

    `others` are what it says that is no number. `spent` and `seconds` are what the program
    expressly says of them. A row that is said `anew` takes the place of the one before it. `step`
    is a tracker's own count of what it logs, which counts a budget of steps.
    """

    values: Mapping[str, Value]
    where: str
    others: Mapping[str, Any] = field(default_factory=dict)
    spent: float | None = None
    seconds: float | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    anew: bool = False
    step: float | None = None

    def joined(self, later: Row) -> Row:
        """Both as one; what the later one says goes before."""
        return Row(
            {**self.values, **later.values},
            later.where,
            {**self.others, **later.others},
            self.spent if later.spent is None else later.spent,
            self.seconds if later.seconds is None else later.seconds,
            {**self.notes, **later.notes},
        )


def decoded(text: str | bytes, where: str) -> Any:
    """What a text in JSON says; NaN and infinities as Python writes them.

    Raises:
        ValueError: it is no JSON, or its end is missing.
        TrialFailure: a name stands twice in one of its mappings.
    """

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise TrialFailure(f"{where}: {quoted(twice)} stands twice in one mapping")
        return found

    try:
        return json.loads(text, object_pairs_hook=mapping)
    except RecursionError as error:
        raise TrialFailure(f"{where}: mappings or lists too deep within others") from error


def row_of(said: Mapping[str, Any], where: str) -> Row:
    """The numbers and lists of numbers in a decoded JSON object, and what else it holds.

    Of mappings within it, the names are joined by a stroke.

    Raises:
        TrialFailure: two of them come to one name.
    """
    values: dict[str, Value] = {}
    others: dict[str, Any] = {}
    for name, value in _leaves(said, "", where):
        if name in values or name in others:
            raise TrialFailure(f"{where}: two of its values come to the name {quoted(name)}")
        number = _value(value, name, where)
        if number is not None:
            values[name] = number
        elif value is not None:
            others[name] = value
    return Row(values, where, others)


def reported(said: Mapping[str, Any], where: str) -> Row:
    """A line of the report file: `metrics`, `vectors` and `notes` apart, or all in one mapping.

    Raises:
        TrialFailure: a part of it is not what it should be, or the line says that `report` has
            refused what it was given.
    """
    if not isinstance(said.get("metrics"), Mapping):
        flat = {name: value for name, value in said.items() if name != "notes"}
        words = {name: value for name, value in flat.items() if isinstance(value, str)}
        row, notes = row_of(flat, where), {**words, **_part(said, "notes", where)}
        return replace(row, notes={name: str(note) for name, note in notes.items()})
    if isinstance(said.get("refused"), str):
        raise TrialFailure(said["refused"])
    values: dict[str, Value] = {}
    for part in ("metrics", "vectors"):
        for name, value in _part(said, part, where).items():
            found = _value(value, name, where)
            if found is None:
                raise TrialFailure(f"{where}: {part} has {quoted(value)} as {name}, not a number")
            if name in values:
                raise TrialFailure(f"{where}: {quoted(name)} is among metrics and among vectors")
            values[name] = found
    spent, seconds = said.get("spent"), said.get("seconds")
    return Row(
        values,
        where,
        spent=None if spent is None else _number(spent, "spent", where),
        seconds=None if seconds is None else _duration(seconds, where),
        notes={name: str(note) for name, note in _part(said, "notes", where).items()},
    )


def quoted(value: object) -> str:
    """A value of the program's, in a sentence."""
    return brief(visible(repr(value)), 80)


def _part(said: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    part = said.get(name, {})
    if not isinstance(part, Mapping):
        raise TrialFailure(f"{where}: {name} is {quoted(part)}, not a mapping")
    return part


def _leaves(said: Mapping[str, Any], within: str, where: str) -> Iterator[tuple[str, Any]]:
    """What is no mapping, by its names joined."""
    if within.count("/") > _DEEPEST:
        raise TrialFailure(f"{where}: mappings too deep within others")
    for key, value in said.items():
        name = f"{within}{key}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{name}/", where)
        else:
            yield name, value


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


def _duration(value: Any, where: str) -> float:
    seconds = _number(value, "seconds", where)
    if not math.isfinite(seconds) or seconds < 0:
        raise TrialFailure(f"{where}: seconds is {quoted(value)}, not how long the trial has run")
    return seconds
