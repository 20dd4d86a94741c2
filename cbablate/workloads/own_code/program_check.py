"""A command's files held against what was recorded of them, on the machine where it runs."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cbablate.errors import TrialFailure
from cbablate.phrases import first_few
from cbablate.spec.code import Code
from cbablate.spec.program import Program, ProgramFile
from cbablate.workloads.own_code.command_code import (
    chosen_files,
    chosen_names,
    less_data,
    named_by_words,
)
from cbablate.workloads.own_code.declared_files import data_digest
from cbablate.workloads.own_code.distributions import installed
from cbablate.workloads.own_code.source import file_digest

__all__ = ["changed_files", "chosen_here", "written_words"]

_Stamp = tuple[str, int, int, int]


def changed_files(own: Code | Program, *, config: Mapping[str, Any] | None = None) -> str:
    """Which files of code or data are not, here and now, as they were when the study was read.

    Files that a `config` names are among them. "" if all are. A file is read only if its size, its
    time of change or its inode is another than when it was read last. A function's code travels
    with it, so of that only data are looked at.
    """
    here = [*_unlike_data(own)]
    if isinstance(own, Program):
        chosen = () if config is None else _unlike_chosen(own, config)
        here = [*_unlike(own), *chosen, *here]
    if not here:
        return ""
    return (
        f"on {platform.node() or 'this machine'} {first_few(here)}: what runs must be what was "
        "recorded. Let the files be the same on every machine, and run the study again; it "
        "reads them anew"
    )


def chosen_here(program: Program, config: Mapping[str, Any]) -> tuple[ProgramFile, ...]:
    """The files that a config names, here and now.

    Raises:
        TrialFailure: one cannot be read.
    """
    try:
        return chosen_files(program, config)
    except LookupError as error:
        raise TrialFailure(str(error), failure="other code") from error


def written_words(program: Program, *, config: Mapping[str, Any] | None = None) -> str:
    """The sentence about a file that a word of the command, or a value of the config, names, and
    that was not there before it ran; "" if there is none.

    Its content would be taken for code from now on, and the study for another one.
    """
    folder = Path(program.folder)
    known = {os.path.normpath(folder / one.path) for one in (*program.files, *program.chosen)}
    named = [] if program.declared else named_by_words(program.words, folder)
    named += [folder / one.path for one in chosen_here(program, config or {}) if one.path]
    named = less_data(named, program.besides, folder)
    fresh = [path for path in named if os.path.normpath(path) not in known]
    if not fresh:
        return ""
    return (
        f"{fresh[0]} was not there before the command ran. As a word of the command it would count "
        "as code from now on: let it be written into {workdir}, or say under code what is code"
    )


def _unlike(program: Program) -> Iterator[str]:
    folder = Path(program.folder)
    for one in program.files:
        path = folder / one.path
        if one.path and _known(path) != one.digest:
            yield f"{path} {'was edited or is another' if path.exists() else 'is not there'}"
    for each in program.distributions:
        found = installed(each.name)
        if found is None or found.digest != each.digest:
            now = "is not installed" if found is None else f"has other files ({found.version})"
            yield f"the distribution '{each.name}' {now}"


def _unlike_chosen(program: Program, config: Mapping[str, Any]) -> Iterator[str]:
    """What a config names and is not what it was for the study's arms, or was not there."""
    recorded = {one.name or one.path: one.digest for one in program.chosen}
    here = {one.name or one.path: one for one in chosen_here(program, config)}
    for name, one in here.items():
        shown = Path(program.folder) / one.path if one.path else name
        if recorded.get(name) != one.digest:
            yield f"{shown} {'was edited or is another' if name in recorded else 'was not there'}"
    for name in chosen_names(program, config):
        if name in recorded and name not in here:
            yield f"{Path(program.folder) / name} is not there"


def _unlike_data(own: Code | Program) -> Iterator[str]:
    for one in own.data:
        path = Path(own.folder) / one.path
        if data_digest(path) != one.digest:
            yield f"the data {path} {'are other data' if path.exists() else 'are not there'}"


_digests: dict[_Stamp, str] = {}


def _known(path: Path) -> str:
    """The digest of a file, remembered in this process while the file looks the same."""
    try:
        status = path.stat()
    except OSError:
        return ""
    stamp = (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
    if stamp not in _digests:
        _digests[stamp] = file_digest(path)
    return _digests[stamp]
