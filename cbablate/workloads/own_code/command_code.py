"""The code of a command: the files that are declared, those that its words name, and what Python
scripts among them import.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from cbablate.spec.code import Distribution, Module
from cbablate.spec.command_words import OF_THE_TRIAL, expanded, is_switch, keys_in, takes_all
from cbablate.spec.description import Undescribed
from cbablate.spec.fault import Fault
from cbablate.spec.own_workload import OwnWorkload, Reads
from cbablate.spec.program import Program, ProgramFile
from cbablate.spec.yaml import scalar
from cbablate.workloads.own_code.declared_files import MOST_CODE, code_files, data_files
from cbablate.workloads.own_code.source import NEEDED, code_of_command, file_digest

__all__ = ["named_by_words", "program_of"]

_SCRIPT = ".py"
_HAS_A_NAME = re.compile(r"[A-Za-z0-9_]")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_PROGRAMS = frozenset({"bin", "sbin"})
"""Folders of installed programs: an interpreter by its full path is no code of the user's."""
_TRIALS = frozenset(OF_THE_TRIAL) - {"study"}


def program_of(said: OwnWorkload, folder: Path) -> Program:
    """The program that a command is, with the digests of its files as they are now.

    Raises:
        Undescribed: a declared file is not there, or nothing says which files are run.
        LookupError: a file cannot be read.
    """
    words = said.command or ()
    home = folder.resolve()
    named, scripts = _Files(home), list[Path]()
    for index, path in code_files(said, home):
        named.add(path, ("code", index))
        scripts += [path] if (said.code or ())[index].endswith(_SCRIPT) else []
    for path in _less_data(named_by_words(words, home), said, home):
        if said.code is None or path.suffix == _SCRIPT:
            named.add(path, ("command",))
        scripts += [path] if path.suffix == _SCRIPT else []
    for path in dict.fromkeys(scripts):
        named.take(*code_of_command(home, script=path))
    for module in _modules(words):
        named.take(*code_of_command(home, module=module))
    if not named and said.code is None:
        raise Undescribed(
            Fault(
                (),
                "no word of the command is a file here, so nothing tells what it runs",
                "say which files it runs, code: [train.py, mylib/]; or code: [] if none is yours",
            )
        )
    return Program(
        words=words,
        folder=str(home),
        files=named.files(),
        reads=said.reads or Reads(),
        runs_in=said.runs_in,
        data=data_files(said, home),
        distributions=named.distributions(),
        declared=said.code is not None,
    )


def named_by_words(words: Sequence[str], folder: Path) -> list[Path]:
    """The files that a command's words name as they stand: `train.py`, `--config=base.yaml`, and
    all of `configs/{norm}.yaml`, whose field is filled from the config.
    """
    found: dict[Path, None] = {}
    for word in words:
        for text in dict.fromkeys([word, word.partition("=")[2]]):
            for path in _named_by(text, folder):
                found[path] = None
    return list(found)


def _less_data(paths: Sequence[Path], said: OwnWorkload, folder: Path) -> list[Path]:
    """The files that are not declared to be data."""
    written = (entry if isinstance(entry, str) else entry.path for entry in said.data)
    data = [Path(os.path.normpath(folder / one)) for one in written]
    return [path for path in paths if not any(path.is_relative_to(one) for one in data)]


def _named_by(word: str, folder: Path) -> list[Path]:
    pattern = _pattern(word)
    if not pattern or (Path(pattern).is_absolute() and Path(pattern).parent.name in _PROGRAMS):
        return []
    try:
        if "*" not in pattern:
            path = Path(os.path.normpath(folder / pattern))
            path = path / "__main__.py" if path.is_dir() else path
            return [path] if path.is_file() else []
        return sorted(path for path in folder.glob(pattern) if path.is_file())
    except (OSError, ValueError, NotImplementedError):  # a word that cannot be a path
        return []


def _pattern(word: str) -> str:
    """The path that a word could be, with `*` for what the config fills in; "" if it cannot be one.

    A word with a field is one only where something else in it looks like a path.
    """
    try:
        keys = keys_in(word)
    except ValueError:  # told elsewhere
        return ""
    if takes_all(word) or is_switch(word) or _TRIALS & {*keys} or "*" in word:
        return ""
    literal = _filled(word, dict.fromkeys(keys, ""))
    shaped = ("/" in literal or "." in literal) and _HAS_A_NAME.search(literal)
    if {*keys} - {"study"} and (not shaped or literal.startswith("/")):
        return ""
    return _filled(word, dict.fromkeys(keys, "*"))


def _filled(word: str, values: Mapping[str, str]) -> str:
    return expanded([word], {}, {**values, "study": "."})[0]


def _modules(words: Sequence[str]) -> list[str]:
    """What follows a `-m`, where it could be the name of a module."""
    following = (word for before, word in pairwise(words) if before == "-m")
    return [word for word in following if _MODULE.fullmatch(word)]


class _Files:
    """Files of a program, each once: what is declared, what words name, what is imported."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[str, ProgramFile] = {}
        self._size = 0
        self._distributions: dict[str, Distribution] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def files(self) -> tuple[ProgramFile, ...]:
        """All of them, by name."""
        return tuple(sorted(self._found.values(), key=lambda one: (one.name, one.path)))

    def distributions(self) -> tuple[Distribution, ...]:
        """Installed ones that count, by name."""
        return tuple(self._distributions[name] for name in sorted(self._distributions))

    def add(self, path: Path, way: tuple[str | int, ...], *, name: str = "") -> None:
        """Take in a file as it is now.

        Raises:
            Undescribed: it cannot be read, or is too large to be code.
        """
        real = os.path.realpath(path)
        if real in self._found:
            return
        shown = Path(os.path.relpath(path, self._folder)).as_posix()
        self._size += path.stat().st_size
        if self._size > MOST_CODE[1]:
            sentence = (
                f"with {scalar.shown(shown)} the code has more than {MOST_CODE[1] / 1e6:g} MB"
            )
            hint = "name the code under code, and what the command reads under data"
            raise Undescribed(Fault(way, sentence, hint))
        digest = file_digest(path)
        if not digest:
            raise Undescribed(Fault(way, f"{scalar.shown(shown)} cannot be read"))
        inside = not shown.startswith("../")
        self._found[real] = ProgramFile(shown, digest, "" if inside else name)

    def take(self, modules: Sequence[Module], installed: Sequence[Distribution]) -> None:
        """Take in what a script imports: by its place in the folder, or else by its module's name.

        Raises:
            Undescribed: as `add` says.
        """
        for one in modules:
            if one.name in NEEDED and one.text is None:  # a library, known as a whole
                self._found[one.name] = ProgramFile("", one.digest, f"library {one.name}")
            elif one.path:
                self.add(Path(one.path), ("command",), name=f"module {one.name}")
        self._distributions.update({one.name: one for one in installed})
