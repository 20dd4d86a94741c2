"""The house: how long modules and functions are, and that a name means one thing in a module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cbablate

PACKAGE = Path(cbablate.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 350, 50
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def imported(tree: ast.Module) -> set[str]:
    """The names that a module imports for all its functions."""
    places = [
        *tree.body,
        *(line for node in tree.body if isinstance(node, ast.If) for line in node.body),
    ]
    aliases = (
        alias
        for node in places
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )
    return {(alias.asname or alias.name).partition(".")[0] for alias in aliases}


def local(function: Function) -> set[str]:
    """The parameters of a function, and the names that it assigns."""
    parameters = function.args
    every = [*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs]
    every += [one for one in (parameters.vararg, parameters.kwarg) if one is not None]
    stored = (
        node.id
        for line in function.body
        for node in ast.walk(line)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    return {*(one.arg for one in every), *stored}


def test_there_is_a_house_to_look_at() -> None:
    assert len(MODULES) > 300
    tree = ast.parse("import a.b, c as d\ndef f(d): e = a\n")
    assert imported(tree) == {"a", "d"}
    assert local(next(functions(tree))) == {"d", "e"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_short_and_no_local_hides_what_it_imports(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= LONGEST_MODULE
    for function in functions(tree):
        assert (function.end_lineno or 0) - function.lineno < LONGEST_FUNCTION, function.name
        assert not local(function) & imported(tree), function.name
