"""`RawData`: a data set as read, before it becomes tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cbablate.data.split import Labelled

__all__ = ["RawData"]


@dataclass(frozen=True)
class RawData:
    """What a reader gives: splits in stored pixels, and how to normalise them.

    A pixel p of channel c enters a network as (p / scale - mean[c]) / std[c]; `mean` and `std`
    are constants written in the reader, taken from the training split.
    """

    splits: Mapping[str, Labelled]
    """`train`, `val`, `test`, in this order."""
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def content(self) -> str:
        """The first 20 digits of SHA-256 over names, shapes, pixels and labels of all splits."""
        digest = hashlib.sha256()
        for name, (images, labels) in self.splits.items():
            digest.update(f"{name}{images.shape}".encode())
            digest.update(np.ascontiguousarray(images, dtype=np.uint8).tobytes())
            digest.update(np.ascontiguousarray(labels, dtype="<i8").tobytes())
        return digest.hexdigest()[:20]

    def overlap(self) -> dict[str, int]:
        """How many images of `val` and of `test` lie in `train` too, pixel for pixel."""
        digests = {
            name: [hashlib.sha256(image.tobytes()).digest() for image in images]
            for name, (images, _) in self.splits.items()
        }
        trained = set(digests["train"])
        return {name: sum(d in trained for d in digests[name]) for name in ("val", "test")}
