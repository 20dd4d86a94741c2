"""Which of the libraries whose versions are recorded a user's code uses, as far as it shows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from cbablate.spec.code import Code, Module
from cbablate.spec.program import Program
from cbablate.workloads.own_code.import_statements import imports
from cbablate.workloads.own_code.syntax_digest import parsed

__all__ = ["libraries_of", "libraries_of_command"]

_BUILT_ON = {"numpy": ("numpy",), "torch": ("torch", "numpy"), "timm": ("timm", "torch", "numpy")}
"""Libraries that are recorded, each with those that it is built on."""
_HIDES = frozenset({"subprocess", "multiprocessing", "importlib", "runpy", "ctypes", "pty"})
"""Modules of Python's by which other code may run."""


def libraries_of(code: Code) -> frozenset[str] | None:
    """The libraries that the code imports; None where it may use others without naming them.

    It may where it imports any other library, starts processes, or has files without source.
    """
    if code.distributions or any(one.path and one.text is None for one in code.modules):
        return None
    own = {one.name.partition(".")[0] for one in code.modules} | {"cbablate"}
    used: set[str] = set()
    for name in set(_imported(code)) - own:
        if name in _BUILT_ON:
            used.update(_BUILT_ON[name])
        elif name in _HIDES or name not in sys.stdlib_module_names:
            return None
    return frozenset(used)


def libraries_of_command(program: Program) -> frozenset[str] | None:
    """The same of a command that is made of Python files, as they are now."""
    folder = Path(program.folder)
    if not program.files or any(not one.path.endswith(".py") for one in program.files):
        return None
    modules = []
    for one in program.files:
        try:
            text = (folder / one.path).read_bytes()
        except OSError:
            return None
        name = one.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        modules.append(Module(name, one.path, one.digest, None, text))
    return libraries_of(Code("", program.folder, tuple(modules), program.distributions))


def _imported(code: Code) -> Iterator[str]:
    """The top-level names of all modules that the code imports."""
    for one in code.modules:
        tree = parsed(one.text or b"")
        package = one.name if one.locations is not None else one.name.rpartition(".")[0]
        for base, _ in imports(tree, package) if tree is not None else ():
            yield base.partition(".")[0]
