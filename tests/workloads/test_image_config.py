from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cbablate.errors import StudyError
from cbablate.models.operators.catalog import OPERATORS
from cbablate.models.places import ONCE, PLACES
from cbablate.planning.arm import arm_id
from cbablate.planning.plan import plan
from cbablate.spec.loading.load import read_study
from cbablate.workloads.catalog import describe
from cbablate.workloads.images.image_config import identity, resolve
from cbablate.workloads.images.image_metrics import revisions
from cbablate.workloads.images.model_config import Placement
from tests.workloads.images import TINY, tiny

ROOT = Path(__file__).parent.parent.parent


def test_the_options_a_study_can_write_are_those_that_operators_take() -> None:
    taken = {name for row in OPERATORS.values() for name in row.names}
    assert set(Placement.model_fields) - {"operator", "place", "blocks"} == taken
    assert set(PLACES) > ONCE


def test_placements_of_old_resolve_to_what_they_always_did() -> None:
    cb = {"operator": "cb", "place": "mlp.end"}
    assert tiny({"context": cb})["context"] == [{**cb, "blocks": "all"}]


def test_arms_of_old_keep_their_identity() -> None:
    file = read_study(str(ROOT / "studies" / "placement-digits.yaml"), describe)
    assert {arm.name: arm.id for arm in plan(file.study, file.description).arms} == {
        "none": "4e81a71529b874b461df",
        "MLP front": "7e85917c95ceb7d69423",
        "MLP middle": "2df51a44d205dc8ae5e1",
        "MLP end": "da4441c694e48742e919",
        "after attention": "5a1a6eed22bbecc5a529",
        "halving only, MLP end": "550b60319a41a724cf01",
    }


@pytest.mark.parametrize(
    ("changes", "revised"),
    [
        ({}, set()),
        ({"context": {"operator": "cb"}}, set()),
        ({"context": {"operator": "random_tokens"}}, set()),
        ({"context": {"operator": "noise"}}, {"evaluation"}),
        ({"context": [{"operator": "cb"}, {"operator": "other_image"}]}, {"evaluation"}),
        ({"probes": ["entropy", "distance", "maps", "alignment", "shuffle"]}, set()),
        ({"probes": ["curvature"]}, {"curvature"}),
        ({"probes": ["occlusion"]}, set()),
        ({"probes": ["occlusion"], "model.name": "deit3_small_patch16_224"}, set()),
        ({"probes": ["occlusion"], "model.patch_size": 3, "model.img_size": None}, {"occlusion"}),
        ({"probes": ["occlusion"], "model.name": "vit_relpos_small_patch16_224"}, {"occlusion"}),
        ({"probes": ["occlusion"], "model.name": "swin_tiny_patch4_window7_224"}, {"occlusion"}),
        ({"probes": ["occlusion"], "model.name": "resnet10t"}, {"occlusion"}),
    ],
)
def test_only_what_was_measured_wrongly_is_another_trial(
    changes: dict[str, Any], revised: set[str]
) -> None:
    config = tiny(changes)
    whole = identity(config)
    assert set(whole.get("revisions", {})) == revised
    assert {key: value for key, value in whole.items() if key != "revisions"} == config


def test_hybrids_are_those_of_timm() -> None:
    from timm.models._registry import _model_to_module

    config = tiny({"probes": ["distance"]})
    for name, module in _model_to_module.items():
        revised = revisions({**config, "model": {**config["model"], "name": name}})
        assert (revised == {"distance": 2}) == (module == "vision_transformer_hybrid"), name


def test_models_whose_occlusion_is_what_it_was_are_of_the_classes_whose_patches_were_known() -> (
    None
):
    """timm's names alone decide it, where no library may be imported."""
    from timm.models._registry import _model_to_module

    config = tiny({"probes": ["occlusion"]})
    kept = {
        module
        for name, module in _model_to_module.items()
        if not revisions({**config, "model": {**config["model"], "name": name}})
    }
    assert kept == {"vision_transformer", "deit", "beit", "eva"}


def test_a_config_that_asks_for_no_probes_is_what_it_was_before_there_were_any() -> None:
    assert "probes" not in tiny()
    assert tiny({"probes": []}) == tiny()


def test_a_config_without_an_average_of_weights_is_what_it_was_before_there_was_one() -> None:
    assert not {"model_ema", "model_ema_decay"} & set(tiny())
    assert tiny({"model_ema": False}) == tiny()
    assert tiny({"model_ema": False, "model_ema_decay": 0.9}) == tiny()  # a level that turns it off
    assert tiny({"model_ema": True}) == tiny({"model_ema": True, "model_ema_decay": 0.9998})
    with pytest.raises(ValidationError, match="write model_ema: true beside it"):
        tiny({"model_ema_decay": 0.9})
    with pytest.raises(ValidationError, match="less than 1"):
        tiny({"model_ema": True, "model_ema_decay": 1.0})


def test_probes_are_asked_for_in_any_order_and_once() -> None:
    one = tiny({"probes": ["jacobian", "entropy"]})
    assert one == tiny({"probes": ["entropy", "jacobian"]})
    assert one["probes"] == ["entropy", "jacobian"]
    with pytest.raises(ValidationError, match="listed twice"):
        tiny({"probes": ["entropy", "entropy"]})


def test_a_metric_whose_probe_is_not_asked_for_is_a_fault_where_it_stands(tmp_path: Path) -> None:
    text = (ROOT / "studies" / "placement-digits.yaml").read_text()
    text = text.replace("test/top1, attention/entropy,", "test/top1, attention/distance,")
    path = tmp_path / "far.yaml"
    path.write_text(text)
    file = read_study(path, describe)
    with pytest.raises(StudyError) as raised:
        plan(file.study, file.description)
    told = str(file.located(raised.value))
    line = next(n for n, each in enumerate(text.splitlines(), 1) if each.startswith("report:"))
    assert told.startswith(f"{path}:{line}:21: report[1]: ")
    assert "does not measure 'attention/distance'" in told
    assert "write `probes: [distance]` in the baseline" in told
    path.write_text(text.replace("batch_size: 32", "batch_size: 32\n  probes: [distance]"))
    file = read_study(path, describe)
    asked = plan(file.study, file.description)
    assert all(arm.config["probes"] == ["distance"] for arm in asked.arms)


def test_an_arm_that_drops_a_probe_is_named(tmp_path: Path) -> None:
    text = (ROOT / "studies" / "placement-digits.yaml").read_text()
    text = text.replace("test/top1, attention/entropy,", "test/top1, attention/distance,")
    text = text.replace("batch_size: 32", "batch_size: 32\n  probes: [distance, share]")
    text = text.replace("place: mlp.mid}", "place: mlp.mid}, probes: [share]")
    path = tmp_path / "far.yaml"
    path.write_text(text)
    file = read_study(path, describe)
    with pytest.raises(StudyError) as raised:
        plan(file.study, file.description)
    assert "arm 'MLP middle' does not measure" in str(file.located(raised.value))


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_defaults_that_are_written_are_the_same_context(operator: str) -> None:
    row = OPERATORS[operator]
    needed = {"operator": operator, **dict.fromkeys(row.needs, 1)}
    written = {**needed, **row.defaults}
    assert tiny({"context": written})["context"] == tiny({"context": needed})["context"]


def test_options_that_are_no_defaults_stay_as_written() -> None:
    said = {"operator": "cb_s", "form": "outer", "over": "patches", "detach": True}
    where = {"place": "block.end", "blocks": "last 50%"}
    assert tiny({"context": {**said, **where}})["context"] == [{**said, **where}]


def test_reading_a_config_imports_no_library_that_trains() -> None:
    code = (
        "import sys, cbablate.workloads.images.image_config;"
        "import cbablate.workloads.images.image_metrics;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'timm', 'numpy', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_folders_defaults_are_filled_in_and_digits_have_none() -> None:
    written = {"data": {"name": "folder", "folder": "a"}, "model.in_chans": 3}
    assert tiny({**written, "model.img_size": 224})["data"] == {
        "name": "folder",
        "folder": "a",
        "img_size": 224,
        "crop_pct": 0.875,
        "interpolation": "bicubic",
    }
    assert tiny()["data"] == {"name": "digits"}


def test_a_subset_is_part_of_an_arms_identity_and_where_data_lie_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    description = describe("image_classification", tmp_path)
    whole = arm_id(tiny(), description)
    assert arm_id(tiny({"data.subset": 100}), description) != whole
    monkeypatch.setenv("CBABLATE_DATA", str(tmp_path))
    assert arm_id(tiny(), description) == whole


def test_resolving_twice_changes_nothing() -> None:
    once = tiny({"context": {"operator": "cb", "blocks": [1, 0]}})
    assert resolve(once) == once


@pytest.mark.parametrize("written", [None, "none", []])
def test_no_context_can_be_written_in_three_ways(written: Any) -> None:
    assert tiny({"context": written})["context"] == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model.num_heads": 3}, "not a multiple of num_heads 3"),
        ({"model.patch_size": 3}, "not a multiple of patch_size 3"),
        ({"model.img_size": 16}, "images of 'digits' have 8"),
        ({"model.in_chans": 3}, "images of 'digits' have 1"),
        ({"data.subset": 9}, "write a number from 10 to 1,077"),
        ({"data.subset": 1078}, "leave it out to train on all"),
        ({"data.folder": "a"}, "'folder' goes with name: folder, not with 'digits'"),
        ({"data.img_size": 8}, "'img_size' goes with name: folder"),
        ({"data": {"name": "folder"}}, "needs 'folder' to be said"),
        ({"data": {"name": "folder", "folder": "/data/a"}}, "a place on one machine"),
        ({"data": {"name": "folder", "folder": "a/../../b"}}, "a place on one machine"),
        ({"data": {"name": "folder", "folder": "a"}}, "images of 'folder' have 224"),
        ({"augment.auto_augment": "rand-m9"}, "augment.auto_augment is for images that are read"),
        ({"augment.repeats": 3}, "augment.repeats is for images that are read"),
        ({"augment.mixup": 0.8, "batch_size": 63}, "batch_size 63 must be even"),
        ({"schedule.warmup_lr": 1.0}, "above optimizer.lr 0.002"),
        ({"schedule.min_lr": 1.0}, "above optimizer.lr 0.002"),
        ({"context": {"operator": "cb", "blocks": "some"}}, "write all, first K"),
        ({"context": {"operator": "cb", "blocks": "first 0"}}, "write all, first K"),
        ({"context": {"operator": "cb", "blocks": []}}, "empty list"),
        ({"context": {"operator": "cb", "blocks": [0, 0]}}, "names a block twice"),
        ({"context": {"operator": "cb", "blocks": [-1]}}, "count from 0"),
        ({"context": "cb"}, "cannot be read as a placement"),
        ({"context": {"operator": "halve", "alpha": 0.5}}, "'alpha': it takes no options"),
        ({"context": {"operator": "cb", "alpha": 0.5}}, "'alpha': it takes over, detach"),
        ({"context": {"operator": "cls", "over": "patches"}}, "'over': it takes detach"),
        ({"context": {"operator": "mix"}}, "needs 'alpha' to be said"),
        ({"context": {"operator": "local"}}, "needs 'radius' to be said"),
        ({"context": {"operator": "regions"}}, "needs 'grid' to be said"),
        ({"context": {"operator": "mix", "alpha": 1.5}}, "less than or equal to 1"),
        ({"context": {"operator": "cb", "place": "head.front", "blocks": "first 1"}}, "once"),
        ({"context": {"operator": "cb", "place": "embed.end", "blocks": [0]}}, "leave out blocks"),
        ({"context": {"operator": "cb", "blocks": "every 50%"}}, "first P%"),
        ({"model.checkpoint": "gone.pt"}, "checkpoint 'gone.pt' cannot be read: No such file"),
        ({"model.checkpoint": "weights.npz"}, "a name ends in .safetensors"),
        (
            {"model.checkpoint": {"path": "a.pt", "sha256": "0" * 20}, "model.pretrained": True},
            "both",
        ),
        ({"model.depths": []}, "at least 1 item"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        tiny(changes)
    assert sentence in str(raised.value)


@given(st.sampled_from(sorted(TINY["model"])))
def test_a_misspelt_model_key_is_refused(key: str) -> None:
    with pytest.raises(ValidationError):
        tiny({f"model.{key}x": 1})
