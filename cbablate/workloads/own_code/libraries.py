"""Which of the libraries whose versions are recorded a user's code uses, as far as it shows."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path

from cbablate.spec.code import Code, Module
from cbablate.spec.program import Program
from cbablate.workloads.own_code.import_statements import imports
from cbablate.workloads.own_code.syntax_digest import parsed

__all__ = ["libraries_of", "libraries_of_command"]

_BUILT_ON = {"numpy": ("numpy",), "torch": ("torch", "numpy"), "timm": ("timm", "torch", "numpy")}
"""Libraries that are recorded, each with those that it is built on."""
_REQUIRED = re.compile(r"[^\w.-]")
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


def libraries_of_command(program: Program) -> frozenset[str]:
    """The libraries that a command's Python files import, as they are now, and those that other
    installed distributions which they import are built on.

    Only those that show: what other programs use, or another Python than this one, nobody knows.
    """
    if not _runs_this_python(program.words[0]):
        return frozenset()
    folder = Path(program.folder)
    modules = []
    for one in (*program.files, *program.chosen):
        name = one.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        with suppress(OSError):
            text = (folder / one.path).read_bytes() if one.path.endswith(".py") else b""
            modules.append(Module(name, one.path, one.digest, None, text))
    own = {one.name.partition(".")[0] for one in modules} | {"cbablate"}
    imported = set(_imported(Code("", program.folder, tuple(modules)))) - own
    used: set[str] = set()
    for name in _built_on(imported - sys.stdlib_module_names):
        used.update(_BUILT_ON.get(name, ()))
    return frozenset(used)


def _runs_this_python(word: str) -> bool:
    """Whether a command starts the Python that this is, or a program that is installed with it."""
    home = Path(sys.executable).parent
    found = shutil.which(word, path=os.pathsep.join([os.environ.get("PATH", ""), str(home)]))
    return word in ("python", "python3") or (found is not None and Path(found).parent == home)


def _built_on(names: Iterable[str]) -> set[str]:
    """Names of libraries, with those of all distributions that they require."""
    found, waiting = set[str](), [*names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for one in [] if name in _BUILT_ON else distributions(name=name):
            plain = (text for text in one.requires or () if "extra ==" not in text)
            waiting += [_REQUIRED.split(text, maxsplit=1)[0].lower() for text in plain]
    return found


def _imported(code: Code) -> Iterator[str]:
    """The top-level names of all modules that the code imports."""
    for one in code.modules:
        tree = parsed(one.text or b"")
        package = one.name if one.locations is not None else one.name.rpartition(".")[0]
        for base, _ in imports(tree, package) if tree is not None else ():
            yield base.partition(".")[0]
