"""Tiny data sets in the formats of the real ones, written to disk."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets
from numpy.typing import NDArray
from PIL import Image


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    raw = header + array.tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def write_fashion(folder: Path, train: int = 60, test: int = 20) -> None:
    """Fashion-MNIST's four files with so few images, classes in turn; half of them packed."""
    folder.mkdir(parents=True)
    for part, count, end in (("train", train, ""), ("t10k", test, ".gz")):
        draw = np.random.RandomState(count)
        images = draw.randint(0, 256, (count, 28, 28)).astype(np.uint8)
        write_idx(folder / f"{part}-images-idx3-ubyte{end}", images)
        write_idx(
            folder / f"{part}-labels-idx1-ubyte{end}", (np.arange(count) % 10).astype(np.uint8)
        )


def write_cifar(root: Path, name: str, monkeypatch: pytest.MonkeyPatch, *, each: int = 20) -> Path:
    """CIFAR's pickles with so few images a file; torchvision is told their MD5s."""
    made = {"cifar10": torchvision.datasets.CIFAR10, "cifar100": torchvision.datasets.CIFAR100}
    cls = made[name]
    fine = name == "cifar100"
    folder = root / cls.base_folder
    folder.mkdir(parents=True)
    sums = {}
    for number, (file, _) in enumerate([*cls.train_list, *cls.test_list]):
        draw = np.random.RandomState(number)
        body = {
            "data": draw.randint(0, 256, (each, 3072)).astype(np.uint8),
            "fine_labels" if fine else "labels": [i % (100 if fine else 10) for i in range(each)],
        }
        (folder / file).write_bytes(pickle.dumps(body, protocol=2))
        sums[file] = _md5(folder / file)
    meta = folder / cls.meta["filename"]
    meta.write_bytes(pickle.dumps({cls.meta["key"]: [str(i) for i in range(100)]}, protocol=2))
    for attribute in ("train_list", "test_list"):
        known = [[file, sums[file]] for file, _ in getattr(cls, attribute)]
        monkeypatch.setattr(cls, attribute, known)
    monkeypatch.setattr(cls, "meta", {**cls.meta, "md5": _md5(meta)})
    return folder


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()  # noqa: S324 - torchvision's own sums


def write_folder(
    root: Path, *, parts: dict[str, int], classes: int = 2, size: int = 40, seed: int = 0
) -> Path:
    """Image folders with so many images a class: a class is a colour, an image has noise."""
    draw = np.random.RandomState(seed)
    for part, count in parts.items():
        for label in range(classes):
            folder = root / part / f"class{label}"
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = draw.randint(0, 80, (size, size + 8, 3))
                pixels[..., label % 3] += 160
                image = Image.fromarray(pixels.astype(np.uint8))
                image.save(folder / f"{number:03}.{'png' if number % 2 else 'JPEG'}")
    return root
