"""What a config's `data` stands for: its facts and its fingerprint, with no library that trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cbablate.data import location
from cbablate.data.catalog import DATASETS, FOLDER, Dataset
from cbablate.data.digest import of_files
from cbablate.data.listing import outline

__all__ = ["content", "facts"]


def facts(data: Mapping[str, Any]) -> Dataset:
    """The facts of a resolved `data`; of a folder, as it is on this machine.

    Raises:
        EnvironmentFault: a folder is missing, or is not a folder of classes.
    """
    known = _folder(data) if data["name"] == FOLDER else DATASETS[data["name"]]
    if data.get("subset") is None:
        return known
    return replace(known, sizes={**known.sizes, "train": data["subset"]})


def content(data: Mapping[str, Any]) -> str:
    """The fingerprint of the data: the catalog's, or computed from files and remembered.

    It is that of the whole data set: what a subset is, the config says.

    Raises:
        EnvironmentFault: the files that decide it are not on this machine.
    """
    known = _folder(data) if data["name"] == FOLDER else DATASETS[data["name"]]
    if known.content is not None:
        return known.content
    folder = location.where(known)
    paths = [location.file(folder, name) or folder / name for name in known.files]
    return of_files(paths, known.files)


def _folder(data: Mapping[str, Any]) -> Dataset:
    found = outline(data["folder"])
    return Dataset(
        name=FOLDER,
        title=f"Images under {found.root}",
        img_size=data["img_size"],
        in_chans=3,
        num_classes=found.classes,
        sizes=found.sizes,
        content=found.fingerprint,
        split=found.split,
    )
