"""Where modules lie, by Python's own rules of finding them, and which files are the user's.

A library is what lies in `site-packages` (or Debian's `dist-packages`) or belongs to Python. What
else can be imported is the user's: the study's folder, `PYTHONPATH`, packages that are installed
in editable form. cbablate itself is neither.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES, BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path

__all__ = [
    "Found",
    "is_library",
    "is_ours",
    "is_pythons",
    "is_users",
    "locate",
    "locate_in",
    "users_folders",
]

_INSTALLED = frozenset({"site-packages", "dist-packages"})
_SUFFIXES = (*EXTENSION_SUFFIXES, ".py", ".pyc")
_PYTHONS_OWN = tuple(
    Path(sysconfig.get_paths()[kind]).resolve() for kind in ("stdlib", "platstdlib")
)
_OURS = Path(__file__).resolve().parents[2]
_BUILT_IN = (BuiltinImporter, FrozenImporter, PathFinder)


@dataclass(frozen=True)
class Found:
    """Where a module lies: its file, None for a namespace package; a package's folders."""

    file: Path | None
    locations: tuple[Path, ...] | None = None


def _search_path(folder: Path) -> list[Path]:
    """The folders in which a top-level module is looked for: the study's, then Python's."""
    return [folder.resolve(), *(Path(entry or ".").absolute() for entry in sys.path)]


def locate(name: str, folder: Path) -> Found | None:
    """Where a top-level module lies, for a study in `folder`; None if it is nowhere.

    Nothing is imported to find out. Finders that installers add for editable packages are asked.
    """
    found = locate_in(name, _search_path(folder))
    if found is not None:
        return found
    for finder in list(sys.meta_path):
        find = getattr(finder, "find_spec", None)
        if finder in _BUILT_IN or find is None or type(finder).__module__.startswith("cbablate."):
            continue
        try:
            spec = find(name, None)
        except Exception:  # noqa: BLE001, S112 - somebody's finder fails: it does not find it
            continue
        if spec is not None:
            return _specified(spec)
    return None


def locate_in(name: str, folders: Iterable[Path]) -> Found | None:
    """Where the module of this last name lies, in the first of the folders that has it.

    As Python does: in each folder a package comes before a module, and folders that are no
    packages are one namespace package, if nothing else is found.
    """
    portions: list[Path] = []
    try:
        for folder in folders:
            base = folder / name
            is_folder = base.is_dir()
            if is_folder:
                for suffix in _SUFFIXES:
                    if (base / f"__init__{suffix}").is_file():
                        return Found(base / f"__init__{suffix}", (base,))
            for suffix in _SUFFIXES:
                file = folder / f"{name}{suffix}"
                if file.is_file():
                    return Found(file)
            if is_folder and base not in portions:
                portions.append(base)
    except (OSError, ValueError):  # a name too long for a file, or with a NUL in it
        return None
    return Found(None, tuple(portions)) if portions else None


def is_library(file: Path) -> bool:
    """Whether a file belongs to Python or to an installed distribution."""
    return bool(_INSTALLED & set(file.parts)) or is_pythons(file)


def is_pythons(file: Path) -> bool:
    """Whether a file is of Python's standard library."""
    return not _INSTALLED & set(file.parts) and any(
        file.is_relative_to(root) for root in _PYTHONS_OWN
    )


def is_ours(file: Path) -> bool:
    """Whether a file is cbablate's."""
    return file.is_relative_to(_OURS)


def is_users(file: Path, home: Path, roots: Iterable[Path]) -> bool:
    """Whether a file that was imported is the user's: below the study's folder, `home`, or below
    one of the user's folders on Python's path, and neither a library's nor ours.
    """
    if is_ours(file):
        return False
    if file.is_relative_to(home):
        return not is_library(file.relative_to(home))
    return not is_library(file) and any(file.is_relative_to(root) for root in roots)


def users_folders() -> list[Path]:
    """The folders and archives on Python's path that do not belong to libraries, as they are
    written there and without symbolic links.

    Code that libraries generate and import from a cache is not on that path, or in a `.cache`.
    """
    written = [Path(entry or ".").absolute() for entry in sys.path]
    folders = [each for folder in written for each in (folder, folder.resolve())]
    return [
        folder
        for folder in dict.fromkeys(folders)
        if folder.exists() and not is_library(folder) and ".cache" not in folder.parts
    ]


def _specified(spec: object) -> Found | None:
    origin = getattr(spec, "origin", None)
    has_file = bool(getattr(spec, "has_location", False)) and origin
    try:
        inside = getattr(spec, "submodule_search_locations", None)
        locations = None if inside is None else tuple(Path(str(each)) for each in inside)
    except Exception:  # noqa: BLE001 - a namespace that only its finder understands
        return None
    if not has_file and not locations:
        return None
    return Found(Path(str(origin)) if has_file else None, locations)
