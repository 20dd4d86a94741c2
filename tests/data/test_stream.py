from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cbablate.data import listing as listings
from cbablate.data.images import Images, opened
from cbablate.data.stream import training
from cbablate.errors import EnvironmentFault, StudyError
from cbablate.planning.evaluation import evaluation_batches
from cbablate.spec.budget import Budget
from cbablate.workloads.images.image_classification import run, verify
from cbablate.workloads.images.image_config import resolve
from tests.data.files import write_folder

RECIPE = {
    "auto_augment": "rand-m9-mstd0.5-inc1",
    "color_jitter": 0.3,
    "reprob": 0.25,
    "mixup": 0.8,
    "cutmix": 1.0,
    "smoothing": 0.1,
}


@pytest.fixture
def folder(data_root: Path) -> Path:
    listings._listing.cache_clear()
    return write_folder(data_root / "some", parts={"train": 9, "val": 3, "test": 2})


def config(**changes: Any) -> dict[str, Any]:
    return resolve(
        {
            "data": {"name": "folder", "folder": "some", "img_size": 16, **changes.pop("data", {})},
            "model": {
                "name": "vit_tiny_patch16_224",
                "img_size": 16,
                "patch_size": 8,
                "embed_dim": 8,
                "depth": 1,
                "num_heads": 1,
            },
            "optimizer": {"name": "adamw", "lr": 1e-3},
            "batch_size": 4,
            **changes,
        }
    )


def _epoch(images: Images, *, seed: int = 1, epoch: int = 0, batch: int = 4) -> torch.Tensor:
    count = len(images.train) // batch
    found = list(images.train.epoch(batch, count=count, seed=seed, epoch=epoch))
    assert [len(labels) for _, labels in found] == [batch] * count
    return torch.cat([batch for batch, _ in found])


def test_what_is_read_follows_the_seed_and_the_epoch_and_not_the_readers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = opened(config(augment=RECIPE))
    monkeypatch.setenv("CBABLATE_WORKERS", "0")
    alone = _epoch(images)
    torch.rand(3), random.random(), np.random.rand()
    assert torch.equal(_epoch(images), alone)
    assert not torch.equal(_epoch(images, seed=2), alone)
    assert not torch.equal(_epoch(images, epoch=1), alone)
    monkeypatch.setenv("CBABLATE_WORKERS", "2")
    assert torch.equal(_epoch(images), alone)


def test_reading_draws_no_number_of_the_trial(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = opened(config(augment=RECIPE))
    states = (torch.default_generator.get_state(), random.getstate(), np.random.get_state()[1])
    for readers in ("0", "2"):
        monkeypatch.setenv("CBABLATE_WORKERS", readers)
        assert len(list(images.val.in_order(2))) == 3
        _epoch(images)
        assert torch.equal(torch.default_generator.get_state(), states[0])
        assert random.getstate() == states[1]
        assert np.array_equal(np.random.get_state()[1], states[2])


def test_evaluation_sees_every_image_once_and_never_augmented(folder: Path) -> None:
    images = opened(config(augment=RECIPE))
    batches = list(images.test.in_order(3))
    assert [len(labels) for _, labels in batches] == [2, 2]
    again = list(opened(config()).test.in_order(3))
    for (one, labels), (other, same) in zip(batches, again, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(labels, same)
    labels = torch.cat([labels for _, labels in batches])
    (order,) = evaluation_batches(4, 4)
    assert labels[torch.tensor(order).argsort()].tolist() == [0, 0, 1, 1]


def test_a_folder_is_not_evaluated_class_by_class(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings._listing.cache_clear()
    write_folder(data_root / "some", parts={"train": 40, "val": 1, "test": 1})
    for readers in ("0", "2"):
        monkeypatch.setenv("CBABLATE_WORKERS", readers)
        read = list(opened(config()).train.in_order(16))
        assert [len(labels) for _, labels in read] == [16] * 5
        assert all(4 <= int(labels.sum()) <= 12 for _, labels in read)
        labels = torch.cat([labels for _, labels in read])
        assert 0.3 < float((labels[1:] == labels[:-1]).double().mean()) < 0.7


def test_a_class_is_its_colour_after_normalisation(folder: Path) -> None:
    pixels, labels = next(iter(opened(config()).test.in_order(4)))
    assert pixels.shape == (4, 3, 16, 16)
    assert pixels.mean(dim=(2, 3)).argmax(dim=1).tolist() == labels.tolist()


def test_repeated_augmentation_shows_fewer_images_more_often(folder: Path) -> None:
    plain = {"scale": [1.0, 1.0], "hflip": 0.0}
    images = opened(config(augment={**plain, "repeats": 3}))
    read = list(images.train.epoch(6, count=3, seed=0, epoch=0))
    assert sum(len(labels) for _, labels in read) == len(images.train) == 18
    for _, labels in read:
        assert labels[:3].unique().numel() == labels[3:].unique().numel() == 1
    varied = opened(config(augment={"repeats": 3}))
    first = next(iter(varied.train.epoch(6, count=1, seed=0, epoch=0)))[0]
    assert not torch.equal(first[0], first[1])


def test_another_image_is_refused_where_an_images_neighbours_are_itself(folder: Path) -> None:
    configs = {
        operator: config(context={"operator": operator}, augment={"repeats": 3})
        for operator in ("other_image", "noise")
    }
    told = verify(configs)
    assert list(told) == ["other_image"]
    assert "repeats: 3" in told["other_image"][0]


@pytest.mark.parametrize(
    ("policy", "used"), [(None, True), ("3a", True), ("rand-m9-mstd0.5-inc1", False)]
)
def test_colours_are_jittered_beside_no_policy_but_3a(policy: str | None, used: bool) -> None:
    made = training(config()["data"], {"auto_augment": policy, "color_jitter": 0.3})
    kinds = [type(step).__name__ for step in made.transforms]  # type: ignore[attr-defined]  # Compose
    assert ("ColorJitter" in kinds) == used


def test_probes_and_training_accuracy_look_at_so_many_of_a_stream_and_every_class(
    folder: Path,
) -> None:
    images = opened(config())
    assert len(images.fitted) == len(images.val) == 6
    assert len(images.probed) == 6
    few = images.train.held(4)
    assert few.labels.tolist() == [0, 0, 1, 1]


def test_an_image_that_cannot_be_read_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = folder / "test" / "class1" / "001.png"
    bad.write_bytes(b"no image")
    for readers in ("0", "1"):
        monkeypatch.setenv("CBABLATE_WORKERS", readers)
        with pytest.raises(EnvironmentFault, match=r"image .*class1/001.png cannot be read") as e:
            list(opened(config()).test.in_order(2))
        assert "Traceback" not in str(e.value)


def test_a_folder_trains_the_same_from_the_same_seed(folder: Path, tmp_path: Path) -> None:
    whole = config(augment={**RECIPE, "repeats": 2, "shift": 1}, data={"subset": 12})
    told = [
        [
            {k: v for k, v in m.metrics.items() if k not in ("seconds", "images_per_second")}
            for m in run(whole, seed=3, budget=Budget(steps=3), workdir=tmp_path)
        ]
        for _ in range(2)
    ]
    assert told[0] == told[1]
    assert set(told[0][-1]) >= {"test/top1", "train/top1", "val/top1", "attention/entropy"}


@pytest.mark.parametrize("count", [1, 18])
def test_a_subset_of_all_images_or_of_fewer_than_classes_is_refused(
    folder: Path, count: int
) -> None:
    with pytest.raises(StudyError, match="18 images to train on, in 2 classes"):
        opened(config(data={"subset": count}))


def test_a_policy_that_timm_does_not_know_is_told_of_its_arm_before_anything_trains(
    folder: Path,
) -> None:
    told = verify({"odd": config(augment={"auto_augment": "odd"}), "good": config()})
    assert list(told) == ["odd"]
    assert "auto_augment 'odd'" in told["odd"][0]


def test_files_changed_behind_a_plans_back_are_refused(folder: Path) -> None:
    opened(config())
    odd = folder / "train" / "class0" / "001.png"
    odd.write_bytes(odd.read_bytes() + b".")
    listings._listing.cache_clear()
    with pytest.raises(EnvironmentFault, match="not those that were planned with"):
        opened(config())


def test_readers_are_a_whole_number(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CBABLATE_WORKERS", "some")
    with pytest.raises(EnvironmentFault, match="CBABLATE_WORKERS is 'some'"):
        list(opened(config()).val.in_order(2))
