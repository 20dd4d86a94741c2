from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.data import images
from cbablate.data.sets import fashion_mnist
from cbablate.data.sets.idx import read_idx
from cbablate.errors import EnvironmentFault
from tests.data.files import write_fashion, write_idx


@given(shape=st.lists(st.integers(0, 4), min_size=1, max_size=3), packed=st.booleans())
def test_an_array_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, shape: list[int], packed: bool
) -> None:
    path = tmp_path_factory.mktemp("idx") / ("a.gz" if packed else "a")
    array = np.arange(int(np.prod(shape))).astype(np.uint8).reshape(shape)
    write_idx(path, array)
    assert np.array_equal(read_idx(path, len(shape)), array)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "begins with"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x02a", "should hold 2 bytes"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x02abc", "should hold 2 bytes"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x00", "begins with 00 00 0d 01"),
    ],
)
def test_a_damaged_file_is_refused_with_what_was_found(
    tmp_path: Path, raw: bytes, sentence: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(raw)
    with pytest.raises(EnvironmentFault, match=sentence):
        read_idx(path, 1)


def test_a_torn_packed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    write_idx(path, np.zeros((1000,), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(EnvironmentFault, match="get it anew"):
        read_idx(path, 1)


def test_validation_images_are_a_sixth_of_train_in_equal_classes(data_root: Path) -> None:
    write_fashion(data_root / "fashion_mnist")
    source = fashion_mnist.read()
    assert {name: len(labels) for name, (_, labels) in source.splits.items()} == {
        "train": 50,
        "val": 10,
        "test": 20,
    }
    assert sorted(source.splits["val"][1].tolist()) == list(range(10))
    assert source.overlap() == {"val": 0, "test": 0}


def test_files_of_another_content_are_refused(data_root: Path) -> None:
    write_fashion(data_root / "fashion_mnist")
    with pytest.raises(EnvironmentFault, match="expected 5011eb1524116450a862"):
        images.load("fashion_mnist")


def test_images_without_their_labels_are_refused(data_root: Path) -> None:
    folder = data_root / "fashion_mnist"
    write_fashion(folder)
    write_idx(folder / "train-labels-idx1-ubyte", np.zeros(3, dtype=np.uint8))
    with pytest.raises(EnvironmentFault, match="60 images for 'train', but 3 labels"):
        fashion_mnist.read()
