"""Fashion-MNIST: 70,000 grey images of 28x28, clothes in 10 classes (arXiv 1708.07747).

Read from its four IDX files, wherever they lie. Test is the official one of 10,000; 10,000 of the
60,000 for training are kept for validation, 1,000 a class.
"""

from __future__ import annotations

from cbablate.data.catalog import DATASETS
from cbablate.data.location import file, where
from cbablate.data.sets.idx import read_idx
from cbablate.data.source import RawData
from cbablate.data.split import Labelled, carved
from cbablate.errors import EnvironmentFault

__all__ = ["MEAN", "STD", "read"]

MEAN = 0.2861
"""Mean of pixel / 255 over the training split."""
STD = 0.3529
"""Standard deviation of the same."""


def read() -> RawData:
    """Fashion-MNIST, split.

    Raises:
        EnvironmentFault: its files are missing or damaged.
    """
    train = _pair("train")
    kept, held = carved(*train, len(train[1]) // 6)
    splits = {"train": kept, "val": held, "test": _pair("t10k")}
    return RawData(splits=splits, scale=255.0, mean=(MEAN,), std=(STD,))


def _pair(part: str) -> Labelled:
    folder = where(DATASETS["fashion_mnist"])
    images, labels = (
        read_idx(file(folder, f"{part}-{name}") or folder / f"{part}-{name}", axes)
        for name, axes in (("images-idx3-ubyte", 3), ("labels-idx1-ubyte", 1))
    )
    if len(images) != len(labels):
        raise EnvironmentFault(
            f"{folder} holds {len(images):,} images for '{part}', but {len(labels):,} labels; "
            "get the files anew"
        )
    return images[:, None], labels.astype("int64")
