"""A folder of image folders: which files it holds, how they are split, and its fingerprint.

The layout is ImageNet's: `train/<class>/<image>`, `val/<class>/<image>` and, if there is one,
`test/<class>/<image>`; `validation` may stand for `val`. With `test`, the three splits are the
three folders. Without, `val` is what one reports on, as is usual for ImageNet, so it is the test
split, and one in a hundred images of `train` is kept for validation: the test split is never
selected on. Which ones, the SHA-256 of their paths decides, class by class.

No image is opened to do so. The fingerprint is over the files' paths and sizes: contents of a
million files would take longer to read than a plan may take, and a compressed image that is
changed rarely keeps its size. A plan takes the fingerprint that is remembered as long as no
folder's time changes; who reads the images lists them anew, and refuses other files than were
planned with.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cbablate.data import location
from cbablate.data.digest import remembered
from cbablate.data.quota import quotas
from cbablate.errors import EnvironmentFault

__all__ = ["ENDINGS", "FolderOutline", "Listing", "listing", "outline"]

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp", ".tif", ".tiff")
_CARVED = 100
"""One image in so many is kept for validation where there is no test folder."""


@dataclass(frozen=True)
class FolderOutline:
    """What a plan needs to know of a folder."""

    root: Path
    classes: int
    sizes: Mapping[str, int]
    """Images by split."""
    fingerprint: str
    split: str
    """How the splits were made, in words."""


@dataclass(frozen=True)
class Listing:
    """The images of a folder: paths relative to `root` with their classes, by split."""

    root: Path
    classes: tuple[str, ...]
    splits: Mapping[str, tuple[tuple[str, int], ...]]
    fingerprint: str
    split: str
    """How the splits were made, in words."""

    def part(self, count: int | None) -> tuple[tuple[str, int], ...]:
        """The images to train on; with `count`, the first of each class by the SHA-256 of their
        paths, so many in all, in the classes' proportions."""
        files = self.splits["train"]
        if count is None:
            return files
        kinds: list[list[tuple[str, int]]] = [[] for _ in self.classes]
        for path, label in files:
            kinds[label].append((path, label))
        shares = quotas([len(kind) for kind in kinds], count)
        return tuple(
            image
            for kind, share in zip(kinds, shares, strict=True)
            for image in sorted(kind, key=lambda image: _order(image[0]))[:share]
        )

    def overlap(self) -> dict[str, int]:
        """How many files of `val` and of `test` lie in `train` too, byte for byte.

        Only files of a size that `train` has are read, which still is many of a large folder.
        """
        sizes: dict[int, list[str]] = {}
        for path, _ in self.splits["train"]:
            sizes.setdefault((self.root / path).stat().st_size, []).append(path)
        digests: dict[int, set[bytes]] = {}
        found = {}
        for name in ("val", "test"):
            found[name] = 0
            for path, _ in self.splits[name]:
                size = (self.root / path).stat().st_size
                if size in sizes and size not in digests:
                    digests[size] = {_content(self.root / same) for same in sizes[size]}
                found[name] += size in sizes and _content(self.root / path) in digests[size]
        return found


def outline(name: str) -> FolderOutline:
    """The outline of the folder of this name, remembered as long as no folder in it changes.

    Raises:
        EnvironmentFault: as `listing` says.
    """
    root = location.root() / name
    tops = [root / _named(root, part) for part in _parts(root, name)]
    folders = [root, *(p for top in tops for p in (top, *sorted(top.iterdir())) if p.is_dir())]

    def read() -> str:
        found = listing(name)
        sizes = {part: len(files) for part, files in found.splits.items()}
        return json.dumps([len(found.classes), sizes, found.fingerprint, found.split])

    classes, sizes, fingerprint, split = json.loads(remembered(folders, read, of="outline 1"))
    return FolderOutline(root, classes, sizes, fingerprint, split)


def listing(name: str) -> Listing:
    """The images of the folder of this name under the data root; looked up once in a process.

    Raises:
        EnvironmentFault: it is not there, holds no classes of images, or its splits do not have
            the same classes.
    """
    return _listing(location.root(), name)


@lru_cache(maxsize=8)
def _listing(base: Path, name: str) -> Listing:
    root = base / name
    parts = {part: _part(root, part) for part in _parts(root, name)}
    classes = tuple(parts["train"])
    for part, members in parts.items():
        if tuple(members) != classes:
            odd = sorted(set(members) ^ set(classes))
            raise EnvironmentFault(
                f"{root}: '{part}' and 'train' must hold the same classes, but {len(odd)} are in "
                f"one only, '{odd[0]}' for one"
            )
    digest = hashlib.sha256()
    for part, members in parts.items():
        for kind, files in members.items():
            for file, size in files:
                digest.update(f"{part}/{kind}/{file}\0{size}\0".encode("utf-8", "surrogateescape"))
    found = {
        part: [
            [f"{_named(root, part)}/{kind}/{file}" for file, _ in files]
            for kind, files in members.items()
        ]
        for part, members in parts.items()
    }
    splits, words = _split(found)
    return Listing(
        root=root,
        classes=classes,
        splits={
            part: tuple((path, label) for label, paths in enumerate(kinds) for path in paths)
            for part, kinds in splits.items()
        },
        fingerprint=digest.hexdigest()[:20],
        split=words,
    )


def _parts(root: Path, name: str) -> list[str]:
    """Which of train, val and test there are."""
    if not root.is_dir():
        raise EnvironmentFault(
            f"data folder '{name}' is not on this machine: there is no {root}. Put it there, or a "
            f"link to it, or say in the environment variable {location.VARIABLE} which folder "
            "holds it"
        )
    parts = [part for part in ("train", "val", "test") if (root / _named(root, part)).is_dir()]
    if "train" not in parts or len(parts) == 1:
        raise EnvironmentFault(
            f"{root} must hold the folders train and val, and may hold test, each with a folder a "
            f"class; found {', '.join(sorted(p.name for p in root.iterdir())[:10]) or 'nothing'}"
        )
    return parts


def _named(root: Path, part: str) -> str:
    other = part == "val" and not (root / "val").is_dir()
    return "validation" if other else part


def _part(root: Path, part: str) -> dict[str, list[tuple[str, int]]]:
    """File names with sizes by class, all in the order of their names."""
    folder = root / _named(root, part)
    found: dict[str, list[tuple[str, int]]] = {}
    with os.scandir(folder) as classes:
        kinds = sorted(e.name for e in classes if e.is_dir() and not e.name.startswith("."))
    for kind in kinds:
        with os.scandir(folder / kind) as files:
            found[kind] = sorted(
                (entry.name, entry.stat().st_size)
                for entry in files
                if entry.name.lower().endswith(ENDINGS) and entry.is_file()
            )
        if not found[kind]:
            raise EnvironmentFault(
                f"{folder / kind} holds no image ({', '.join(ENDINGS)}): every class of '{part}' "
                "needs one"
            )
    if not found:
        raise EnvironmentFault(f"{folder} holds no folder: each class is one")
    return found


def _split(parts: Mapping[str, list[list[str]]]) -> tuple[dict[str, list[list[str]]], str]:
    """Train, val and test by class, and how they were made in words."""
    if len(parts) == 3:
        return dict(parts), "train, val and test are the folders of these names"
    train = [sorted(paths, key=_order) for paths in parts["train"]]
    total = sum(map(len, train))
    count = max(total // _CARVED, min(len(train), total // 2))
    shares = quotas([len(paths) for paths in train], count)
    held = "test" if "test" in parts else "val"
    splits = {
        "train": [paths[: len(paths) - n] for paths, n in zip(train, shares, strict=True)],
        "val": [paths[len(paths) - n :] for paths, n in zip(train, shares, strict=True)],
        "test": parts[held],
    }
    return splits, (
        f"test is the folder '{held}'; val is {count:,} of the {total:,} images of train, by class "
        "and the SHA-256 of their paths"
    )


def _content(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _order(path: str) -> bytes:
    return hashlib.sha256(path.partition("/")[2].encode("utf-8", "surrogateescape")).digest()
