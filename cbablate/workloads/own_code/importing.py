"""A user's code imported as it was digested, and apart from every other study's.

One process may run any studies in any order. While the code of one is loaded, its modules come
from the texts that were digested, whatever became of the files; modules of the same names, and
those that an earlier study left, are put away, and put back when it is unloaded. So what runs is
what was recorded, also on a machine that lacks the files or has older ones.
"""

from __future__ import annotations

import importlib
import linecache
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.readers import FileReader
from importlib.util import decode_source, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from cbablate.errors import EnvironmentFault
from cbablate.spec.code import Code, Module
from cbablate.workloads.own_code.distributions import installed
from cbablate.workloads.own_code.executed_files import Executed, watch
from cbablate.workloads.own_code.source import NEEDED, file_digest
from cbablate.workloads.own_code.whereabouts import is_library, is_users, users_folders

__all__ = ["loaded", "strangers", "unload"]


def loaded(code: Code) -> ModuleType:
    """The workload's module, imported unless it is loaded already.

    Raises:
        EnvironmentFault: this machine or process has other code under one of its names.
        BaseException: whatever the user's code raises while it is imported.
    """
    global _current
    if _current is None or _current.code != code:
        unload()
        _current = _Loaded(code)
        try:
            _current.enter()
        except BaseException:
            unload()
            raise
    _add_to_path(code.folder)  # whoever put the process back may have taken it away
    return _current.module


def unload() -> None:
    """Put away what a user's code has imported, and put back what it had taken the place of."""
    global _current
    if _current is not None:
        _current.leave()
        _current = None


def strangers(workdir: Path | None = None) -> dict[str, str]:
    """Files of the user's that were imported, or run in another way, though the code that is loaded
    does not have them, by the module's name. If there are any, all of it is unloaded: whoever runs
    next imports it anew, and is seen to import them as well.

    What lies in `workdir` was written by the trial itself, and follows from its code.
    """
    found = {} if _current is None else _current.strangers()
    if workdir is not None and found:
        inside = os.path.realpath(workdir)
        found = {
            name: file
            for name, file in found.items()
            if not Path(os.path.realpath(file)).is_relative_to(inside)
        }
    if found:
        unload()
    return found


class _Loaded:
    """The code of one workload in this process."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.module = ModuleType(code.module)
        self._finder = _Finder(code)
        self._put_away: dict[str, ModuleType] = {}
        self._known: set[str] = set()
        self._executed = Executed(one.path for one in code.modules)
        self._path = sys.path[:]

    def enter(self) -> None:
        """Import it."""
        for one in self.code.distributions:
            _hold_against(one.name, one.digest)
        roots = users_folders()
        self._put_away = {
            name: module for name, module in _modules() if self._in_the_way(name, module, roots)
        }
        for name in self._put_away:
            _forget(name)
        self._known = set(sys.modules)
        sys.meta_path.insert(0, self._finder)
        _add_to_path(self.code.folder)
        importlib.invalidate_caches()
        watch(self._executed)
        self.module = importlib.import_module(self.code.module)

    def leave(self) -> None:
        """Undo it."""
        watch(None)
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        roots = users_folders()
        for name, module in _modules():
            if name not in self._known and (
                name in self._finder.modules
                or self._is_users(name, module, roots)
                or _file(module) in self._executed.by_user
            ):
                _forget(name)
        for one in self.code.modules:
            linecache.cache.pop(one.path, None)
        sys.path[:] = self._path
        for name, module in self._put_away.items():
            sys.modules.setdefault(name, module)
        importlib.invalidate_caches()

    def strangers(self) -> dict[str, str]:
        """What is new in this process, of the user's, and not of this code: see `strangers`."""
        new = set(sys.modules) - self._known - self._finder.modules.keys()
        executed = self._executed
        if not (new or executed.by_user or executed.by_others):  # as after most measurements
            return {}
        roots, home = users_folders(), Path(self.code.folder)
        found = {
            name: str(module.__file__)
            for name, module in _modules()
            if name in new and self._is_users(name, module, roots)
        }
        files = {file for file in executed.by_others if is_users(Path(file), home, roots)}
        executed.by_others.clear()
        executed.by_user -= {file for file in executed.by_user if _is_needed(Path(file))}
        for file in (files | executed.by_user) - set(map(os.path.realpath, found.values())):
            path = Path(file)
            found[path.parent.name if path.stem == "__init__" else path.stem] = file
        if not found:
            self._known |= new
        return found

    def _in_the_way(self, name: str, module: ModuleType, roots: Sequence[Path]) -> bool:
        """Whether a module that is loaded already could be taken for one of this code's.

        Raises:
            EnvironmentFault: it is a library, which cannot be put away.
        """
        if name in self._finder.modules:
            file = getattr(module, "__file__", None)
            if file and is_library(Path(file)) and not self._is_users(name, module, roots):
                own = self._finder.modules[name].path
                raise EnvironmentFault(
                    f"module '{name}' of this process is the library {file}, and the workload's is "
                    f"{own}: rename that one"
                )
            return True
        return self._is_users(name, module, roots)

    def _is_users(self, name: str, module: ModuleType, roots: Sequence[Path]) -> bool:
        """Whether a module is the user's; one of a library that cbablate needs is not, though it
        may be installed in editable form: it can be imported once in a process.
        """
        if name == "__main__" or name.partition(".")[0] in NEEDED:
            return False
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not Path(file).is_absolute():
            return False  # not from a file: some libraries make modules, and write a name there
        return is_users(Path(file), Path(self.code.folder), roots)


class _Finder(MetaPathFinder):
    """Finds the modules of a code, by name, before anybody else does."""

    def __init__(self, code: Code) -> None:
        self.modules = {
            one.name: one for one in code.modules if one.name.partition(".")[0] not in NEEDED
        }

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of ours; None for any other.

        Raises:
            EnvironmentFault: it does not travel as text, and this machine has another file.
        """
        module = self.modules.get(fullname)
        if module is None:
            return None
        inside = None if module.locations is None else list(module.locations)
        if not module.path:
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = inside
            return spec
        if module.text is None and file_digest(Path(module.path)) != module.digest:
            raise EnvironmentFault(
                f"{module.path} is not on this machine as it was when the study was planned: copy "
                "it here, or plan the study again"
            )
        if module.text is None and not module.path.endswith(".py"):
            return spec_from_file_location(fullname, module.path, submodule_search_locations=inside)
        loader = _Loader(module)
        spec = ModuleSpec(fullname, loader, origin=module.path, is_package=inside is not None)
        spec.submodule_search_locations = inside
        spec.has_location = True
        return spec


class _Loader(InspectLoader):
    """Makes a module of its text; no bytecode is read or written, which could be another's."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.path = module.path
        self._text = module.text if module.text is not None else Path(module.path).read_bytes()

    def is_package(self, fullname: str) -> bool:
        """Whether the module is a package."""
        return self._module.locations is not None

    def get_code(self, fullname: str) -> CodeType:
        """The module's code, from bytes: a byte-order mark and a coding cookie are Python's.

        Whoever asks for its source (`inspect`, TorchScript, a traceback) gets the same text, and
        not what the file has become.
        """
        compiled = compile(self._text, self.path, "exec", dont_inherit=True)
        assert isinstance(compiled, CodeType)  # noqa: S101 - which "exec" gives
        text = decode_source(self._text)
        lines = text.splitlines(keepends=True)
        linecache.cache[self.path] = (len(text), None, lines, self.path)
        return compiled

    def get_source(self, fullname: str) -> str:
        """The module's text, for tracebacks and `inspect`."""
        return decode_source(self._text)

    def get_filename(self, fullname: str) -> str:
        """Where the text is from."""
        return self.path

    def get_resource_reader(self, fullname: str) -> FileReader:
        """The files beside the module, for `importlib.resources`."""
        return FileReader(SourceFileLoader(fullname, self.path))

    def get_data(self, path: str) -> bytes:
        """A file beside the module, for `pkgutil.get_data`."""
        return Path(path).read_bytes()


_current: _Loaded | None = None


def _modules() -> Iterator[tuple[str, ModuleType]]:
    """What is imported. A list of the items could fail: as its pairs are made, a finalizer may run,
    and import; a copy of the dictionary is made in one go.
    """
    return iter([(name, one) for name, one in sys.modules.copy().items() if one is not None])


def _is_needed(file: Path) -> bool:
    """Whether a file is of a library that cbablate needs, wherever that is installed."""
    homes = (getattr(sys.modules.get(name), "__path__", None) for name in NEEDED)
    return any(file.is_relative_to(os.path.realpath(each)) for home in homes for each in home or ())


def _file(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return os.path.realpath(file) if isinstance(file, str) else ""


def _forget(name: str) -> None:
    """Have a module imported anew by whoever asks for it next, by its name or by its package's."""
    module = sys.modules.pop(name, None)
    parent, _, last = name.rpartition(".")
    package = sys.modules.get(parent)
    if package is not None and package.__dict__.get(last) is module:
        delattr(package, last)


def _add_to_path(folder: str) -> None:
    """Make what was not digested importable: after the libraries, before others' folders.

    A file beside a study never takes the place of a library that cbablate or Ray imports late.
    """
    others = [one for one in sys.path if one != folder]
    last = max((i for i, one in enumerate(others) if is_library(Path(one))), default=-1)
    sys.path[:] = [*others[: last + 1], folder, *others[last + 1 :]]


def _hold_against(distribution: str, digest: str) -> None:
    """Refuse a distribution that is another one on this machine."""
    here = installed(distribution)
    if here is None or here.digest != digest:
        found = "it is not installed here" if here is None else f"here is {here.version}"
        raise EnvironmentFault(
            f"distribution '{distribution}' is not the one that the study was planned with: {found}"
            ", with other files. Install the same on every machine"
        )
