from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from cbablate.cli import main
from cbablate.cli.commands import data as data_command
from cbablate.data import listing as listings
from cbablate.data.catalog import DATASETS
from cbablate.data.sets import download
from cbablate.errors import CbablateError, EnvironmentFault
from cbablate.overviews.data_overview import catalog, checked
from tests.data.files import write_cifar, write_fashion, write_folder

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "data"
    root.mkdir()
    monkeypatch.setenv("CBABLATE_DATA", str(root))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    listings._listing.cache_clear()
    return root


def test_the_list_names_every_data_set_and_where_it_lies_or_how_to_get_it(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cifar(data_root, "cifar10", monkeypatch)
    told = catalog()
    for name in DATASETS:
        assert f"{name}: " in told
    assert f"found in {data_root / 'cifar-10-batches-py'}" in told
    assert "not on this machine: cbablate data cifar100 --get" in told
    assert "3 x 32 x 32, 10 classes; train 45,000, val 5,000, test 10,000" in told


def test_a_folder_is_read_whole_and_copies_are_warned_of(data_root: Path) -> None:
    root = write_folder(data_root / "mine", parts={"train": 3, "val": 1, "test": 2})
    assert "no image of test lies in train, byte for byte" in checked("mine")
    shutil.copy(root / "train/class0/001.png", root / "test/class0/001.png")
    listings._listing.cache_clear()
    assert "WARNING: 1 images of test lie in train too, byte for byte" in checked("mine")


def test_a_data_set_is_read_whole(capsys: pytest.CaptureFixture[str]) -> None:
    data_command.data("context_task")
    told = capsys.readouterr().out
    assert f"fingerprint: {DATASETS['context_task'].content}" in told
    assert "no image of test lies in train, pixel for pixel" in told


def test_what_cannot_be_fetched_is_told(data_root: Path) -> None:
    with pytest.raises(CbablateError, match="'digits' cannot be fetched; fashion_mnist, cifar10"):
        download.get("digits")
    with pytest.raises(CbablateError, match=r"'cifar' is neither a data set \(digits, .*\) nor a"):
        checked("cifar")
    with pytest.raises(CbablateError, match="--get needs the name"):
        data_command.data(None, get=True)


def test_what_is_fetched_appears_whole_or_not_at_all(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision.datasets

    def cut_off(root: str, download: bool) -> None:
        write_fashion(Path(root) / "FashionMNIST" / "raw")
        raise RuntimeError("the line was cut")

    places = ("fashion_mnist", "FashionMNIST/raw")
    facts = dataclasses.replace(DATASETS["fashion_mnist"], places=places)
    monkeypatch.setattr(download, "DATASETS", {"fashion_mnist": facts})
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", cut_off)
    with pytest.raises(EnvironmentFault, match=r"the line was cut.*not on this machine"):
        download.get("fashion_mnist")
    assert list(data_root.iterdir()) == []

    def whole(root: str, download: bool) -> None:
        write_fashion(Path(root) / "FashionMNIST" / "raw")

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", whole)
    assert download.get("fashion_mnist") == data_root / "FashionMNIST" / "raw"
    assert [path.name for path in data_root.iterdir()] == ["FashionMNIST"]


def test_planning_on_data_that_are_not_there_ends_in_a_sentence_and_exit_code_4(
    data_root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (ROOT / "studies" / "placement-digits.yaml").read_text()
    study = tmp_path / "on_cifar.yaml"
    study.write_text(
        text.replace("{name: digits}", "{name: cifar10}")
        .replace("in_chans: 1", "in_chans: 3")
        .replace("img_size: 8", "img_size: 32")
    )
    monkeypatch.setattr("sys.argv", ["cbablate", "plan", str(study)])
    with pytest.raises(SystemExit) as left:
        main.main()
    assert left.value.code == 4
    told = capsys.readouterr().err
    assert "data 'cifar10' are not on this machine" in told
    assert "Traceback" not in told
