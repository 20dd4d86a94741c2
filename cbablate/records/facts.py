"""The shape of each kind of fact: its keys, and what stands under each.

A ledger may come from anybody, so every fact that is read is held against the shape of its kind:
all code behind the reader relies on it. Keys that no shape has are passed by.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cbablate.records.record import Kind
from cbablate.records.sketch import packs_a_sketch
from cbablate.records.state import FAILURES, TrialState

__all__ = ["SHAPES", "Rule", "Shape", "misshapen"]

_DEEPEST = 60
_LARGEST = 2**63
_NUMERIC = {int, float}


@dataclass(frozen=True)
class Rule:
    """What may stand under a key: the words for it, and the check."""

    words: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True)
class Shape:
    """The keys of a fact's body: those that every fact of the kind has, and those it may have."""

    required: Mapping[str, Rule] = field(default_factory=dict)
    optional: Mapping[str, Rule] = field(default_factory=dict)

    def fault(self, body: Mapping[str, Any]) -> str:
        """What is wrong with a body; "" if nothing is."""
        for key, rule in self.required.items():
            if key not in body:
                return f"it has no '{key}'"
            if not rule.holds(body[key]):
                return _wrong(key, body[key], rule)
        for key, rule in self.optional.items():
            if key in body and not rule.holds(body[key]):
                return _wrong(key, body[key], rule)
        return ""


def misshapen(kind: str, body: Any) -> str:
    """What is wrong with a fact of this kind and body; "" if nothing is."""
    shape = SHAPES.get(kind)  # type: ignore[call-overload]  # what a damaged file holds
    if shape is None:
        return f"there is no kind of fact {str(kind)[:40]!r}"
    if type(body) is not dict:
        return "its body is not a mapping"
    try:
        return str(shape.fault(body))
    except RecursionError:
        return "it is nested too deep"


def _wrong(key: str, value: Any, rule: Rule) -> str:
    return f"its '{key}' is {repr(value)[:60]}, not {rule.words}"


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


_ENDS = tuple(state.value for state in TrialState if state.ended)
_WORD = Rule("text", _word)
_WORDS = Rule("a list of texts", _words)
_COUNT = Rule("a whole number, 0 or more", _whole(0))
_POSITIVE = Rule("a whole number, 1 or more", _whole(1))
_NUMBER = Rule("a finite number", lambda value: _finite((value,)))
_SHARE = Rule("a finite number, 0 or more", lambda value: _finite((value,)) and value >= 0)
_ANYTHING = Rule("finite, and nested at most 60 deep", _free)
_MAPPING = Rule("a mapping of finite values, nested at most 60 deep", _mapping)
_NUMBERS = Rule("finite numbers by name", _numbers)
_ROWS = Rule("lists of finite numbers by name", _rows)
_NOTES = Rule("texts by name", _notes)
_SKETCHES = Rule("packed sketches by name", _sketches)
_BUDGET = Rule("a whole number, 1 or more, by unit", _budget)
_STATE = Rule(f"one of {', '.join(_ENDS)}", lambda value: value in _ENDS)
_FAILURE = Rule(
    f"'' or one of {', '.join(FAILURES)}",
    lambda value: isinstance(value, str) and value in ("", *FAILURES),
)
_ATTEMPT = {"attempt": _POSITIVE, "session": _WORD}

SHAPES: Mapping[Kind, Shape] = MappingProxyType(
    {
        "session": Shape(
            optional={
                "host": _ANYTHING,
                "versions": _ANYTHING,
                "commit": _ANYTHING,
                "dirty": _ANYTHING,
            }
        ),
        "worker": Shape(
            optional={"node": _WORD, "host": _ANYTHING, "versions": _ANYTHING},
        ),
        "study": Shape(
            optional={"study": _MAPPING, "folder": _WORD, "trials": _WORDS, "searches": _NOTES}
        ),
        "arm": Shape(
            required={"workload": _WORD},
            optional={
                "name": _WORD,
                "levels": _MAPPING,
                "config": _MAPPING,
                "version": _WORD,
                "data": _WORD,
            },
        ),
        "trial": Shape(
            required={"arm": _WORD, "budget": _BUDGET},
            optional={"replicate": _COUNT, "seed": _COUNT, "search": _WORD},
        ),
        "proposed": Shape(
            required={"search": _WORD, "number": _COUNT},
            optional={"proposal": _MAPPING, "rejected": _COUNT, "refused": _WORD},
        ),
        "started": Shape(
            required=_ATTEMPT,
            optional={
                "executor": _WORD,
                "worker": _WORD,
                "gpus": _SHARE,
                "from": _COUNT,
                "of": _WORD,
                "sessions": _WORDS,
                "workers": _WORDS,
            },
        ),
        "measured": Shape(
            required={"spent": _POSITIVE, "metrics": _NUMBERS, "seconds": _NUMBER},
            optional={"vectors": _ROWS, "notes": _NOTES, "sketches": _SKETCHES, **_ATTEMPT},
        ),
        "ended": Shape(
            required={"state": _STATE},
            optional={
                "reason": _WORD,
                "failure": _FAILURE,
                "traceback": _WORD,
                **_ATTEMPT,
            },
        ),
        "timed": Shape(
            required={"batch": _WORD, "metrics": _ROWS},
            optional={"device": _WORD, "session": _WORD, "worker": _WORD},
        ),
    }
)
"""The shape of each kind, by its name."""
