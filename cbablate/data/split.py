"""The splits that a data set does not come with: fixed, stratified, functions of its content.

Within each class, images are ordered by the SHA-256 of their pixels (equal images keep their
order), and a split is a stretch of that order. No random number is drawn, so no library's
generator can move an image, and copies of one image lie side by side in the order.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cbablate.data.quota import quotas

__all__ = ["Labelled", "carved", "stratified", "subset"]

Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images of shape (N, C, H, W), as stored, and their classes of shape (N,)."""

_TRAIN, _VAL = 0.6, 0.2


def stratified(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[str, Labelled]:
    """Three splits by name (`train`, `val`, `test`), each ordered by class.

    The first 60 % of each class's order are for training, the next 20 % for validation, the rest
    for testing; the two counts are rounded half to even.
    """
    parts: dict[str, list[NDArray[Any]]] = {"train": [], "val": [], "test": []}
    for members in _ordered(images, labels):
        train = round(_TRAIN * len(members))
        val = train + round(_VAL * len(members))
        for name, chosen in zip(
            parts, (members[:train], members[train:val], members[val:]), strict=True
        ):
            parts[name].append(np.asarray(chosen, dtype=np.int64))
    indices = {name: np.concatenate(chosen) for name, chosen in parts.items()}
    return {name: (images[index], labels[index]) for name, index in indices.items()}


def carved(
    images: NDArray[np.uint8], labels: NDArray[np.int64], count: int
) -> tuple[Labelled, Labelled]:
    """What is left for training, and `count` images for validation: the last of each class.

    Both are ordered by class; classes keep their proportions (`quotas`).
    """
    classes = _ordered(images, labels)
    shares = quotas([len(members) for members in classes], count)
    kept, held = (
        np.asarray([i for part in parts for i in part], dtype=np.int64)
        for parts in (
            [members[: len(members) - n] for members, n in zip(classes, shares, strict=True)],
            [members[len(members) - n :] for members, n in zip(classes, shares, strict=True)],
        )
    )
    return (images[kept], labels[kept]), (images[held], labels[held])


def subset(images: NDArray[np.uint8], labels: NDArray[np.int64], count: int) -> Labelled:
    """The first of each class, `count` in all, ordered by class, in the classes' proportions."""
    classes = _ordered(images, labels)
    shares = quotas([len(members) for members in classes], count)
    index = np.asarray(
        [i for members, n in zip(classes, shares, strict=True) for i in members[:n]],
        dtype=np.int64,
    )
    return images[index], labels[index]


def _ordered(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> list[list[int]]:
    """The indices of each class, lowest class first, by the digests of their images."""
    digests = [hashlib.sha256(image.tobytes()).digest() for image in images]
    return [
        sorted(np.flatnonzero(labels == label).tolist(), key=lambda index: digests[index])
        for label in np.unique(labels)
    ]
