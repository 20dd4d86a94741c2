"""The version that 0.1.0 gave to an own workload, so that its ledgers go on counting.

It is over the text of the workload's file and of what it imports from the study's folder, by
absolute names only. Nothing new is identified by it: see `analysis.recorded_version`.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterator
from pathlib import Path

__all__ = ["former_digest", "former_files"]


def former_digest(path: Path, folder: Path) -> str:
    """The version of the workload in the file `path`, of a study in `folder`, as of 0.1.0."""
    own, *others = former_files(path, folder)
    whole = "\0".join([_text(own), *(_text(Path(name)) for name in sorted(map(str, others)))])
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:20]


def former_files(path: Path, folder: Path) -> list[Path]:
    """The files that this version is over: the workload's own, then what 0.1.0 found of it."""
    found, waiting = [path], [path]
    while waiting:
        for module in _imports(_text(waiting.pop())):
            near = _beside(module, folder)
            if near is not None and near not in found:
                found.append(near)
                waiting.append(near)
    return found


def _imports(text: str) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
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
    except (OSError, ValueError):
        return None
    return None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
