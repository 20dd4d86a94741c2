"""The split of a data set that comes without one: fixed, stratified, and a function of its content.

Within each class, images are ordered by the SHA-256 of their pixels (equal images keep their
order). The first 60 % of that order are for training, the next 20 % for validation, the rest for
testing; the two counts are rounded half to even. No random number is drawn, so no library's
generator can move an image, and copies of one image lie side by side in the order.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Labelled", "stratified"]

Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images of shape (N, C, H, W), as stored, and their classes of shape (N,)."""

_TRAIN, _VAL = 0.6, 0.2


def stratified(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[str, Labelled]:
    """The three splits by name (`train`, `val`, `test`), each ordered by class."""
    parts: dict[str, list[NDArray[Any]]] = {"train": [], "val": [], "test": []}
    digests = [hashlib.sha256(image.tobytes()).digest() for image in images]
    for label in np.unique(labels):
        members = sorted(np.flatnonzero(labels == label), key=lambda index: digests[index])
        train = round(_TRAIN * len(members))
        val = train + round(_VAL * len(members))
        for name, chosen in zip(
            parts, (members[:train], members[train:val], members[val:]), strict=True
        ):
            parts[name].append(np.asarray(chosen, dtype=np.int64))
    indices = {name: np.concatenate(chosen) for name, chosen in parts.items()}
    return {name: (images[index], labels[index]) for name, index in indices.items()}
