"""`Images`: a data set as tensors on the device that trains on it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import torch
from torch import Tensor

from cbablate.data.catalog import DATASETS, Dataset
from cbablate.data.source import Source
from cbablate.errors import EnvironmentFault

__all__ = ["READERS", "Images", "Split", "load"]

READERS: Mapping[str, str] = MappingProxyType({"digits": "cbablate.data.digits:read"})
"""Where each data set of the catalog is read, as `module:function`; imported when asked for."""


@dataclass(frozen=True)
class Split:
    """Images of shape (N, C, H, W), float32 and normalised, with labels of shape (N,), int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def pair(self) -> tuple[Tensor, Tensor]:
        """Images and labels."""
        return self.images, self.labels


@dataclass(frozen=True)
class Images:
    """The three splits of a data set. Shared by all trials of a process: never written to."""

    facts: Dataset
    train: Split
    val: Split
    test: Split
    background: tuple[float, ...]
    """What a pixel of value 0 is after normalisation, by channel."""


def load(name: str, device: torch.device | str = "cpu") -> Images:
    """The data set of this name, held on `device`; read and checked once in a process.

    Raises:
        EnvironmentFault: its library or files are missing, or its content is not what the
            catalog says.
        LookupError: there is no such data set.
    """
    return _load(name, str(device))


@cache
def _load(name: str, device: str) -> Images:
    if name not in READERS:
        raise LookupError(f"'{name}' is no data set; there are {', '.join(sorted(READERS))}")
    facts = DATASETS[name]
    source = _reader(name)()
    found = source.content()
    if found != facts.content:
        raise EnvironmentFault(
            f"data '{name}' is not the data this version of cbablate knows: its content is "
            f"{found}, expected {facts.content}. Another release of the library that ships it "
            "may have changed it; install the pinned versions."
        )
    splits = {split: _tensors(source, split, device) for split in ("train", "val", "test")}
    background = tuple(-mean / std for mean, std in zip(source.mean, source.std, strict=True))
    return Images(facts=facts, background=background, **splits)


def _reader(name: str) -> Callable[[], Source]:
    module, _, function = READERS[name].partition(":")
    reader: Callable[[], Source] = getattr(importlib.import_module(module), function)
    return reader


def _tensors(source: Source, split: str, device: str) -> Split:
    stored, labels = source.splits[split]
    mean = torch.tensor(source.mean).view(1, -1, 1, 1)
    std = torch.tensor(source.std).view(1, -1, 1, 1)
    pixels = torch.from_numpy(stored).to(torch.float32) / source.scale
    return Split(((pixels - mean) / std).to(device), torch.from_numpy(labels).to(device))
