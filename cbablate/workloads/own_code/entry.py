"""Entries: `module:function` turned into the function, where a trial runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from cbablate.errors import EnvironmentFault, TrialFailure
from cbablate.spec.code import Code
from cbablate.spec.program import Program
from cbablate.workloads.own_code import importing
from cbablate.workloads.own_code.program_check import changed_files

__all__ = ["Entry", "unrecorded"]


@dataclass(frozen=True)
class Entry:
    """Where a function lies: `module:function` of our own, or of a user's `code`.

    An entry is plain data, so it can be sent to another process, on another machine, and resolved
    there. The code travels with it, so that every worker runs the texts whose digest is in the
    trials' identity, whatever becomes of the files meanwhile. The entry of a command has its
    `program`, which the function is called with.
    """

    name: str
    code: Code | None = None
    program: Program | None = None

    def load(self) -> Callable[..., Any]:
        """Import the module and return the function.

        Raises:
            EnvironmentFault: it cannot be imported, or holds no such function.
        """
        module_name, _, name = self.name.partition(":")
        try:
            if self.code is not None:
                module = importing.loaded(self.code)
            else:
                importing.unload()
                module = importlib.import_module(module_name)
        except Exception as error:
            raise EnvironmentFault(
                f"workload '{self.name}' cannot be imported: {type(error).__name__}: {error}"
            ) from error
        found = getattr(module, name, None)
        if not callable(found):
            raise EnvironmentFault(
                f"workload '{self.name}': {module_name} has no function '{name}'"
            )
        function = cast("Callable[..., Any]", found)
        return function if self.program is None else partial(function, program=self.program)

    def hold_files(self) -> None:
        """Compare declared data with what was recorded of them, before a trial starts and when it
        is over. A command holds its files itself.

        Raises:
            TrialFailure: one is another or is missing.
        """
        fault = "" if self.code is None else changed_files(self.code)
        if fault:
            raise TrialFailure(fault, failure="other code")

    def hold_against_code(self, workdir: Path) -> None:
        """Compare what the workload has imported by now with the code that it is recorded as.

        Files in the trial's own `workdir` are not compared.

        Raises:
            TrialFailure: it has imported a file of the user's that the code does not have.
        """
        if self.code is None:
            return
        found = importing.strangers(workdir)
        if found:
            raise TrialFailure(unrecorded(found))


def unrecorded(strangers: Mapping[str, str]) -> str:
    """The sentence about modules, with their files, that a workload's code does not have."""
    files = ", ".join(f"{file} (as '{name}')" for name, file in sorted(strangers.items()))
    return (
        f"the workload imported {files}, which the digest of its code does not cover, so that an "
        f"edit would go unnoticed: import it plainly, as `import {min(strangers)}` at the top of "
        "a file, from the study's folder, from a folder on PYTHONPATH or from an installed package"
    )
