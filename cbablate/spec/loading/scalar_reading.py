"""Readings: what scalars mean once a schema has been asked; it decides, not their looks.

`name: 48` is text where text is wanted, and `epochs: 1e2` a whole number where one is wanted.
The schema is asked by validating, again with each answer, until it has nothing more to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from cbablate.spec.fault import Path
from cbablate.spec.loading.validation import Problem, choices, problems
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.tree import Node, Readings, TextNode, plain, walk

__all__ = ["Judge", "Settled", "settle"]

Judge = Callable[[Any], tuple[Any, ValidationError | None]]
"""Validates a plain value: what was validated (the value, or what was made of it), and the error
that came of it, its paths starting there."""

_EXACT = 2**53


@dataclass(frozen=True)
class Settled:
    """Readings that the schema agrees to, and the problems that no reading solves."""

    readings: Readings
    value: Any
    problems: tuple[Problem, ...]


def settle(node: Node, judge: Judge, *, readings: Readings | None = None) -> Settled:
    """Find readings of the node's scalars, beyond those given, that `judge` has least against."""
    agreed = dict(readings or {})
    while True:
        value, error = judge(plain(node, agreed))
        told = problems(error, value) if error is not None else []
        fresh: dict[Path, Any] = {}
        for problem in told:
            found = walk(node, problem.path)
            if found.there and isinstance(found.node, TextNode) and found.path not in agreed:
                other = _other(found.node, problem)
                if other is not None:
                    fresh[found.path] = other
        if not fresh:
            return Settled(agreed, value, tuple(told))
        agreed |= fresh


def _other(node: TextNode, problem: Problem) -> str | int | None:
    """What else an unquoted scalar can be read as, given what was wanted; None if nothing."""
    if node.quoted or node.empty:
        return None
    if problem.kind == "string_type":
        return node.text
    looks = scalar.guess(node.text)
    if problem.kind in ("int_type", "int_from_float"):
        whole = isinstance(looks, float) and looks.is_integer() and abs(looks) < _EXACT
        return int(looks) if isinstance(looks, float) and whole else None
    if problem.kind == "literal_error" and not isinstance(looks, str):
        return node.text if node.text in choices(problem) else None
    return None
