"""CIFAR-10 and CIFAR-100: 60,000 colour images of 32x32 (Krizhevsky, 2009).

torchvision reads them, and refuses files whose MD5 is not the published one. Test is the official
one of 10,000; a tenth of the images for training is kept for validation.
"""

from __future__ import annotations

import numpy as np

from cbablate.data.catalog import DATASETS
from cbablate.data.location import where
from cbablate.data.source import RawData
from cbablate.data.split import Labelled, carved
from cbablate.errors import EnvironmentFault

__all__ = ["read_10", "read_100"]


def read_10() -> RawData:
    """CIFAR-10, split; mean and spread are those of all its images for training.

    Raises:
        EnvironmentFault: its files are missing or damaged.
    """
    return _read("cifar10", mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616))


def read_100() -> RawData:
    """CIFAR-100 by its 100 fine classes, split; mean and spread as for CIFAR-10.

    Raises:
        EnvironmentFault: its files are missing or damaged.
    """
    return _read("cifar100", mean=(0.5071, 0.4865, 0.4409), std=(0.2673, 0.2564, 0.2762))


def _read(name: str, *, mean: tuple[float, ...], std: tuple[float, ...]) -> RawData:
    train = _part(name, train=True)
    kept, held = carved(*train, len(train[1]) // 10)
    splits = {"train": kept, "val": held, "test": _part(name, train=False)}
    return RawData(splits=splits, scale=255.0, mean=mean, std=std)


def _part(name: str, *, train: bool) -> Labelled:
    from torchvision.datasets import CIFAR10, CIFAR100

    folder = where(DATASETS[name])
    try:
        part = {"cifar10": CIFAR10, "cifar100": CIFAR100}[name](folder.parent, train=train)
    except (OSError, RuntimeError, ValueError, KeyError, EOFError) as error:
        raise EnvironmentFault(
            f"data '{name}' in {folder} cannot be read by torchvision ({error}); get them anew: "
            f"{DATASETS[name].obtain}"
        ) from error
    images = np.ascontiguousarray(np.asarray(part.data, dtype=np.uint8).transpose(0, 3, 1, 2))
    return images, np.asarray(part.targets, dtype=np.int64)
