"""Data sets fetched by torchvision, with its progress bar, into the data root."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from cbablate.data import location
from cbablate.data.catalog import DATASETS
from cbablate.errors import CbablateError, EnvironmentFault

__all__ = ["fetched", "get"]


def fetched(name: str) -> None:
    """Make sure that the files of a data set are here, if it lies in files of a known place.

    Raises:
        EnvironmentFault: they are not, and cannot be fetched.
    """
    if name in DATASETS and DATASETS[name].files:
        get(name)


def get(name: str) -> Path:
    """The folder of a data set's files, fetched if they are on this machine nowhere yet.

    They appear in the data root all at once, so that no other process reads half of them.

    Raises:
        CbablateError: it is not one that can be fetched.
        EnvironmentFault: there is no network, or the disk is full.
    """
    facts = DATASETS.get(name)
    if facts is None or not facts.torchvision:
        can = ", ".join(one.name for one in DATASETS.values() if one.torchvision)
        raise CbablateError(f"data '{name}' cannot be fetched; {can} can")
    folder = location.found(facts)
    if folder is not None:
        return folder
    import torchvision.datasets

    made = getattr(torchvision.datasets, facts.torchvision)
    target = location.root() / facts.unpacked
    try:
        location.root().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=location.root(), prefix=".fetching-") as scratch:
            made(scratch, download=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():  # what was left there by hand is not whole, or it had been found
                shutil.rmtree(target)
            (Path(scratch) / facts.unpacked).rename(target)
    except (OSError, RuntimeError) as error:
        raise EnvironmentFault(
            f"data '{name}' could not be fetched ({error}). {location.missing(facts)}"
        ) from error
    return location.where(facts)
