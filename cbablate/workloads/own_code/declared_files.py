"""Files and folders that a workload declares: found, listed and digested."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cbablate.data.digest import of_files
from cbablate.spec.description import Undescribed
from cbablate.spec.fault import Fault
from cbablate.spec.own_workload import DataFolder, OwnWorkload
from cbablate.spec.program import ProgramFile
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.suggestion import did_you_mean

__all__ = [
    "MOST_CODE",
    "MOST_DATA",
    "code_files",
    "data_digest",
    "data_files",
    "data_identity",
    "refuse_missing",
]

MOST_CODE = (5_000, 100_000_000)
"""Files and bytes of declared code: all of it is read by each command of cbablate."""
MOST_DATA = (100_000, 20_000_000_000)
"""Files and bytes of data that are read to know them; of more, a version is to be stated."""
_LEFT_OUT = frozenset({"__pycache__", "node_modules"})
_RESULTS = "ledger.sqlite"
_OURS = re.compile(
    rb"\A(?=.*^workload:)(?=.*^baseline:)|\A(?=.*^space:)(?=.*^trials:)|\A(?=.*^(command|function):)",
    re.MULTILINE | re.DOTALL,
)
_Listing = list[tuple[str, Path]]
_Way = tuple[str | int, ...]


def code_files(said: OwnWorkload, folder: Path) -> Iterator[tuple[int, Path]]:
    """The files that `code` names, those in its folders too, each with the index of its entry.

    Left out are hidden and compiled files, results of cbablate, and the files that ask: a study is
    no part of the code that it asks about.

    Raises:
        Undescribed: there is none of that name, or there are too many.
    """
    for index, written in enumerate(said.code or ()):
        where = _there(folder, written, ("code", index))
        with _readable(("code", index), written):
            listing = _listing(where, MOST_CODE, ("code", index), written)
        for name, path in listing:
            if not (where.is_dir() and (name.endswith((".pyc", ".pyo")) or _asks(path))):
                yield index, path


def refuse_missing(said: OwnWorkload, folder: Path) -> None:
    """Refuse all at once what is declared and not there.

    Raises:
        Undescribed: something is not.
    """
    data = [(("data", i), *_data(entry)) for i, entry in enumerate(said.data)]
    asked: list[tuple[_Way, str]] = [(("code", i), one) for i, one in enumerate(said.code or ())]
    asked += [(way, written) for way, written, version in data if version is None]
    faults: list[Fault] = []
    for way, written in asked:
        try:
            _there(folder, written, way)
        except Undescribed as error:
            faults += error.faults
    if faults:
        raise Undescribed(*faults)


def data_files(said: OwnWorkload, folder: Path) -> tuple[ProgramFile, ...]:
    """The data that are known by their content, each digested.

    Raises:
        Undescribed: there is none of that name, or there is too much to read.
    """
    found = []
    for index, entry in enumerate(said.data):
        written, version = _data(entry)
        if version is None:
            way = ("data", index)
            where = _there(folder, written, way)
            with _readable(way, written):
                listing = _listing(where, MOST_DATA, way, written)
                content = _content(listing)
            if not listing:
                raise Undescribed(Fault(way, f"there are no files in {scalar.shown(written)}"))
            found.append(ProgramFile(written, content))
    return tuple(found)


def data_identity(said: OwnWorkload, files: tuple[ProgramFile, ...]) -> list[str]:
    """What the data go by, in order: their content or their stated version, not where they lie."""
    read = {one.path: one.digest for one in files}
    known = []
    for entry in said.data:
        written, version = _data(entry)
        name = written.rstrip("/").rpartition("/")[2]
        known.append(read[written] if version is None else f"{name} version {version}")
    return known


def data_digest(path: Path) -> str:
    """The digest of a file or folder of data as it is now; "" if it is not there."""
    try:
        return _content(_listing(path, MOST_DATA, (), str(path))) if path.exists() else ""
    except (OSError, Undescribed):
        return ""


def _content(listing: _Listing) -> str:
    return of_files([path for _, path in listing], [name for name, _ in listing])


def _data(entry: str | DataFolder) -> tuple[str, str | None]:
    return (entry, None) if isinstance(entry, str) else (entry.path, entry.version)


def _there(folder: Path, written: str, way: _Way) -> Path:
    """The file or folder of this name.

    Raises:
        Undescribed: there is none.
    """
    path = Path(os.path.normpath(folder.absolute() / written))
    with _readable(way, written):
        if path.exists():
            return path
        beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    raise Undescribed(
        Fault(
            way,
            f"there is no {scalar.shown(written)}, as seen from this file's folder",
            did_you_mean(path.name, beside, spelt=lambda name: _beside(written, name)),
        )
    )


def _beside(written: str, name: str) -> str:
    """A path with another last name."""
    return f"{written.rstrip('/').rpartition('/')[0]}/{name}".removeprefix("/")


@contextmanager
def _readable(way: _Way, written: str) -> Iterator[None]:
    """A block whose errors of the system are told of what is written: no name for a file, or a
    folder of another user's.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        told = f"{scalar.shown(written)} cannot be read: {error}"
        raise Undescribed(Fault(way, told)) from error


def _listing(where: Path, most: tuple[int, int], way: _Way, written: str) -> _Listing:
    """The files at or below a path with their names seen from it, in the order of these.

    Links are followed, each folder once.

    Raises:
        Undescribed: there are more than may be read.
    """
    if not where.is_dir():
        _refuse_more(1, where.stat().st_size, most, way, written)
        return [(where.name, where)]
    found: _Listing = []
    waiting, seen, size = [where], set[str](), 0
    while waiting:
        here = waiting.pop()
        real = os.path.realpath(here)
        if real in seen or (here / _RESULTS).exists():
            continue
        seen.add(real)
        for one in sorted(here.iterdir()):
            if one.name.startswith(".") or one.name in _LEFT_OUT:
                continue
            if one.is_dir():
                waiting.append(one)
            elif one.is_file():
                found.append((one.relative_to(where).as_posix(), one))
                size += one.stat().st_size
                _refuse_more(len(found), size, most, way, written)
    return sorted(found)


def _refuse_more(count: int, size: int, most: tuple[int, int], way: _Way, written: str) -> None:
    files, room = most
    if count <= files and size <= room:
        return
    what = f"more than {files:,} files" if count > files else f"more than {room / 1e9:g} GB"
    hint = (
        "name the files that the command runs, and what it reads under data"
        if most is MOST_CODE
        else f"state a version instead: {{path: {written}, version: ...}}"
    )
    raise Undescribed(Fault(way, f"{scalar.shown(written)} has {what}, which are not read", hint))


def _asks(path: Path) -> bool:
    """Whether a file is a study, a sweep or a workload of cbablate's."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        return False
    return _OURS.match(path.read_bytes()) is not None
