"""`Images`: the three splits of a data set, ready for the device that trains on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import torch

from cbablate.data import identity, location
from cbablate.data.batches import Batches, Split
from cbablate.data.catalog import DATASETS, FOLDER, Dataset
from cbablate.data.listing import listing
from cbablate.data.source import RawData
from cbablate.data.split import subset
from cbablate.errors import EnvironmentFault, StudyError
from cbablate.spec.choice import chosen, code_at

__all__ = ["PROBED", "Images", "Split", "load", "opened", "source"]

SPLITS = ("train", "val", "test")
PROBED = 1024
"""Held-out images that probes look at, where they are streamed."""


@dataclass(frozen=True)
class Images:
    """The three splits of a data set. Shared by all trials of a process: never written to."""

    facts: Dataset
    train: Batches
    val: Batches
    test: Batches
    background: tuple[float, ...]
    """What a pixel of value 0 is after normalisation, by channel."""
    streamed: bool = False
    """Whether batches come from files, augmented image by image on the way."""
    overlap: Mapping[str, int] = field(default_factory=dict)
    """Images of `val` and `test` that lie in `train` too, pixel for pixel, where that is known."""

    @property
    def fitted(self) -> Batches:
        """What accuracy on training images is measured on: all of them; of a stream, as many as
        there are for validation."""
        return self.train.thinned(len(self.val))

    @cached_property
    def probed(self) -> Split:
        """The validation images that probes look at: all; of a stream, `PROBED` of them."""
        return self.val.held(PROBED)


def opened(config: Mapping[str, Any], device: torch.device | str = "cpu") -> Images:
    """The images that a resolved config of `image_classification` names.

    Raises:
        StudyError: a subset of more images than there are.
        EnvironmentFault: as `load` says; or a folder is missing, or is not a folder of classes.
    """
    data = config["data"]
    if data["name"] != FOLDER:
        return load(data["name"], device, part=data.get("subset"))
    return _streamed(data, config["augment"], torch.device(device))


def load(name: str, device: torch.device | str = "cpu", *, part: int | None = None) -> Images:
    """The data set of this name, held on `device`; read and checked once in a process.

    `part` trains on a fixed, stratified subset of so many images; val and test stay whole.

    Raises:
        EnvironmentFault: its library or files are missing, or its content is not what the
            catalog says.
        LookupError: there is no such data set.
    """
    return _load(name, str(device), part)


def source(name: str) -> RawData:
    """The data set as it is read, in stored pixels, checked against the catalog.

    Raises:
        EnvironmentFault, LookupError: as `load` says.
    """
    facts = chosen("data set", DATASETS, name)
    expected = facts.content
    read: RawData = code_at(facts.read)()
    found = read.content()
    if expected is not None and found != expected:
        raise EnvironmentFault(
            f"data '{name}' is not the data this version of cbablate knows: its content is "
            f"{found}, expected {expected}. Another release of the library or the files that hold "
            "it may have changed it; install the pinned versions, or get the files anew."
        )
    return read


@cache
def _load(name: str, device: str, part: int | None) -> Images:
    read = source(name)
    overlap = read.overlap()
    facts = identity.facts({"name": name, "subset": part})
    if part is not None:
        read = replace(read, splits={**read.splits, "train": subset(*read.splits["train"], part)})
    train, val, test = (_tensors(read, split, device) for split in SPLITS)
    background = tuple(-mean / std for mean, std in zip(read.mean, read.std, strict=True))
    return Images(facts, train, val, test, background, overlap=overlap)


def _streamed(data: Mapping[str, Any], augment: Mapping[str, Any], device: torch.device) -> Images:
    from cbablate.data.stream import MEAN, STD, Stream, evaluating, training

    found = listing(data["folder"])
    total = len(found.splits["train"])
    wanted = data.get("subset")
    if wanted is not None and not len(found.classes) <= wanted < total:
        raise StudyError(
            f"data.subset is {wanted:,}, but {found.root} has {total:,} images to train on, in "
            f"{len(found.classes):,} classes: write a number from {len(found.classes):,} to "
            f"{total - 1:,}, or leave it out to train on all"
        )
    planned = identity.content(data)
    if found.fingerprint != planned:
        raise EnvironmentFault(
            f"the images under {found.root} are not those that were planned with: their "
            f"fingerprint is {found.fingerprint}, not {planned}. Files were changed in place; "
            f"delete {location.cache() / 'digests.json'} and plan again"
        )
    files = {**found.splits, "train": found.part(wanted)}
    whole = Stream(
        root=found.root,
        files=(),
        device=device,
        evaluated=evaluating(data),
        trained=training(data, augment),
    )
    train, val, test = (replace(whole, files=files[split]) for split in SPLITS)
    train = replace(train, repeats=augment.get("repeats", 1))
    background = tuple(-mean / std for mean, std in zip(MEAN, STD, strict=True))
    return Images(identity.facts(data), train, val, test, background, streamed=True)


def _tensors(read: RawData, split: str, device: str) -> Split:
    stored, labels = read.splits[split]
    mean = torch.tensor(read.mean).view(1, -1, 1, 1)
    std = torch.tensor(read.std).view(1, -1, 1, 1)
    pixels = torch.from_numpy(stored).to(torch.float32) / read.scale
    return Split(((pixels - mean) / std).to(device), torch.from_numpy(labels).to(device))
