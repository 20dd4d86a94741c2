"""The modules that a syntax tree imports, wherever in it an import stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["exported", "imports"]

_BY_NAME = frozenset({"import_module", "__import__"})


def imports(tree: ast.AST, package: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Absolute names of modules, each with the names that are taken from it, `*` among them.

    Imports in functions and under conditions count, and so do `importlib.import_module("name")`
    and `__import__("name")` with a literal name. A relative import is resolved against `package`,
    the package that the module is in; one that leads out of it is left to fail when it runs.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node.module or "", node.level, package)
            if base:
                yield base, tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.Call):
            named = _literal(node)
            level = len(named) - len(named.lstrip("."))
            base = _absolute(named.lstrip("."), level, _anchor(node) or package)
            if base:
                yield base, ()


def exported(tree: ast.AST) -> Iterator[str]:
    """The literal names in a module's `__all__`, of which `import *` imports those of modules."""
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        if any(isinstance(each, ast.Name) and each.id == "__all__" for each in targets):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    yield inner.value


def _absolute(module: str, level: int, package: str) -> str:
    if not level:
        return module
    parts = package.split(".")
    if not package or level > len(parts):
        return ""
    base = ".".join(parts[: len(parts) - level + 1])
    return f"{base}.{module}" if module else base


def _literal(call: ast.Call) -> str:
    """The module that a call imports by a literal name; "" if it does no such thing."""
    called = call.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    given = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "name")]
    if name not in _BY_NAME or not given:
        return ""
    first = given[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _anchor(call: ast.Call) -> str:
    """The package against which a call resolves a relative name, where it is a literal."""
    given = [*call.args[1:2], *(each.value for each in call.keywords if each.arg == "package")]
    first = given[0] if given else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
