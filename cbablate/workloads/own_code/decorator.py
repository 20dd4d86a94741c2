"""`workload`: a decorator that says of a function what a study's `workload:` mapping says.

A study is described without importing its code, so what the decorator is given is read from the
source; only literals can be read there.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from cbablate.errors import in_a_line
from cbablate.spec.own_workload import OwnWorkload

__all__ = ["declared_in", "is_declaration", "with_declared", "without_declarations", "workload"]

Function = TypeVar("Function", bound=Callable[..., Any])
_WORDS = ("metrics", "needs", "data", "version")


def workload(
    *,
    metrics: Mapping[str, Mapping[str, Any]] | None = None,
    needs: Mapping[str, Any] | None = None,
    data: Sequence[str | Mapping[str, str]] = (),
    version: int | str | None = None,
) -> Callable[[Function], Function]:
    """Declare a function's metrics, needs, data and version, as `workload:` in YAML does.

    The function stays what it is. cbablate reads these words from the source, so they are
    literals; what the YAML says goes before.
    """
    declared = {"metrics": metrics, "needs": needs, "data": data, "version": version}

    def declare(function: Function) -> Function:
        function.cbablate_workload = declared  # type: ignore[attr-defined]
        return function

    return declare


def with_declared(said: OwnWorkload, tree: ast.Module, name: str) -> OwnWorkload:
    """A workload as its file says it, with what the decorator of its function says besides.

    Raises:
        LookupError: the decorator cannot be read, or says what no file may say; with its line.
    """
    words = declared_in(tree, name)
    if not words:
        return said
    try:
        text = json.dumps({"function": said.function, **words})
        beside = OwnWorkload.model_validate_json(text)
    except (TypeError, ValueError) as error:
        raise LookupError(
            f"@workload of '{name}' says what is not allowed: {_why(error)}"
        ) from None
    own = {key: getattr(said, key) for key in said.model_fields_set}
    metrics = {**beside.metrics, **said.metrics}
    return beside.model_copy(update={**own, "metrics": metrics})


def declared_in(tree: ast.Module, name: str) -> dict[str, Any]:
    """What the decorator of a module's function `name` says, by its words; {} without one.

    Raises:
        LookupError: it cannot be read; with its line.
    """
    given = [
        each
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        for each in node.decorator_list
        if is_declaration(each, tree)
    ]
    calls = [each for each in given if isinstance(each, ast.Call)]
    if not given:
        return {}
    if len(given) > 1:
        raise LookupError(f"line {given[1].lineno}: '{name}' has @workload more than once")
    if not calls:
        line = given[0].lineno
        raise LookupError(f"line {line}: @workload is called with words, as @workload(version=1)")
    return _read(calls[0])


def is_declaration(node: ast.expr, tree: ast.Module) -> bool:
    """Whether a decorator in a module is `workload` of cbablate, by the module's imports."""
    called = node.func if isinstance(node, ast.Call) else node
    return isinstance(called, ast.Name | ast.Attribute) and ast.unparse(called) in _spellings(tree)


def without_declarations(tree: ast.Module) -> ast.Module:
    """The module without these decorators: what they say is no code, and is told apart."""
    spellings = _spellings(tree)
    for node in tree.body if spellings else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.decorator_list = [
                each for each in node.decorator_list if not is_declaration(each, tree)
            ]
    return tree


def _spellings(tree: ast.Module) -> frozenset[str]:
    """How a module may write the decorator, by what it imports at its top."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "cbablate" and not node.level:
            found |= {each.asname or each.name for each in node.names if each.name == "workload"}
        elif isinstance(node, ast.Import):
            for each in node.names:
                if each.name == "cbablate" and each.asname:
                    found.add(f"{each.asname}.workload")
                elif each.name.partition(".")[0] == "cbablate" and not each.asname:
                    found.add("cbablate.workload")
    return frozenset(found)


def _read(call: ast.Call) -> dict[str, Any]:
    if call.args:
        raise LookupError(
            f"line {call.args[0].lineno}: @workload takes words only, as @workload(version=1)"
        )
    words: dict[str, Any] = {}
    for given in call.keywords:
        if given.arg not in _WORDS:
            what = "**" if given.arg is None else f"'{given.arg}'"
            raise LookupError(
                f"line {given.value.lineno}: {what} is not a word of @workload; they are "
                f"{', '.join(_WORDS)}"
            )
        try:
            words[given.arg] = ast.literal_eval(given.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise LookupError(
                f"line {given.value.lineno}: `{given.arg}` of @workload is read without running "
                "the file, so it must be written out: texts, numbers, lists and mappings only"
            ) from None
    return {name: value for name, value in words.items() if value is not None}


def _why(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return in_a_line(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
