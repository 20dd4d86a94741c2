"""The code of a user's own workload: found, read and digested, and never run here."""

from __future__ import annotations

import hashlib
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cbablate.fingerprint import fingerprint
from cbablate.spec.code import Code, Distribution, Module
from cbablate.workloads.own_code.distributions import distribution_of, from_a_folder
from cbablate.workloads.own_code.import_statements import exported, imports
from cbablate.workloads.own_code.syntax_digest import parsed, syntax_digest
from cbablate.workloads.own_code.whereabouts import Found, is_library, locate, locate_in

__all__ = ["MOST_TEXT", "NEEDED", "code_of", "code_of_command", "file_digest"]

MOST_TEXT = 4_000_000
"""Bytes of source that travel with each trial. Of more, workers read their own files, if these
have the digests that were recorded."""
NEEDED = frozenset(
    {"cbablate", "mlflow", "numpy", "optuna", "pandas", "PIL", "pydantic", "ray", "scipy"}
    | {"sklearn", "sqlalchemy", "timm", "torch", "torchvision", "typer", "yaml"}
)
"""Modules that cbablate imports when it needs them; a file of that name would be taken for them."""


def code_of(module: str, folder: Path) -> Code | None:
    """The code that runs when `module` is imported for a study in `folder`; None if there is none.

    Modules are found as Python finds them, in the study's folder first. An installed distribution
    counts as a whole where the workload itself lies in it, or where it was installed from a
    folder or a repository; a library from an index does not count.

    Raises:
        LookupError: a file beside the study has the name of a module of Python's, or of one that
            cbablate needs; a file cannot be read.
    """
    walk = _Walk(folder)
    walk.reach(module)
    own = walk.modules.get(module)
    if own is None and module not in walk.libraries:
        return None
    if own is None:
        file = walk.libraries[module]
        distribution = distribution_of(file)
        if distribution is None:
            return Code(module, str(folder.resolve()), (_read(module, Found(file)),))
        return Code(module, str(folder.resolve()), (), (distribution,))
    if not own.digest:  # a folder without any file of its own
        return None
    while walk.waiting:
        walk.follow(walk.waiting.popleft())
    modules = tuple(walk.modules[name] for name in sorted(walk.modules))
    if sum(len(one.text or b"") for one in modules) > MOST_TEXT:
        modules = tuple(replace(one, text=None) for one in modules)
    installed = sorted(walk.distributions, key=lambda one: one.name)
    return Code(module, str(folder.resolve()), modules, tuple(installed))


def code_of_command(
    folder: Path, *, script: Path | None = None, module: str = "", text: str | None = None
) -> tuple[tuple[Module, ...], tuple[Distribution, ...]]:
    """What `python script`, or `python -m module` or `python -c text` in `folder`, runs of the
    user's, and installed distributions that count; nothing of a module that is not the user's.

    A program is a process of its own, where a file beside it comes before Python's own modules and
    libraries.
    """
    walk = _Walk(folder if script is None else script.parent, first=True)
    if script is not None:
        walk.follow(_read("__main__", Found(script)))
    elif text is not None:
        walk.follow(Module("__main__", "", "", text=text.encode()))
    else:
        walk.reach(module)
        if module in walk.modules and walk.modules[module].locations is not None:
            walk.reach(f"{module}.__main__")
        if module not in walk.modules:
            return (), ()
    while walk.waiting:
        walk.follow(walk.waiting.popleft())
    modules = tuple(walk.modules[name] for name in sorted(walk.modules))
    return modules, tuple(sorted(walk.distributions, key=lambda one: one.name))


def file_digest(path: Path) -> str:
    """The digest of a module's file as it is now; "" if it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError:
        return ""
    if path.suffix == ".py":
        return syntax_digest(content)
    return hashlib.sha256(content).hexdigest()[:20]


class _Walk:
    """The user's modules that were reached so far, and those whose imports are still to follow."""

    def __init__(self, folder: Path, *, first: bool = False) -> None:
        self._folder = folder.resolve()
        self._first = first  # what lies there comes before Python's own modules, and libraries
        self._nowhere: set[str] = set()
        self.modules: dict[str, Module] = {}
        self.libraries: dict[str, Path] = {}
        self.distributions: set[Distribution] = set()
        self.waiting: deque[Module] = deque()

    def reach(self, name: str) -> None:
        """Take in a module, after the packages that it is in, as importing it does."""
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            if not all(parts[:depth]) or not self._take(".".join(parts[:depth])):
                return

    def follow(self, module: Module) -> None:
        """Take in what a module imports."""
        tree = parsed(module.text or b"")
        if tree is None:
            return
        package = module.name if module.locations is not None else module.name.rpartition(".")[0]
        for base, names in imports(tree, package):
            self.reach(base)
            taken = self.modules.get(base)
            if taken is None or taken.locations is None:
                continue
            for name in names:
                for inner in [name] if name != "*" else _star(taken):
                    self.reach(f"{base}.{inner}")

    def _take(self, name: str) -> bool:
        """Whether a module, whose packages are taken in, is one to go into."""
        if name in self.modules:
            return True
        if name in self._nowhere or name in self.libraries:
            return name in self.libraries
        if "." in name and self._counts_whole(name.partition(".")[0]):
            return False
        found = self._located(name)
        if found is None:
            self._nowhere.add(name)
            return False
        if found.file is not None and self._is_library(found.file):
            self.libraries[name] = found.file
            distribution = None if "." in name else from_a_folder(name)
            if distribution is not None:
                self.distributions.add(distribution)
            return True
        if found.file is None and all(map(self._is_library, found.locations or ())):
            self._nowhere.add(name)
            return False
        whole = self._counts_whole(name)
        self.modules[name] = module = _whole(name, found) if whole else _read(name, found)
        if module.text is not None:
            self.waiting.append(module)
        return True

    def _counts_whole(self, name: str) -> bool:
        """Whether a top-level module is a library that cbablate needs, and no file of a command."""
        return name in NEEDED and not (self._first and self._beside(name))

    def _beside(self, name: str) -> Found | None:
        found = locate_in(name, [self._folder])
        return found if found is not None and found.file is not None else None

    def _located(self, name: str) -> Found | None:
        parent, _, last = name.rpartition(".")
        if not parent:
            return self._top(name)
        if parent in self.libraries:
            return locate_in(last, [self.libraries[parent].parent])
        locations = self.modules[parent].locations
        return None if locations is None else locate_in(last, map(Path, locations))

    def _top(self, name: str) -> Found | None:
        if name == "__main__":
            return None
        pythons = name in sys.stdlib_module_names
        if self._first and (beside := self._beside(name)):
            return beside
        if pythons or name in NEEDED:
            beside = self._beside(name)
            if beside is not None and name != "cbablate":
                whose = "Python's own" if pythons else "a library's"
                raise LookupError(
                    f"{beside.file} has the name of {whose} module '{name}', which would be "
                    "imported instead: rename the file"
                )
        return None if pythons or name == "cbablate" else locate(name, self._folder)

    def _is_library(self, file: Path) -> bool:
        if file.is_relative_to(self._folder):
            return is_library(file.relative_to(self._folder))
        return is_library(file)


def _read(name: str, found: Found) -> Module:
    locations = None if found.locations is None else tuple(map(str, found.locations))
    if found.file is None:
        return Module(name, "", "", locations)
    try:
        content = found.file.read_bytes()
    except OSError as error:
        raise LookupError(f"{found.file} cannot be read: {error.strerror}") from error
    text = content if found.file.suffix == ".py" else None
    digest = file_digest(found.file) if text is None else syntax_digest(text)
    return Module(name, str(found.file), digest, locations, text)


def _whole(name: str, found: Found) -> Module:
    """A library that cbablate uses too, under development: all its files, as they are."""
    files = {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for root in found.locations or ()
        for file in root.rglob("*.py")
    }
    locations = tuple(map(str, found.locations or ()))
    return Module(name, str(found.file or ""), fingerprint(files), locations)


def _star(package: Module) -> Iterator[str]:
    tree = parsed(package.text or b"")
    return iter(()) if tree is None else exported(tree)
