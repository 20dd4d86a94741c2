"""Entries: `module:function` turned into the function, where a trial runs."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cbablate.errors import EnvironmentFault
from cbablate.fingerprint import fingerprint

__all__ = ["Entry"]


@dataclass(frozen=True)
class Entry:
    """Where a function lies: `module:function`, and the file to import the module from.

    `source` is None for an installed module. An entry is plain text, so it can be sent to another
    process and resolved there.
    """

    name: str
    source: str | None = None

    def load(self) -> Callable[..., Any]:
        """Import the module and return the function.

        Raises:
            EnvironmentFault: it cannot be imported, or holds no such function.
        """
        module_name, _, function = self.name.partition(":")
        try:
            module = _module(module_name, self.source)
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


def _module(name: str, source: str | None) -> Any:
    if source is None:
        return importlib.import_module(name)
    # A module of a study's folder keeps a name of its own: two studies may both have a `mine.py`.
    private = f"cbablate_study_{fingerprint(source)}_{name.replace('.', '_')}"
    if private in sys.modules:
        return sys.modules[private]
    spec = importlib.util.spec_from_file_location(private, Path(source))
    if spec is None or spec.loader is None:
        raise ImportError(f"{source} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    folder = str(Path(source).parent)
    sys.path.insert(0, folder)  # its own neighbours, for as long as it is being imported
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[private]
        raise
    finally:
        sys.path.remove(folder)
    return module
