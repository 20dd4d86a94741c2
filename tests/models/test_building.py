from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import yaml

from cbablate.errors import StudyError
from cbablate.models.building import build, skeleton
from cbablate.workloads.images.image_config import resolve
from tests.workloads.images import tiny

ARMS: list[Any] = [
    None,
    {"operator": "cb"},
    {"operator": "cb", "place": "attn.end"},
    {"operator": "halve"},
    {"operator": "cb_s", "place": "mlp.mid", "blocks": "first 1"},
]


def weights(
    context: Any = None, *, seed: int = 0, classes: int = 10, **model: Any
) -> dict[str, torch.Tensor]:
    config = tiny({"context": context, "model": model})
    return dict(build(config, seed=seed, num_classes=classes).state_dict())


def test_all_context_arms_start_with_equal_bits() -> None:
    plain = weights()
    for context in ARMS:
        other = weights(context)
        assert [name for name in plain if not torch.equal(plain[name], other[name])] == []


def test_a_deeper_model_shares_all_that_both_have() -> None:
    shallow, deep = weights(depth=4), weights(depth=6)
    assert set(shallow) < set(deep)
    assert [name for name in shallow if not torch.equal(shallow[name], deep[name])] == []
    assert not torch.equal(deep["blocks.4.attn.qkv.weight"], deep["blocks.5.attn.qkv.weight"])


def test_a_wider_model_shares_nothing_that_is_drawn() -> None:
    assert weights()["pos_embed"].shape != weights(embed_dim=32)["pos_embed"].shape


def test_the_number_of_classes_moves_the_head_only() -> None:
    ten, two = weights(), weights(classes=2)
    differ = {name for name in ten if not torch.equal(ten[name], two[name])}
    assert differ == {"head.weight", "head.bias"}


def test_another_seed_moves_every_weight_that_is_drawn() -> None:
    one, other = weights(seed=1), weights(seed=2)
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]) == (tensor.std() == 0), name


def test_what_ran_before_does_not_matter_and_nothing_is_left_behind() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one = weights()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    other = weights()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("mode", [None, "jax", "moco", "reset"])
def test_weights_are_spread_as_timm_spreads_them(mode: str | None) -> None:
    config = tiny({"model": {"weight_init": mode, "embed_dim": 64, "depth": 1}})
    ours = build(config, seed=0, num_classes=10)
    torch.manual_seed(0)
    theirs = skeleton(config["model"], 10)
    for (name, one), (_, other) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        if one.numel() >= 1000:
            assert one.std().item() == pytest.approx(other.std().item(), rel=0.1, abs=1e-7), name
        if other.std() == 0:
            assert torch.equal(one, other), name


def test_two_parameters_of_one_shape_are_not_copies() -> None:
    drawn = [t for t in weights().values() if t.numel() > 1 and t.std() > 0]
    for index, one in enumerate(drawn):
        for other in drawn[index + 1 :]:
            assert one.shape != other.shape or not torch.equal(one, other)


def test_a_misspelt_model_is_told_with_close_names() -> None:
    with pytest.raises(StudyError) as raised:
        skeleton({"name": "vit_tiny_patch17_224"}, 10)
    assert "vit_tiny_patch16_224" in str(raised.value)
    assert timm.__version__ in str(raised.value)


def test_an_argument_that_a_model_does_not_take_is_told() -> None:
    with pytest.raises(StudyError, match=r"resnet10t.*depth=3"):
        skeleton({"name": "resnet10t", "depth": 3}, 10)


def test_a_tag_of_pretrained_weights_is_refused_where_none_are_asked_for() -> None:
    with pytest.raises(StudyError, match="write 'vit_tiny_patch16_224'"):
        skeleton({"name": "vit_tiny_patch16_224.augreg_in21k"}, 10)
    with pytest.raises(StudyError, match="no model"):
        skeleton({"name": "hf-hub:someone/something"}, 10)


def test_the_small_models_of_the_guide_take_small_images() -> None:
    guide = (Path(__file__).parent.parent.parent / "docs" / "models.md").read_text()
    lines = re.findall(r"^model: \{.*\}$", guide.partition("## Small models")[2], re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        config = tiny({"context": {"operator": "cb", "place": "block.end"}})
        config = resolve({**config, "model": yaml.safe_load(line)["model"]})
        model = build(config, seed=0, num_classes=10).eval()
        with torch.no_grad():
            assert model(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
