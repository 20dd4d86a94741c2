"""`workload`: a decorator that says of a function what a study's `workload:` mapping says.

A study is described without importing its code, so what the decorator is given is read from the
source; only literals can be read there.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

__all__ = ["declared_in", "is_declaration", "workload"]

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


def declared_in(tree: ast.Module, name: str) -> dict[str, Any] | str:
    """What the decorator of a module's function `name` says, by its words; {} without one.

    A text is what is wrong with it, with its line.
    """
    found = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    ]
    given = [each for node in found for each in node.decorator_list if is_declaration(each, tree)]
    if not given:
        return {}
    if len(given) > 1:
        return f"line {given[1].lineno}: '{name}' has @workload more than once"
    call = given[0]
    if not isinstance(call, ast.Call):
        return f"line {call.lineno}: @workload is called with words, as @workload(version=1)"
    return _read(call)


def is_declaration(node: ast.expr, tree: ast.Module) -> bool:
    """Whether a decorator in a module is `workload` of cbablate, by the module's imports."""
    called = node.func if isinstance(node, ast.Call) else node
    imports = [each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)]
    if isinstance(called, ast.Name):
        return any(
            isinstance(each, ast.ImportFrom) and each.module == "cbablate" and each.level == 0
            for each in imports
            for alias in each.names
            if alias.name == "workload" and (alias.asname or alias.name) == called.id
        )
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        return called.attr == "workload" and any(
            called.value.id == (alias.asname or alias.name.partition(".")[0])
            and (alias.name == "cbablate" or not alias.asname)
            and alias.name.partition(".")[0] == "cbablate"
            for each in imports
            if isinstance(each, ast.Import)
            for alias in each.names
        )
    return False


def _read(call: ast.Call) -> dict[str, Any] | str:
    if call.args:
        return f"line {call.args[0].lineno}: @workload takes words only, as @workload(version=1)"
    words: dict[str, Any] = {}
    for given in call.keywords:
        if given.arg not in _WORDS:
            what = "**" if given.arg is None else f"'{given.arg}'"
            return (
                f"line {given.value.lineno}: {what} is not a word of @workload; they are "
                f"{', '.join(_WORDS)}"
            )
        try:
            words[given.arg] = ast.literal_eval(given.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return (
                f"line {given.value.lineno}: `{given.arg}` of @workload is read without running "
                "the file, so it must be written out: texts, numbers, lists and mappings only"
            )
    return {name: value for name, value in words.items() if value is not None}
