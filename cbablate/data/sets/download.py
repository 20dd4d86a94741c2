"""Data sets fetched by torchvision, with its progress bar, into the data root."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from cbablate.data import location
from cbablate.data.catalog import DATASETS
from cbablate.errors import CbablateError, EnvironmentFault

__all__ = ["CLASSES", "fetched", "get"]

CLASSES = {"fashion_mnist": "FashionMNIST", "cifar10": "CIFAR10", "cifar100": "CIFAR100"}
"""torchvision's class for each data set that it can fetch."""


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
    if name not in CLASSES:
        raise CbablateError(f"data '{name}' cannot be fetched; {', '.join(CLASSES)} can")
    facts = DATASETS[name]
    folder = location.found(facts)
    if folder is not None:
        return folder
    import torchvision.datasets

    made = getattr(torchvision.datasets, CLASSES[name])
    place = next(p for p in facts.places if (p in _UNPACKED))
    target = location.root() / place
    try:
        location.root().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=location.root(), prefix=".fetching-") as scratch:
            made(scratch, download=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():  # what was left there by hand is not whole, or it had been found
                shutil.rmtree(target)
            (Path(scratch) / place).rename(target)
    except (OSError, RuntimeError) as error:
        raise EnvironmentFault(
            f"data '{name}' could not be fetched ({error}). {location.missing(facts)}"
        ) from error
    return location.where(facts)


_UNPACKED = ("FashionMNIST/raw", "cifar-10-batches-py", "cifar-100-python")
"""Where torchvision puts each of them under its root."""
