"""What is known of each data set without loading it: shape, classes, splits, origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cbablate.spec.choice import by_name

__all__ = ["DATASETS", "FOLDER", "NAMES", "Dataset"]

FOLDER = "folder"
"""The name of data that lie in folders of the user's own, of which no facts are known here."""


@dataclass(frozen=True)
class Dataset:
    """A data set's facts.

    `content` is the SHA-256 (first 20 digits) of its images and labels; the loader computes it
    anew and refuses data that differ, so a plan can name the data's fingerprint without reading
    them. Where it is None, the fingerprint is computed from the `files`: see `identity`.
    """

    name: str
    img_size: int
    in_chans: int
    num_classes: int
    sizes: Mapping[str, int]
    """Images by split: train, val, test."""
    content: str | None
    title: str = ""
    split: str = ""
    """How the splits were made, in words."""
    files: tuple[str, ...] = ()
    """What it lies in, by name; each may be packed as `.gz`. None: made or shipped with code."""
    places: tuple[str, ...] = ()
    """Folders that may hold the files: absolute, or under the data root (`location.root`)."""
    obtain: str = ""
    """How to get it, as the end of a sentence."""
    read: str = ""
    """What reads it, `module:function`; "" of a folder, whose images are read one by one."""
    torchvision: str = ""
    """The class of torchvision that fetches it, if one does."""
    unpacked: str = ""
    """The place of `places` where torchvision puts it under its root."""


_CARVED = "test is the official one; val is {} of train, by class and the SHA-256 of pixels"
_PATCHES = "drawn in this order, independently"
_IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
_IDX_TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

_ALL: tuple[Dataset | str, ...] = (
    Dataset(
        name="digits",
        title="Handwritten digits (scikit-learn)",
        img_size=8,
        in_chans=1,
        num_classes=10,
        sizes={"train": 1078, "val": 359, "test": 360},
        content="502a1f248de5129322ba",
        split="60/20/20 % by class and the SHA-256 of pixels",
        obtain="it lies inside scikit-learn: pip install scikit-learn",
        read="cbablate.data.sets.digits:read",
    ),
    Dataset(
        name="fashion_mnist",
        title="Fashion-MNIST",
        img_size=28,
        in_chans=1,
        num_classes=10,
        sizes={"train": 50_000, "val": 10_000, "test": 10_000},
        content="5011eb1524116450a862",
        split=_CARVED.format("10,000"),
        files=(*_IDX, *_IDX_TEST),
        places=("fashion_mnist", "FashionMNIST/raw", "/usr/share/datasets/fashion-mnist"),
        obtain="on Debian and Ubuntu: apt-get install dataset-fashion-mnist; elsewhere: "
        "cbablate data fashion_mnist --get, or its four IDX files by hand",
        read="cbablate.data.sets.fashion_mnist:read",
        torchvision="FashionMNIST",
        unpacked="FashionMNIST/raw",
    ),
    Dataset(
        name="cifar10",
        title="CIFAR-10",
        img_size=32,
        in_chans=3,
        num_classes=10,
        sizes={"train": 45_000, "val": 5_000, "test": 10_000},
        content=None,
        split=_CARVED.format("5,000"),
        files=(*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta"),
        places=("cifar-10-batches-py",),
        obtain="cbablate data cifar10 --get, or unpack cifar-10-python.tar.gz by hand",
        read="cbablate.data.sets.cifar:read_10",
        torchvision="CIFAR10",
        unpacked="cifar-10-batches-py",
    ),
    Dataset(
        name="cifar100",
        title="CIFAR-100",
        img_size=32,
        in_chans=3,
        num_classes=100,
        sizes={"train": 45_000, "val": 5_000, "test": 10_000},
        content=None,
        split=_CARVED.format("5,000"),
        files=("train", "test", "meta"),
        places=("cifar-100-python",),
        obtain="cbablate data cifar100 --get, or unpack cifar-100-python.tar.gz by hand",
        read="cbablate.data.sets.cifar:read_100",
        torchvision="CIFAR100",
        unpacked="cifar-100-python",
    ),
    FOLDER,
    Dataset(
        name="context_task",
        title="Synthetic: the class is what most patches show",
        img_size=10,
        in_chans=1,
        num_classes=2,
        sizes={"train": 2048, "val": 1024, "test": 2048},
        content="13a1de0bdd025804afa6",
        split=_PATCHES,
        obtain="it is computed where it is used",
        read="cbablate.data.sets.context_task:read",
    ),
    Dataset(
        name="context_task_twin",
        title="Synthetic: the same images, the class is what the middle patch shows",
        img_size=10,
        in_chans=1,
        num_classes=2,
        sizes={"train": 2048, "val": 1024, "test": 2048},
        content="b857dd90d18b27be5173",
        split=_PATCHES,
        obtain="it is computed where it is used",
        read="cbablate.data.sets.context_task:read_twin",
    ),
)
NAMES = tuple(one if isinstance(one, str) else one.name for one in _ALL)
"""What a study can name."""
DATASETS: Mapping[str, Dataset] = by_name(
    "data sets", [one for one in _ALL if isinstance(one, Dataset)]
)
"""Those of which the facts are known here."""
