from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from cbablate.data import identity, images
from cbablate.errors import EnvironmentFault
from tests.data.files import write_cifar


@pytest.mark.parametrize(("name", "train"), [("cifar10", 90), ("cifar100", 18)])
def test_pickles_are_read_split_and_normalised(
    data_root: Path, monkeypatch: pytest.MonkeyPatch, name: str, train: int
) -> None:
    write_cifar(data_root, name, monkeypatch)
    loaded = images.load(name)
    assert len(loaded.train) == train
    assert len(loaded.train) + len(loaded.val) == (100 if name == "cifar10" else 20)
    assert len(loaded.test) == 20
    batch, labels = (each[:4] for each in loaded.test.held(4).pair)
    raw = np.random.RandomState(5 if name == "cifar10" else 1).randint(0, 256, (20, 3072))
    mean, std = (
        ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
        if name == "cifar10"
        else ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))
    )
    pixels = torch.from_numpy(raw[:4].reshape(4, 3, 32, 32)) / 255
    expected = (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    assert torch.allclose(batch, expected, atol=1e-5)
    assert labels.tolist() == [0, 1, 2, 3]


def test_files_with_another_checksum_are_refused(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_cifar(data_root, "cifar10", monkeypatch)
    (folder / "data_batch_3").write_bytes(b"other")
    with pytest.raises(EnvironmentFault, match="cannot be read by torchvision"):
        images.load("cifar10")


def test_the_fingerprint_follows_the_content_and_not_the_place(
    data_root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = write_cifar(data_root, "cifar10", monkeypatch)
    before = identity.content({"name": "cifar10"})
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    folder.rename(moved / folder.name)
    monkeypatch.setenv("CBABLATE_DATA", str(moved))
    assert identity.content({"name": "cifar10"}) == before
    changed = moved / folder.name / "test_batch"
    changed.write_bytes(changed.read_bytes() + b".")
    assert identity.content({"name": "cifar10"}) != before


def test_a_fingerprint_is_remembered_until_a_file_changes(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_cifar(data_root, "cifar100", monkeypatch)
    first = identity.content({"name": "cifar100"})
    path = folder / "test"
    status, raw = path.stat(), path.read_bytes()
    path.write_bytes(raw[:-1] + b"!")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert identity.content({"name": "cifar100"}) == first
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert identity.content({"name": "cifar100"}) != first


@pytest.mark.parametrize("book", [b"{", b"[]", b"\xff"])
def test_a_damaged_memory_of_fingerprints_costs_nothing_but_time(
    data_root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, book: bytes
) -> None:
    write_cifar(data_root, "cifar100", monkeypatch)
    first = identity.content({"name": "cifar100"})
    (tmp_path / "cache" / "cbablate" / "digests.json").write_bytes(book)
    assert identity.content({"name": "cifar100"}) == first


def test_data_that_are_not_there_are_missed_in_a_sentence(data_root: Path) -> None:
    with pytest.raises(EnvironmentFault) as raised:
        identity.content({"name": "cifar10"})
    assert str(data_root / "cifar-10-batches-py") in str(raised.value)
    assert "cbablate data cifar10 --get" in str(raised.value)
    assert raised.value.exit_code == 4
