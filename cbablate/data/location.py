"""Where data lie on this machine: no part of any identity."""

from __future__ import annotations

import os
from pathlib import Path

from cbablate.data.catalog import Dataset
from cbablate.errors import EnvironmentFault

__all__ = ["VARIABLE", "cache", "file", "found", "missing", "root", "where"]

VARIABLE = "CBABLATE_DATA"


def root() -> Path:
    """The folder that data sets lie in: `CBABLATE_DATA`, else the cache folder of the user."""
    said = os.environ.get(VARIABLE)
    return Path(said).expanduser().absolute() if said else cache()


def cache() -> Path:
    """`cbablate` in the user's cache folder: `XDG_CACHE_HOME`, else `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path("~/.cache").expanduser()) / "cbablate"


def file(folder: Path, name: str) -> Path | None:
    """The file of this name in a folder, plain or packed; None if there is neither."""
    return next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)


def found(facts: Dataset) -> Path | None:
    """The first of a data set's places that holds all of its files; None if none does."""
    for place in facts.places:
        folder = root() / place
        if all(file(folder, name) for name in facts.files):
            return folder
    return None


def where(facts: Dataset) -> Path:
    """The folder of a data set's files.

    Raises:
        EnvironmentFault: they are not on this machine.
    """
    folder = found(facts)
    if folder is None:
        raise EnvironmentFault(missing(facts))
    return folder


def missing(facts: Dataset) -> str:
    """The sentence about a data set that is not on this machine."""
    looked = [str(root() / place) for place in facts.places]
    places = looked[0] if len(looked) == 1 else f"any of {', '.join(looked)}"
    return (
        f"data '{facts.name}' are not on this machine: {', '.join(facts.files)} are not all in "
        f"{places}. To get them, {facts.obtain}. Data may also lie under another folder than "
        f"{root()}, named by the environment variable {VARIABLE}."
    )
