from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cbablate.data import listing as listings
from cbablate.data.listing import listing, outline
from cbablate.errors import EnvironmentFault
from tests.data.files import write_folder


def test_with_a_test_folder_the_splits_are_the_folders(data_root: Path) -> None:
    write_folder(data_root / "some", parts={"train": 4, "validation": 2, "test": 3})
    found = listing("some")
    assert found.classes == ("class0", "class1")
    assert {name: len(files) for name, files in found.splits.items()} == {
        "train": 8,
        "val": 4,
        "test": 6,
    }
    for name, top in (("train", "train"), ("val", "validation"), ("test", "test")):
        assert {path.split("/")[0] for path, _ in found.splits[name]} == {top}
    assert all(path.split("/")[1] == f"class{label}" for path, label in found.splits["train"])


def test_without_one_val_is_the_test_split_and_validation_is_carved_from_train(
    data_root: Path,
) -> None:
    write_folder(data_root / "some", parts={"train": 6, "val": 2})
    found = listing("some")
    assert {name: len(files) for name, files in found.splits.items()} == {
        "train": 10,
        "val": 2,
        "test": 4,
    }
    assert {path.split("/")[0] for path, _ in found.splits["test"]} == {"val"}
    assert {path.split("/")[0] for path, _ in found.splits["val"]} == {"train"}
    assert not set(found.splits["val"]) & set(found.splits["train"])
    assert "test is the folder 'val'; val is 2 of the 12 images of train" in found.split


def test_the_fingerprint_follows_names_and_sizes(data_root: Path) -> None:
    root = write_folder(data_root / "some", parts={"train": 3, "val": 1})
    first = listing("some").fingerprint
    shutil.copytree(root, data_root / "copy")
    assert listing("copy").fingerprint == first
    (data_root / "copy" / "train" / "class0" / "notes.txt").write_text("no image")
    listings._listing.cache_clear()
    assert listing("copy").fingerprint == first
    odd = data_root / "copy" / "train" / "class0" / "001.png"
    odd.write_bytes(odd.read_bytes() + b".")
    listings._listing.cache_clear()
    assert listing("copy").fingerprint != first


def test_an_outline_is_remembered_until_a_file_comes_or_goes(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_folder(data_root / "some", parts={"train": 3, "val": 1})
    first = outline("some")
    assert first.fingerprint == listing("some").fingerprint
    assert (first.classes, first.sizes) == (2, {"train": 4, "val": 2, "test": 2})
    with monkeypatch.context() as broken:
        broken.setattr(listings, "listing", lambda name: pytest.fail("listed again"))
        assert outline("some") == first
    shutil.copy(root / "val/class0/000.JPEG", root / "val/class0/009.JPEG")
    listings._listing.cache_clear()
    assert outline("some").sizes["test"] == 3


def test_copies_of_a_training_image_are_counted(data_root: Path) -> None:
    root = write_folder(data_root / "some", parts={"train": 3, "val": 1, "test": 2})
    assert listing("some").overlap() == {"val": 0, "test": 0}
    shutil.copy(root / "train/class0/001.png", root / "test/class1/001.png")
    listings._listing.cache_clear()
    assert listing("some").overlap() == {"val": 0, "test": 1}


def test_a_part_of_the_images_keeps_the_classes_in_proportion(data_root: Path) -> None:
    write_folder(data_root / "some", parts={"train": 8, "val": 1, "test": 1})
    part = listing("some").part(6)
    assert [label for _, label in part] == [0, 0, 0, 1, 1, 1]
    assert set(part) < set(listing("some").part(None))


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({}, "there is no"),
        ({"train": 1}, "must hold the folders train and val"),
        ({"val": 1, "test": 1}, "found test, val"),
    ],
)
def test_a_folder_that_lacks_a_part_is_told_with_what_it_has(
    data_root: Path, parts: dict[str, int], sentence: str
) -> None:
    write_folder(data_root / "some", parts=parts)
    with pytest.raises(EnvironmentFault, match=sentence):
        listing("some")


def test_splits_of_other_classes_and_classes_without_images_are_refused(data_root: Path) -> None:
    root = write_folder(data_root / "some", parts={"train": 1, "val": 1})
    (root / "val" / "class0").rename(root / "val" / "class9")
    with pytest.raises(EnvironmentFault, match="must hold the same classes, but 2"):
        listing("some")
    shutil.rmtree(root / "val" / "class9")
    (root / "val" / "class0").mkdir()
    with pytest.raises(EnvironmentFault, match="holds no image"):
        listing("some")
