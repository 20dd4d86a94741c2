"""`Rule`: what may stand under a key of a fact, as part of the type of its field.

A field of a fact is annotated with one of the types below, or with `Annotated[one of them, Key]`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cbablate.records.sketch import packs_a_sketch
from cbablate.records.state import FAILURES, TrialState

__all__ = [
    "ROWS",
    "Anything",
    "BudgetByUnit",
    "Count",
    "EndState",
    "FailureClass",
    "Free",
    "Key",
    "Notes",
    "Number",
    "Numbers",
    "Positive",
    "Rows",
    "Rule",
    "Share",
    "Sketches",
    "Word",
    "Words",
]

_DEEPEST = 60
_LARGEST = 2**63
_NUMERIC = {int, float}


@dataclass(frozen=True)
class Rule:
    """What may stand under a key: the words for it, and the check."""

    words: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True)
class Key:
    """How a field is written, where that is not under its name, left out at its default.

    `name` is the key. A field that is `always` written is so at its default, too. A `required` one
    is not to be missing in what is read, though the field has a default.
    """

    name: str = ""
    always: bool = False
    required: bool = False


def _word(value: Any) -> bool:
    return isinstance(value, str)


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value < _LARGEST


def _finite(values: Collection[Any]) -> bool:
    """Whether all values are numbers that a float can hold."""
    kinds = set(map(type, values))
    if not kinds <= _NUMERIC:
        return False
    if kinds == {float} and math.isfinite(sum(values)):  # quick, and true of nearly all
        return True
    try:
        for value in values:
            if not math.isfinite(value):
                return False
    except OverflowError:
        return False
    return True


def _numbers(value: Any) -> bool:
    return type(value) is dict and _finite(value.values())


def _rows(value: Any) -> bool:
    return type(value) is dict and all(type(row) is list and _finite(row) for row in value.values())


def _words(value: Any) -> bool:
    return type(value) is list and all(isinstance(one, str) for one in value)


def _notes(value: Any) -> bool:
    return type(value) is dict and all(isinstance(one, str) for one in value.values())


def _sketches(value: Any) -> bool:
    return type(value) is dict and all(map(packs_a_sketch, value.values()))


def _budget(value: Any) -> bool:
    return type(value) is dict and len(value) > 0 and all(map(_whole(1), value.values()))


def _free(value: Any, left: int = _DEEPEST) -> bool:
    """Whether a value is finite and not nested beyond what any reader can follow."""
    if left == 0:
        return False
    if isinstance(value, dict):
        return all(_free(one, left - 1) for one in value.values())
    if isinstance(value, list):
        return all(_free(one, left - 1) for one in value)
    return isinstance(value, str | bool) or value is None or _finite((value,))


def _mapping(value: Any) -> bool:
    return type(value) is dict and _free(value)


def _number(value: Any) -> bool:
    return _finite((value,))


_ENDS = tuple(state.value for state in TrialState if state.ended)
_FAILURES = ("", *FAILURES)

ROWS = Rule("lists of finite numbers by name", _rows)

Word = Annotated[str, Rule("text", _word)]
Words = Annotated[Sequence[str], Rule("a list of texts", _words)]
Count = Annotated[int, Rule("a whole number, 0 or more", _whole(0))]
Positive = Annotated[int, Rule("a whole number, 1 or more", _whole(1))]
Number = Annotated[float, Rule("a finite number", _number)]
Share = Annotated[
    float, Rule("a finite number, 0 or more", lambda value: _number(value) and value >= 0)
]
Anything = Annotated[Any, Rule("finite, and nested at most 60 deep", _free)]
Free = Annotated[
    Mapping[str, Any], Rule("a mapping of finite values, nested at most 60 deep", _mapping)
]
Numbers = Annotated[Mapping[str, float], Rule("finite numbers by name", _numbers)]
Rows = Annotated[Mapping[str, Sequence[float]], ROWS]
Notes = Annotated[Mapping[str, str], Rule("texts by name", _notes)]
Sketches = Annotated[Mapping[str, str], Rule("packed sketches by name", _sketches)]
BudgetByUnit = Annotated[Mapping[str, int], Rule("a whole number, 1 or more, by unit", _budget)]
EndState = Annotated[str, Rule(f"one of {', '.join(_ENDS)}", lambda value: value in _ENDS)]
FailureClass = Annotated[
    str,
    Rule(
        f"'' or one of {', '.join(FAILURES)}",
        lambda value: isinstance(value, str) and value in _FAILURES,
    ),
]
