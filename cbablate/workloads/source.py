"""The source of a user's own workload: found, read and digested, and never run here."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

__all__ = ["defines", "digest", "found"]


def found(module: str, folder: Path) -> tuple[Path, bool] | None:
    """The file of a module, and whether it lies in `folder`; None if it is nowhere.

    Looked for in the study's folder first, then among installed packages, whose parents are not
    imported to find out.
    """
    beside = _beside(module, folder)
    if beside is not None:
        return beside, True
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    if not rest:
        is_source = spec.origin is not None and spec.origin.endswith(".py")
        return (Path(str(spec.origin)), False) if is_source else None
    for root in spec.submodule_search_locations or ():
        inside = _beside(".".join(rest), Path(root))
        if inside is not None:
            return inside, False
    return None


def digest(path: Path, folder: Path) -> str:
    """Twenty digits over the text of a module and of all that it imports from `folder`.

    A workload is its neighbours too: an edited helper gives other numbers.
    """
    texts = {path.name: _text(path)}
    waiting = [path]
    while waiting:
        for module in _imports(_text(waiting.pop())):
            near = _beside(module, folder)
            if near is not None and str(near) not in texts and near != path:
                texts[str(near)] = _text(near)
                waiting.append(near)
    # Names of files beside the study are not part of it: the folder may move.
    whole = "\0".join([texts.pop(path.name), *(texts[name] for name in sorted(texts))])
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:20]


def defines(path: Path, name: str) -> bool:
    """Whether the module binds `name` at its top: a def, class, assignment or import."""
    try:
        tree = ast.parse(_text(path))
    except (SyntaxError, ValueError):
        return True  # the fault is told, with its place, when the module is imported
    return any(bound in (name, "*") for node in ast.walk(tree) for bound in _bound(node))


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def _imports(text: str) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _beside(module: str, folder: Path) -> Path | None:
    try:
        base = folder.resolve().joinpath(*module.split("."))
        for candidate in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
            if candidate.is_file():
                return candidate
    except (OSError, ValueError):  # a name too long for a file, or with a NUL in it
        return None
    return None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
