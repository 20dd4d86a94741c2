"""The code of a command: the files that are declared, those that its words name, and what Python
scripts among them import.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from cbablate.spec.code import Distribution, Module
from cbablate.spec.command_words import OF_THE_TRIAL, expanded, is_switch, keys_in, takes_all
from cbablate.spec.description import Undescribed
from cbablate.spec.fault import Fault
from cbablate.spec.own_workload import OwnWorkload, Reads
from cbablate.spec.program import Program, ProgramFile
from cbablate.spec.yaml import scalar
from cbablate.workloads.own_code.declared_files import MOST_CODE, code_files, data_files
from cbablate.workloads.own_code.source import NEEDED, code_of_command, file_digest

__all__ = ["chosen_files", "chosen_names", "less_data", "named_by_words", "program_of"]

_SCRIPT = ".py"
_HAS_A_NAME = re.compile(r"[A-Za-z0-9_]")
_OPTION = re.compile(r"-[bBdEhiIOPqsStuvx]*(?P<letter>[mc])(?P<rest>.*)|--module", re.DOTALL)
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_PROGRAMS = frozenset({"bin", "sbin"})
"""Folders of installed programs: an interpreter by its full path is no code of the user's."""
_TRIALS = frozenset(OF_THE_TRIAL) - {"study"}
_ANY_TRIAL = {**dict.fromkeys(OF_THE_TRIAL, "1"), "study": "."}


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
    besides = tuple(entry if isinstance(entry, str) else entry.path for entry in said.data)
    for path in less_data(named_by_words(words, home), besides, home):
        if said.code is None or path.suffix == _SCRIPT:
            named.add(path, ("command",))
        scripts += [path] if path.suffix == _SCRIPT else []
    for path in dict.fromkeys(scripts):
        named.take(*code_of_command(home, script=path))
    for way in python_words(words):
        named.take(*code_of_command(home, module=way.module, text=way.text))
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
        besides=besides,
    )


def chosen_files(program: Program, config: Mapping[str, Any]) -> tuple[ProgramFile, ...]:
    """The files that a command's words name once the values of a config are in them, or that such
    a value names by itself, with what scripts among them import; less those that every trial has.

    Raises:
        Undescribed: one cannot be read, or is too large to be code.
        LookupError: as above.
    """
    home = Path(program.folder)
    named, words = _Files(home), _chosen_words(program.words, config)
    paths = [path for name in chosen_names(program, config) for path in _files_at(name, home)]
    for path in less_data(paths, program.besides, home):
        if path.suffix == _SCRIPT or not program.declared:
            named.add(path, ("command",))
        if path.suffix == _SCRIPT:
            named.take(*code_of_command(home, script=path))
    for way in python_words(words):
        named.take(*code_of_command(home, module=way.module, text=way.text))
    every = {one.name or one.path for one in program.files}
    found = [one for one in named.files() if (one.name or one.path) not in every]
    known = {*program.distributions}
    return (
        *found,
        *(
            ProgramFile("", one.digest, f"distribution {one.name}")
            for one in named.distributions()
            if one not in known
        ),
    )


def chosen_names(program: Program, config: Mapping[str, Any]) -> list[str]:
    """What a config names that could be a file, as seen from the command's folder; each once."""
    words = _chosen_words(program.words, config)
    texts = [part for word in words for part in _parts(word) if part and "*" not in part]
    seen = (os.path.relpath(os.path.join(program.folder, one), program.folder) for one in texts)  # noqa: PTH118 - `..` as text
    return [*dict.fromkeys(Path(one).as_posix() for one in seen if "\0" not in one)]


def _chosen_words(words: Sequence[str], config: Mapping[str, Any]) -> list[str]:
    """A command's words with a config's values in them, then each value that is a text.

    Of the others only options stay, for what follows them: a file that a word names as it stands
    is in every trial, and what names something of the trial's own is no code.
    """
    filled: list[str] = []
    for word in words:
        try:
            keys = {*keys_in(word)}
            own = bool(keys & _TRIALS)
            made = expanded([word], config, _ANY_TRIAL)
        except ValueError:  # a config of another command
            own, keys, made = True, set(), []
        if own or not (keys - {"study"} or word.startswith("-") or takes_all(word)):
            made = [""]
        filled += made
    return [*filled, "", *_texts(config)]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def named_by_words(words: Sequence[str], folder: Path) -> list[Path]:
    """The files that a command's words name as they stand: `train.py`, `--config=base.yaml`, and
    all of `configs/{norm}.yaml`, whose field is filled from the config.
    """
    every = [_pattern(part) for word in words for part in _parts(word)]
    return [*dict.fromkeys(path for pattern in every for path in _files_at(pattern, folder))]


def less_data(paths: Sequence[Path], besides: Sequence[str], folder: Path) -> list[Path]:
    """The files that do not lie in one of these, which are declared to be data."""
    data = [Path(os.path.normpath(folder / one)) for one in besides]
    return [path for path in paths if not any(path.is_relative_to(one) for one in data)]


def _parts(word: str) -> tuple[str, str]:
    """A word, and what stands behind its first `=`."""
    return word, word.partition("=")[2]


def _files_at(pattern: str, folder: Path) -> list[Path]:
    if not pattern or (Path(pattern).is_absolute() and Path(pattern).parent.name in _PROGRAMS):
        return []
    try:
        if "*" not in pattern:
            path = Path(os.path.normpath(folder / pattern))
            path = path / "__main__.py" if path.is_dir() else path
            return [path] if path.is_file() else []
        found = (Path(os.path.normpath(path)) for path in folder.glob(pattern))
        return sorted(path for path in found if path.is_file())
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


class PythonWay(NamedTuple):
    """How Python is given a program that is no script: `-m module`, `-c text`."""

    module: str = ""
    text: str | None = None


def python_words(words: Sequence[str]) -> list[PythonWay]:
    """What follows a `-m` or `-c`, also as Python has them behind other letters: `-um`, `-mpkg`.

    Other programs have such options, too: what no module and no Python is comes to nothing.
    """
    found = []
    for word, following in pairwise([*words, ""]):
        said = _OPTION.fullmatch(word)
        if said is None:
            continue
        argument = said["rest"] or following
        if said["letter"] == "c":
            found.append(PythonWay(text=argument))
        elif _MODULE.fullmatch(argument):
            found.append(PythonWay(module=argument))
    return found


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
