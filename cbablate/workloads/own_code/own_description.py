"""A user's own workload, described from its file and its sources; none of them is run."""

from __future__ import annotations

import copy
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cbablate.errors import StudyError
from cbablate.fingerprint import fingerprint
from cbablate.spec.code import Module, ProgramFile
from cbablate.spec.description import Description, Undescribed
from cbablate.spec.fault import Fault
from cbablate.spec.own_workload import OwnWorkload
from cbablate.spec.program import Program
from cbablate.workloads.own_code.command_code import chosen_files, program_of
from cbablate.workloads.own_code.declaration import binds, misdeclared
from cbablate.workloads.own_code.declared_files import data_files, data_identity, refuse_missing
from cbablate.workloads.own_code.declared_words import with_source
from cbablate.workloads.own_code.former_digest import former_digest, former_files
from cbablate.workloads.own_code.libraries import libraries_of, libraries_of_command
from cbablate.workloads.own_code.source import code_of
from cbablate.workloads.own_code.syntax_digest import parsed
from cbablate.workloads.own_code.unseen_files import unseen_words

__all__ = ["own_description"]

_RUN = "cbablate.workloads.commands.run:run"
_LONGEST = 200
_ENTRY = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")
_USUAL_RECIPE = ("optimizer", "schedule", "batch_size", "lr", "weight_decay")
"""Where the configs of a user's own, which say nothing of it, mostly keep what one would tune."""


def own_description(said: OwnWorkload, folder: Path) -> Description:
    """The description of a command or a function of the user's, whose file lies in `folder`.

    A function's module is looked for there, then where Python looks. The source of all that is the
    user's is read for a digest, which is the workload's version: edited code is other code, and
    its trials are trained anew.

    Raises:
        LookupError: there is no such function, or a file cannot be read; `Undescribed`, where it
            is about another key.
    """
    return _command(said, folder) if said.command is not None else _function(said, folder)


def _command(said: OwnWorkload, folder: Path) -> Description:
    refuse_missing(said, folder.resolve())
    program = program_of(said, folder)
    needs = said.needs.needs if said.needs else None
    vouched = "" if said.version is None else str(said.version)
    return _under_its_version(
        name=str(said)[:_LONGEST],
        run=_RUN,
        resolve=_as_written,
        declared=said.metrics,
        data=_CommandData(program, _data(data_identity(said, program.data))),
        chosen=lambda config: chosen_files(program, config),
        unseen=lambda config: unseen_words(program, config),
        program=program,
        vouched=vouched,
        needs=lambda _config: needs,
        libraries=lambda: libraries_of_command(program),
        recipe=_USUAL_RECIPE,
    )


def _function(said: OwnWorkload, folder: Path) -> Description:
    name = said.function or ""
    module, function = _module_and_function(name)
    code = code_of(module, folder)
    if code is None:
        raise LookupError(
            f"module '{module}' is neither a file beside the study "
            f"({folder.resolve() / module.replace('.', '/')}.py) nor installed"
        )
    own = next((one for one in code.modules if one.name == module), None)
    former: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    if own is not None:
        _refuse_misdeclared(own, function, folder)
        former = (former_digest(Path(own.path), folder),)
        seen = set(map(str, former_files(Path(own.path), folder)))
        gaps = tuple(one.path for one in code.modules if one.path and one.path not in seen)
    home = folder.resolve()
    said, base = with_source(said, own, function, home)
    refuse_missing(said, base)
    files = data_files(said, base)
    data = _data(data_identity(said, files))
    code = replace(code, data=tuple(_seen_from(home, base, one) for one in files))
    needs = said.needs.needs if said.needs else None
    vouched = "" if said.version is None else str(said.version)
    return _under_its_version(
        name=name,
        run=name,
        resolve=_as_written,
        declared=said.metrics,
        data=lambda _config: data,
        code=code,
        vouched=vouched,
        former_versions=former,
        former_gaps=gaps,
        needs=lambda _config: needs,
        libraries=lambda: libraries_of(code),
        recipe=_USUAL_RECIPE,
    )


@dataclass(frozen=True)
class _CommandData:
    """What trials of a command read: the declared data, and the files that their config names."""

    program: Program
    declared: str

    def __call__(self, config: Mapping[str, Any]) -> str:
        try:
            chosen = chosen_files(self.program, config)
        except Undescribed as error:
            raise StudyError.of(
                [replace(one, path=("workload", *one.path)) for one in error.faults]
            ) from error
        except LookupError as error:
            raise StudyError.of([Fault(("workload",), str(error))]) from error
        if not chosen:
            return self.declared
        files = {one.name or one.path: one.digest for one in chosen}
        return fingerprint({"declared": self.declared, "chosen": files})


def _under_its_version(**fields: Any) -> Description:
    described = Description(version="", **fields)
    return replace(described, version=described.named_version)


def _seen_from(home: Path, base: Path, one: ProgramFile) -> ProgramFile:
    return replace(one, path=os.path.relpath(base / one.path, home))


def _data(known: list[str]) -> str:
    return fingerprint(known) if known else ""


def _module_and_function(name: str) -> tuple[str, str]:
    if not _ENTRY.match(name) or len(name) > _LONGEST:
        raise LookupError(
            f"'{name}' is not of the form module:function (letters, digits, _ and dots; at most "
            f"{_LONGEST} characters)"
        )
    module, _, function = name.partition(":")
    if module.partition(".")[0] in sys.stdlib_module_names | {"__main__"}:
        raise LookupError(f"module '{module}' is part of Python and holds no workload")
    return module, function


def _refuse_misdeclared(module: Module, function: str, folder: Path) -> None:
    """Refuse what the source of a workload's module shows to be no workload."""
    tree = parsed(module.text) if module.text is not None else None
    if tree is None:
        return  # a fault of syntax is told, with its place, when the module is imported
    path, home = Path(module.path), folder.resolve()
    shown = path.relative_to(home) if path.is_relative_to(home) else path
    if not binds(tree, function):
        raise LookupError(f"{shown} defines no '{function}'")
    why = misdeclared(tree, function)
    if why:
        raise LookupError(f"{shown}: {why}")


def _as_written(config: Mapping[str, Any]) -> dict[str, Any]:
    """A user's config has no schema of ours: the baseline is its schema."""
    return copy.deepcopy(dict(config))
