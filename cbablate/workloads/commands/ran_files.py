"""`RanFiles`: the Python files that a trial's processes ran, held against the code on record."""

from __future__ import annotations

import ast
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cbablate.phrases import first_few, listed
from cbablate.spec.program import Program, ProgramFile
from cbablate.workloads.commands import witness
from cbablate.workloads.commands.room import Room
from cbablate.workloads.own_code.command_code import named_by_words
from cbablate.workloads.own_code.source import NEEDED
from cbablate.workloads.own_code.whereabouts import is_library, is_ours, locate

__all__ = ["RanFiles"]

_LISTED = 6
_PROGRAMS = ("bin", "sbin")


class RanFiles:
    """What the witness in each Python process of a trial writes down, as far as it was read.

    A file is the user's if it lies in the command's folder or in one on Python's path, or if a
    file of the user's ran it. What the trial itself has written, into its own folder or a folder
    for passing files, follows from its code.
    """

    def __init__(self, program: Program, chosen: Iterable[ProgramFile], room: Room) -> None:
        self._program, self._room = program, room
        self._folder = os.path.realpath(program.folder)
        files = [*program.files, *chosen]
        self._covered = {os.path.realpath(self._path(one.path)) for one in files if one.path}
        whole = [one.name.removeprefix("library ") for one in files if not one.path]
        self._roots = [*self._own_roots(whole)]
        self._users = set(self._covered)
        self._began = time.time()
        self._read = 0
        self._found: dict[str, None] = {}

    def seen_in(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The variables of a program, with those by which each Python in it finds the witness."""
        before = environment.get("PYTHONPATH")
        path = [str(Path(witness.__file__).parent), *([before] if before else [])]
        added = {"PYTHONPATH": os.pathsep.join(path), "CBABLATE_WITNESS": str(self._room.ran)}
        return {**environment, **added}

    def complaint(self) -> str:
        """The sentence about files of the user's that ran and are not on record; "" if all are."""
        for file, caller, on_path in self._lines():
            if file not in self._covered and self._is_users(file, caller, on_path=on_path):
                self._users.add(file)
                self._found[os.path.relpath(file, self._folder)] = None
        if not self._found:
            return ""
        shown = [name if not name.startswith("../") else self._path(name) for name in self._found]
        return (
            f"the command ran {first_few(shown)}, which the digest of its code does not cover, so "
            f"that an edit would go unnoticed: {self._advice()}"
        )

    def _advice(self) -> str:
        """What to write, with all that counts today: what is declared takes its place."""
        if self._program.declared:
            return f"add {listed([*self._found])} to `code`"
        words = named_by_words(self._program.words, Path(self._folder))
        files = [os.path.relpath(os.path.realpath(one), self._folder) for one in words]
        files = [*dict.fromkeys([*files, *self._found])]
        if len(files) > _LISTED:
            return "name under `code` all files and folders that it runs"
        return f"say `code: [{', '.join(files)}]`, files or their folders"

    def _lines(self) -> Iterator[tuple[str, str, bool]]:
        """What was written down since the last look, in whole lines."""
        try:
            with self._room.ran.open("rb") as log:
                log.seek(self._read)
                text = log.read()
        except FileNotFoundError:  # no Python ran, or none that listens
            return
        text = text[: text.rfind(b"\n") + 1]
        self._read += len(text)
        for line in text.splitlines():
            file, caller, on_path = ast.literal_eval(line.decode("ascii"))
            yield os.path.realpath(file), os.path.realpath(caller) if caller else "", on_path

    def _is_users(self, file: str, caller: str, *, on_path: bool) -> bool:
        path = Path(file)
        if is_ours(path) or not _is_there(path) or path.is_relative_to(self._workdir):
            return False
        if any(path.is_relative_to(root) for root in self._roots):
            return False
        if path.is_relative_to(self._folder):
            return not is_library(path.relative_to(self._folder))
        if path.parent.name in _PROGRAMS:  # `torchrun` of some Python
            return False
        return (on_path or caller in self._users) and not self._was_just_made(path)

    @property
    def _workdir(self) -> str:
        return os.path.realpath(self._room.workdir)

    def _was_just_made(self, path: Path) -> bool:
        return (
            path.is_relative_to(os.path.realpath(tempfile.gettempdir()))
            and path.is_file()
            and path.stat().st_ctime >= self._began
        )

    def _own_roots(self, libraries: Iterable[str]) -> Iterator[str]:
        """Where those libraries lie that are installed in editable form and known as a whole."""
        for name in NEEDED.intersection(libraries):
            found = locate(name, Path(self._folder))
            yield from (os.path.realpath(each) for each in (found.locations or () if found else ()))

    def _path(self, name: str) -> str:
        return os.path.normpath(os.path.join(self._folder, name))  # noqa: PTH118 - `..` as text


def _is_there(path: Path) -> bool:
    """Whether a path is a file or in one, as in an archive; generated code may name any."""
    there = next((each for each in (path, *path.parents) if each.exists()), path)
    return there.is_file()
