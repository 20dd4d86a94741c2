"""The digest of Python source by its syntax tree: comments, spaces and line breaks do not count.

Nor does what `@cbablate.workload` says of a function: labels are no part of what ran, and what is
(data, a version) is identified by itself.

The tree is written out here, field by field, because `ast.dump` is not the same text on every
version of Python: fields come and go. What a version adds is absent from older code, and absent
fields are not written.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from cbablate.workloads.own_code.decorator import is_declaration

__all__ = ["parsed", "syntax_digest"]

_LEFT_OUT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields that follow from where a node stands, or that say how a thing is spelt."""


@lru_cache(maxsize=4096)
def syntax_digest(source: bytes) -> str:
    """Twenty digits over the syntax tree of a file; over its bytes if it does not parse."""
    tree = parsed(source)
    summed = hashlib.sha256(b"bytes " + source if tree is None else b"tree ")
    if tree is not None:
        for part in _written(tree):
            summed.update(part.encode("utf-8", "surrogatepass"))
    return summed.hexdigest()[:20]


def parsed(source: bytes) -> ast.Module | None:
    """The tree of a file's bytes, read as Python reads them: byte-order mark, coding cookie.

    None where it does not parse.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape is told when the file is imported
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _written(tree: ast.Module) -> Iterator[str]:
    """The tree as text, piece by piece; without recursion, as a long sum is a deep tree."""
    waiting: list[object] = [_bare(tree)]
    while waiting:
        item = waiting.pop()
        if isinstance(item, _Text):
            yield item
        elif isinstance(item, ast.Constant):
            yield f"({type(item.value).__name__} {_constant(item.value)})"
        elif isinstance(item, ast.AST):
            yield f"({type(item).__name__}"
            waiting.append(_Text(")"))
            for name, value in reversed(_fields(item)):
                waiting += [value, _Text(f" {name}=")]
        elif isinstance(item, list):
            yield "["
            waiting.append(_Text("]"))
            waiting += reversed(item)
        else:
            yield f"<{type(item).__name__} {_constant(item)}>"


def _bare(tree: ast.Module) -> ast.Module:
    """The tree without declarations; it is altered, and nobody else has it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            kept = [each for each in node.decorator_list if not is_declaration(each, tree)]
            node.decorator_list = kept
    return tree


class _Text(str):
    """Text to write as it is, told from the names and numbers of a tree."""

    __slots__ = ()


def _fields(node: ast.AST) -> list[tuple[str, object]]:
    """A node's fields with something in them, in the order of their names."""
    found: list[tuple[str, object]] = []
    for name in sorted(node._fields):
        value = getattr(node, name, None)
        if name in _LEFT_OUT or value is None or value == []:
            continue
        if isinstance(node, ast.JoinedStr):
            value = _joined(node.values)
        if isinstance(value, ast.JoinedStr) and not _joined(value.values):
            continue  # `{x:}`: some versions write an empty format, some write none
        found.append((name, value))
    return found


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string, neighbouring texts in one: versions cut them differently."""
    parts: list[ast.expr] = []
    for is_text, group in groupby(values, lambda part: isinstance(part, ast.Constant)):
        if not is_text:
            parts += group
            continue
        text = "".join(str(part.value) for part in group if isinstance(part, ast.Constant))
        parts += [ast.Constant(text)] if text else []
    return parts


def _constant(value: object) -> str:
    """A constant's own text, told from equal ones of another type by what stands before it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)  # of any length; decimal text ends at 4,300 digits
    return ascii(value)  # not `repr`: what can be printed differs from version to version
