"""What a person reads of data sets: which there are, where they lie, and how to get them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cbablate.data import identity, location
from cbablate.data.catalog import DATASETS, FOLDER, Dataset
from cbablate.data.listing import listing
from cbablate.errors import CbablateError

__all__ = ["Examined", "catalog", "checked", "examined", "fetched"]


def catalog() -> str:
    """All data sets: name, size, classes, splits, and where they were found or how to get them."""
    lines = [f"Data root: {location.root()} (environment variable {location.VARIABLE})", ""]
    for facts in DATASETS.values():
        lines += [*_facts(facts), f"  {_origin(facts)}", ""]
    lines += [
        "folder: your own images",
        "  data: {name: folder, folder: NAME} reads NAME/train/<class>/, NAME/val/<class>/ and, if",
        "  there is one, NAME/test/<class>/ under the data root, in ImageNet's layout.",
        "  `cbablate data NAME` says what one holds.",
    ]
    return "\n".join(lines)


def fetched(name: str) -> str:
    """Where a data set lies, fetched from its publisher if it was not here.

    Raises:
        CbablateError, EnvironmentFault: as `data.download.get` says.
    """
    from cbablate.data.sets.download import get

    return f"{name} lies in {get(name)}"


@dataclass(frozen=True)
class Examined:
    """One data set after all of it was read: what it holds, and what of it lies in train too."""

    facts: Dataset
    fingerprint: str
    overlap: Mapping[str, int]


def examined(name: str) -> Examined:
    """One data set, or a folder under the data root, read whole.

    Raises:
        CbablateError: there is neither a data set nor a folder of this name.
        EnvironmentFault: it is not here, or is not what it should be.
    """
    if name not in DATASETS and not (location.root() / name).is_dir():
        raise CbablateError(
            f"'{name}' is neither a data set ({', '.join(DATASETS)}) nor a folder under "
            f"{location.root()}, which the environment variable {location.VARIABLE} names"
        )
    if name in DATASETS:
        from cbablate.data.images import source

        read = source(name)
        return Examined(DATASETS[name], identity.content({"name": name}), read.overlap())
    data: dict[str, Any] = {"name": FOLDER, "folder": name, "img_size": 224}
    return Examined(identity.facts(data), identity.content(data), listing(name).overlap())


def checked(name: str) -> str:
    """What one data set, or a folder under the data root, holds.

    Raises:
        CbablateError, EnvironmentFault: as `examined` says.
    """
    found = examined(name)
    shipped = found.facts.name != FOLDER
    lines = _facts(found.facts) + ([f"  {_origin(found.facts)}"] if shipped else [])
    how = "pixel for pixel" if shipped else "byte for byte"
    lines.append(f"  fingerprint: {found.fingerprint}")
    lines += [
        f"  WARNING: {count:,} images of {split} lie in train too, {how}"
        if count
        else f"  no image of {split} lies in train, {how}"
        for split, count in found.overlap.items()
    ]
    return "\n".join(lines)


def _facts(facts: Dataset) -> list[str]:
    side = facts.img_size
    size = "" if facts.name == FOLDER else f"{facts.in_chans} x {side} x {side}, "
    sizes = ", ".join(f"{split} {count:,}" for split, count in facts.sizes.items())
    return [
        f"{facts.name}: {facts.title}",
        f"  {size}{facts.num_classes} classes; {sizes}",
        f"  splits: {facts.split}",
    ]


def _origin(facts: Dataset) -> str:
    if not facts.files:
        return f"needs no files: {facts.obtain}"
    folder = location.found(facts)
    return f"not on this machine: {facts.obtain}" if folder is None else f"found in {folder}"
