"""`Spelling`: how a frozen class is written as the body of a fact, read off its annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache, cached_property
from typing import Any, get_type_hints

from cbablate.records.rule import Key, Rule

__all__ = ["Entry", "Spelling", "spelling"]


@dataclass(frozen=True)
class Entry:
    """One field: the key it is written under, the rule of what stands there, its default.

    It is left out of a body where it has its default, unless it is `always` there.
    """

    field: str
    key: str
    rule: Rule
    default: Any
    always: bool
    required: bool


@dataclass(frozen=True)
class Spelling:
    """The entries of a class, in the order of its fields."""

    entries: tuple[Entry, ...]

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """The rules by key."""
        return {entry.key: entry.rule for entry in self.entries}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The keys that every fact of the kind has."""
        return tuple(entry.key for entry in self.entries if entry.required)

    def body(self, value: Any) -> dict[str, Any]:
        """What is written of a value of the class."""
        said = ((entry, _plain(getattr(value, entry.field))) for entry in self.entries)
        return {entry.key: item for entry, item in said if entry.always or item != entry.default}

    def arguments(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that make the value again; keys that no field has are passed by."""
        return {entry.field: body[entry.key] for entry in self.entries if entry.key in body}

    def fault(self, body: Mapping[str, Any]) -> str:
        """What is wrong with a body; "" if nothing is."""
        for key in self.required:
            if key not in body:
                return f"it has no '{key}'"
        rules = self.rules
        for key, value in body.items():
            rule = rules.get(key)
            if rule is not None and not rule.holds(value):
                return f"its '{key}' is {repr(value)[:60]}, not {rule.words}"
        return ""


def spelling(written: type) -> Spelling:
    """The spelling of a dataclass, of whose fields those count that have a rule."""
    return _read_off(written)


@cache
def _read_off(written: type) -> Spelling:
    hints = get_type_hints(written, include_extras=True)
    marks = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return Spelling(
        tuple(_entry(one, marks[one.name]) for one in fields(written) if marks[one.name])
    )


def _entry(one: Field[Any], marks: tuple[object, ...]) -> Entry:
    rule = next(mark for mark in marks if isinstance(mark, Rule))
    key = next((mark for mark in marks if isinstance(mark, Key)), Key())
    default = one.default
    if one.default_factory is not MISSING:
        default = one.default_factory()
    bare = default is MISSING
    return Entry(
        field=one.name,
        key=key.name or one.name,
        rule=rule,
        default=default,
        always=key.always or bare,
        required=key.required or bare,
    )


def _plain(item: Any) -> Any:
    """The item as it is read back: mappings and sequences as dictionaries and lists."""
    if isinstance(item, Mapping):
        return {key: _plain(value) for key, value in item.items()}
    if isinstance(item, tuple | list):
        return [_plain(value) for value in item]
    return item
