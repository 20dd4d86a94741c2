"""Entries: `module:function` turned into the function, where a trial runs."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cbablate.errors import EnvironmentFault
from cbablate.fingerprint import fingerprint

__all__ = ["Entry"]


@dataclass(frozen=True)
class Entry:
    """Where a function lies: `module:function` of an installed module, or of a file's `text`.

    An entry is plain text, so it can be sent to another process, on another machine, and resolved
    there. A user's module travels with it, so that every worker runs the text whose digest is in
    the trials' identity, whatever becomes of the file meanwhile. `path` is where the text is from;
    its folder is importable where it exists. `version` is the digest of the text and of its
    neighbours there: with another one, all are imported anew.
    """

    name: str
    path: str | None = None
    text: str = ""
    version: str = ""

    def load(self) -> Callable[..., Any]:
        """Import the module and return the function.

        Raises:
            EnvironmentFault: it cannot be imported, or holds no such function.
        """
        module_name, _, function = self.name.partition(":")
        try:
            module = importlib.import_module(module_name) if self.path is None else self._own()
        except Exception as error:
            raise EnvironmentFault(
                f"workload '{self.name}' cannot be imported: {type(error).__name__}: {error}"
            ) from error
        found = getattr(module, function, None)
        if not callable(found):
            raise EnvironmentFault(
                f"workload '{self.name}': {module_name} has no function '{function}'"
            )
        return cast("Callable[..., Any]", found)

    def _own(self) -> types.ModuleType:
        """The module made of our text, under a name of its own: another text is another module."""
        private = f"cbablate_study_{fingerprint([self.path, self.text, self.version])}"
        if private in sys.modules:
            return sys.modules[private]
        folder = Path(str(self.path)).parent
        _forget(folder)
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # its neighbours, which a training may import late
        module = types.ModuleType(private)
        module.__file__ = self.path
        sys.modules[private] = module
        try:
            exec(compile(self.text, str(self.path), "exec"), module.__dict__)  # noqa: S102 - it is
            # the user's own workload, which a command was given to run
        except BaseException:
            del sys.modules[private]
            raise
        return module


def _forget(folder: Path) -> None:
    """Have neighbours that a former text imported read anew: they may have been edited too."""
    importlib.invalidate_caches()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).parent == folder and not name.startswith("cbablate_study_"):
            del sys.modules[name]
