from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cbablate.errors import EnvironmentFault, StudyError
from cbablate.models import weights
from cbablate.models.building import build
from cbablate.models.checkpoint_file import content
from cbablate.models.verification import InputShape, examine
from tests.workloads.images import TINY, tiny

VIT = {**TINY["model"]}


def built(checkpoint: Path, *, classes: int = 10, **model: Any) -> nn.Module:
    keys = {
        **VIT,
        **model,
        "checkpoint": {"path": str(checkpoint), "sha256": content(str(checkpoint))},
    }
    return build({"model": keys, "context": [{"operator": "cb_s"}]}, seed=0, num_classes=classes)


@pytest.fixture
def other() -> dict[str, torch.Tensor]:
    return dict(build({"model": VIT}, seed=9, num_classes=10).state_dict())


@pytest.mark.parametrize("form", ["plain.pt", "wrapped.pth", "tensors.safetensors"])
def test_a_checkpoint_gives_every_weight_bit_for_bit(
    tmp_path: Path, other: dict[str, torch.Tensor], form: str
) -> None:
    if form.endswith("safetensors"):
        save_file(other, tmp_path / form)
    else:
        torch.save(
            {"model": other, "epoch": 3} if form == "wrapped.pth" else other, tmp_path / form
        )
    model = built(tmp_path / form)
    loaded = model.state_dict()
    assert [name for name, tensor in other.items() if not torch.equal(loaded[name], tensor)] == []
    assert "left as drawn" not in weights.report(model)


def test_a_head_of_another_number_of_classes_starts_fresh_and_is_said(
    tmp_path: Path, other: dict[str, torch.Tensor]
) -> None:
    torch.save(other, tmp_path / "ten.pt")
    model = built(tmp_path / "ten.pt", classes=3)
    fresh = build({"model": VIT}, seed=0, num_classes=3).state_dict()
    loaded = model.state_dict()
    assert {n for n, t in fresh.items() if torch.equal(loaded[n], t)} >= {
        "head.weight",
        "head.bias",
    }
    assert torch.equal(loaded["blocks.0.attn.qkv.weight"], other["blocks.0.attn.qkv.weight"])
    assert weights.report(model).endswith(
        "ten.pt'; left as drawn: head.bias, head.weight; not used of it: head.bias, head.weight"
    )


def test_what_was_loaded_is_said_of_every_arm_that_starts_from_it(
    tmp_path: Path, other: dict[str, torch.Tensor]
) -> None:
    torch.save(other, tmp_path / "ten.pt")
    file = {"model.checkpoint": str(tmp_path / "ten.pt")}
    context = {"operator": "cb"}
    configs = {"drawn": tiny(), "plain": tiny(file), "cb": tiny({**file, "context": context})}
    notes = examine(configs, lambda _: InputShape(1, 8, 10)).notes
    whole = f"starts from {len(other)} of the model's {len(other)} tensors from '{tmp_path}/ten.pt'"
    assert "drawn" not in notes
    assert notes["plain"] == [whole]
    assert notes["cb"][0] == whole
    fewer = examine({"plain": configs["plain"]}, lambda _: InputShape(1, 8, 3)).notes["plain"]
    assert fewer[0].startswith(f"starts from {len(other) - 2} of the model's {len(other)} tensors")
    assert "left as drawn: head.bias, head.weight" in fewer[0]


def test_positions_and_input_channels_are_made_to_fit_as_timm_does(tmp_path: Path) -> None:
    larger = {**VIT, "img_size": 16, "in_chans": 3}
    torch.save(build({"model": larger}, seed=1, num_classes=10).state_dict(), tmp_path / "large.pt")
    model = built(tmp_path / "large.pt")
    assert model.pos_embed.shape == (1, 5, 16)
    assert model.patch_embed.proj.weight.shape[1] == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"embed_dim": 32}, r"lacking or of another shape \(.*\(16,\) for \(32,\)"),
        ({"depth": 3}, r"lacking or of another shape \(blocks\.2"),
        ({"depth": 1}, r"not the model's \(blocks\.1"),
    ],
)
def test_weights_that_do_not_fit_beyond_the_head_are_refused(
    tmp_path: Path, other: dict[str, torch.Tensor], change: dict[str, Any], sentence: str
) -> None:
    torch.save(other, tmp_path / "other.pt")
    with pytest.raises(StudyError, match=sentence):
        built(tmp_path / "other.pt", **change)


class Malice:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (exec, ("raise SystemExit('the code in a checkpoint was run')",))


@pytest.mark.parametrize(
    "name", ["code.pt", "cut.pt", "cut.safetensors", "empty.pt", "list.pt", "numbers.pt"]
)
def test_a_file_that_is_no_state_dict_is_refused_and_no_code_in_it_runs(
    tmp_path: Path, other: dict[str, torch.Tensor], name: str
) -> None:
    path = tmp_path / name
    if name == "code.pt":
        path.write_bytes(pickle.dumps({"model": Malice()}))
    elif name == "cut.pt":
        torch.save(other, path)
        path.write_bytes(path.read_bytes()[:2000])
    elif name == "cut.safetensors":
        save_file(other, path)
        path.write_bytes(path.read_bytes()[:2000])
    elif name == "empty.pt":
        path.touch()
    else:
        torch.save([1, 2] if name == "list.pt" else {"a": 1}, path)
    with pytest.raises(StudyError, match=f"{name}.*(damaged or holds more|holds no state dict)"):
        built(path)


def test_a_checkpoint_that_has_changed_or_gone_since_planning_is_refused(
    tmp_path: Path, other: dict[str, torch.Tensor]
) -> None:
    path = tmp_path / "other.pt"
    torch.save(other, path)
    planned = {**VIT, "checkpoint": {"path": str(path), "sha256": content(str(path))}}
    torch.save({name: tensor + 1 for name, tensor in other.items()}, path)
    with pytest.raises(EnvironmentFault, match="planned with"):
        build({"model": planned}, seed=0, num_classes=10)
    path.unlink()
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        build({"model": planned}, seed=0, num_classes=10)


def test_timms_weights_are_loaded_where_they_can_be_fetched(
    monkeypatch: pytest.MonkeyPatch, other: dict[str, torch.Tensor]
) -> None:
    asked: list[Any] = []

    def fetched(*arguments: Any, **named: Any) -> dict[str, torch.Tensor]:
        asked.append((arguments, named))
        return dict(other)

    monkeypatch.setattr(weights, "load_state_dict_from_hf", fetched)
    model = build({"model": {**VIT, "pretrained": True}}, seed=0, num_classes=10)
    assert torch.equal(model.cls_token, other["cls_token"])
    assert asked[0][1] == {"weights_only": True}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionError("no route to host\nmore"), r"no route to host\."),
        (TimeoutError(), "Timeout"),
    ],
)
def test_where_the_network_does_not_give_them_the_environment_is_at_fault(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(weights, "load_state_dict_from_hf", refused)
    with pytest.raises(EnvironmentFault, match=rf"{said}.*model\.checkpoint") as raised:
        build({"model": {**VIT, "pretrained": True}}, seed=0, num_classes=10)
    assert raised.value.exit_code == 4
    with pytest.raises(StudyError, match="timm offers no weights"):
        build({"model": {"name": "resnet50t", "pretrained": True}}, seed=0, num_classes=10)


def test_a_checkpoint_is_known_by_its_content_and_not_by_its_path(tmp_path: Path) -> None:
    from cbablate.planning.arm import arm_id
    from cbablate.workloads.catalog import SHIPPED

    images = SHIPPED["image_classification"]()
    ids = []
    for name, text in (("a.pt", "one"), ("b.pt", "one"), ("c.pt", "two")):
        (tmp_path / name).write_text(text)
        resolved = tiny({"model.checkpoint": str(tmp_path / name)})
        assert tiny({"model.checkpoint": resolved["model"]["checkpoint"]}) == resolved
        ids.append(arm_id(resolved, images))
    assert ids[0] == ids[1] != ids[2]
    assert arm_id(tiny(), images) == arm_id(tiny({"model.pretrained": False}), images)
    assert arm_id(tiny(), images) != arm_id(tiny({"model.pretrained": True}), images)
