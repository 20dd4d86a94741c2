"""`Constraint`: a comparison between hyperparameters, or on metrics, as a sweep file writes it.

    optimizer.lr * batch_size <= 1
    params <= 1e6
    90 <= val/top1

Words are numbers, names, `+ - * / **`, parentheses and `< <= > >=`. A name may hold dots (a config
key) or slashes (a metric): a slash with no space beside it is part of a name, so a quotient is
written with spaces. Nothing is evaluated but this: the text is never handed to `eval`.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

__all__ = ["Constraint", "parsed"]

_LONGEST = 200
_TOKEN = re.compile(
    r"(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])"
    r"|(?P<name>[A-Za-z_]\w*(?:[./][A-Za-z_]\w*)*)"
    r"|(?P<sign>\*\*|<=|>=|[-+*/()<>])"
    r"|(?P<space>\s+)"
    r"|(?P<odd>==|!=|.)"
)
_CLOSEST = sys.float_info.min
"""How much a strict comparison is broken by equality: the least that is more than nothing."""
_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.Pow: operator.pow,
    }
)
_COMPARISONS: Mapping[type[ast.cmpop], tuple[int, bool]] = MappingProxyType(
    {ast.LtE: (1, False), ast.Lt: (1, True), ast.GtE: (-1, False), ast.Gt: (-1, True)}
)
"""The sign of left minus right where the comparison is broken, and whether equality breaks it."""
_UNWANTED = {
    "==": "no sampled value ever equals another: say which is greater, with <= or >=",
    "!=": "no sampled value ever equals another: say which is greater, with <= or >=",
    "=": "write <= or >=",
    "^": "a power is written **",
    "%": "write +, -, *, / or **",
}


@dataclass(frozen=True)
class Constraint:
    """A comparison, or several in a row (`0.1 <= a / b <= 10`), and the names that are in it."""

    text: str
    names: tuple[str, ...]
    _comparison: ast.Compare = field(repr=False, compare=False)
    _spelt: Mapping[str, str] = field(repr=False, compare=False)

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Whether every name of it has a number among `values`."""
        return all(_is_number(values.get(name)) for name in self.names)

    def violation(self, values: Mapping[str, Any]) -> float:
        """By how much it is broken; at most 0 where it holds, infinite where it is undefined.

        Raises:
            KeyError: a name of it has no number among `values`.
        """
        missing = next((name for name in self.names if not _is_number(values.get(name))), None)
        if missing is not None:
            raise KeyError(missing)
        given = {short: float(values[name]) for short, name in self._spelt.items()}
        sides = [self._comparison.left, *self._comparison.comparators]
        try:
            numbers = [_value(side, given) for side in sides]
        except (ZeroDivisionError, OverflowError):
            return math.inf
        broken = [
            _excess(left, right, type(sign))
            for (left, right), sign in zip(pairwise(numbers), self._comparison.ops, strict=True)
        ]
        return max(broken)


def parsed(text: str) -> Constraint:
    """The constraint that a text says.

    Raises:
        ValueError: it says none; the message is what is wrong, then perhaps ` | ` and a hint.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"a constraint of {len(text):,} characters; at most {_LONGEST} are read")
    short: dict[str, str] = {}  # names by what stands for them while Python's grammar is asked
    parts: list[str] = []
    for token in _TOKEN.finditer(text):
        kind, word = str(token.lastgroup), token.group()
        if kind == "odd":
            hint = _UNWANTED.get(word) or "write numbers, names, + - * / **, and < <= > or >="
            raise ValueError(f"'{word}' has no place in a constraint | {hint}")
        if kind == "name":
            known = {name: alias for alias, name in short.items()}
            alias = known.get(word, f"n{len(short)}")
            short[alias] = word
            word = alias
        elif kind == "number":
            word = repr(float(word))
            if not math.isfinite(float(word)):
                raise ValueError(f"'{token.group()}' is too large to be finite")
        parts.append(" " if kind == "space" else word)
    return Constraint(text, tuple(short.values()), _compared("".join(parts).strip()), short)


def _compared(text: str) -> ast.Compare:
    """The comparison in Python's grammar, once everything in it is known to be allowed."""
    if not text:
        raise ValueError("it is empty | write a comparison, such as optimizer.lr <= 1e-2")
    try:
        body = ast.parse(text, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(
            "it cannot be read as a comparison | write one such as optimizer.lr <= 1e-2"
        ) from None
    if not isinstance(body, ast.Compare):
        hint = "say what is at most or at least what, with <= or >="
        raise ValueError(f"it compares nothing | {hint}")  # noqa: TRY004 - a text is wrong, no type
    for side in (body.left, *body.comparators):
        _allow(side)
    return body


def _allow(node: ast.expr) -> None:
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        _allow(node.left)
        _allow(node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        _allow(node.operand)
    elif isinstance(node, ast.Compare):
        raise ValueError("a comparison stands inside another | write them as two constraints")
    elif not isinstance(node, ast.Constant | ast.Name):
        raise ValueError(
            "only numbers, names and + - * / ** are compared | a function is not called"
        )


def _value(node: ast.expr, given: Mapping[str, float]) -> float:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]  # the tokens let numbers through only
    if isinstance(node, ast.Name):
        return given[node.id]
    if isinstance(node, ast.UnaryOp):
        inside = _value(node.operand, given)
        return -inside if isinstance(node.op, ast.USub) else inside
    assert isinstance(node, ast.BinOp)  # all else was refused  # noqa: S101 - ours
    found = _ARITHMETIC[type(node.op)](_value(node.left, given), _value(node.right, given))
    return math.nan if isinstance(found, complex) else float(found)


def _excess(left: float, right: float, sign: type[ast.cmpop]) -> float:
    direction, strict = _COMPARISONS[sign]
    if not (math.isfinite(left) and math.isfinite(right)):
        return math.inf
    excess = direction * (left - right)
    return _CLOSEST if strict and excess == 0 else excess


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
