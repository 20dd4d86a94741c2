from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cbablate.errors import StudyError
from cbablate.models.anatomy import blocks_of
from cbablate.models.building import build
from cbablate.models.placing import operators_of, place
from tests.models.cases import VIT, images, made
from tests.workloads.images import tiny


def line(x: Tensor) -> Tensor:
    return 0.5 * (x + x.mean(dim=1, keepdim=True))


class Line(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return line(x)


def mlp_by_hand(m: Any, place: str) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        x = line(x) if place == "mlp.front" else x
        x = m.norm(m.drop1(m.act(m.fc1(x))))
        x = line(x) if place == "mlp.mid" else x
        x = m.drop2(m.fc2(x))
        return line(x) if place == "mlp.end" else x

    return forward


def attention_by_hand(a: Any, place: str) -> Callable[..., Tensor]:
    def forward(x: Tensor, **_: Any) -> Tensor:
        x = line(x) if place == "attn.front" else x
        query, key, value = a.qkv(x).chunk(3, dim=-1)
        value = line(value) if place == "attn.values" else value
        each = [t.unflatten(2, (a.num_heads, -1)).transpose(1, 2) for t in (query, key, value)]
        summed = nn.functional.scaled_dot_product_attention(*each)
        x = a.proj(summed.transpose(1, 2).flatten(2))
        return line(x) if place == "attn.end" else x

    return forward


def by_hand(model: Any, place: str) -> None:
    """timm's own forwards, written out with the paper's line at the place."""
    if place == "embed.end":
        model.norm_pre = Line()
    if place == "head.front":
        pool = model.pool
        model.pool = lambda x: pool(line(x))
    for _, block in blocks_of(model):
        if place.startswith("mlp"):
            block.mlp.forward = mlp_by_hand(block.mlp, place)
        if place.startswith("attn"):
            block.attn.forward = attention_by_hand(block.attn, place)
        if place == "block.front":
            block.forward = lambda x, plain=block.forward: plain(line(x))
        if place == "block.end":
            block.forward = lambda x, plain=block.forward: line(plain(x))


@pytest.mark.parametrize("place", sorted(VIT))
def test_cb_at_a_place_equals_the_papers_line_written_there_by_hand(place: str) -> None:
    placed, hand = made({"operator": "cb", "place": place}), made()
    by_hand(hand, place)
    left, right = images().requires_grad_(), images().requires_grad_()
    one, other = placed(left), hand(right)
    torch.testing.assert_close(one, other, rtol=0, atol=0 if place != "attn.values" else 1e-6)
    one.square().sum().backward()
    other.square().sum().backward()
    assert torch.equal(left.grad, right.grad)
    for (name, parameter), (same, twin) in zip(
        placed.named_parameters(), hand.named_parameters(), strict=True
    ):
        assert name == same
        assert torch.equal(parameter.grad, twin.grad), name


def test_parameters_of_an_operator_escape_weight_decay() -> None:
    from cbablate.training.recipe import Recipe

    model = made({"operator": "cb_s"})
    optimizer = Recipe.of(tiny()).optimizer_for(model)
    undecayed = {
        id(p) for g in optimizer.param_groups if not g["weight_decay"] for p in g["params"]
    }
    for _, placed in operators_of(model):
        assert {id(p) for p in placed.parameters()} <= undecayed


def test_blocks_that_are_not_chosen_stay_as_they_were() -> None:
    model = made({"operator": "cb", "blocks": [1]})
    assert [name for name, _ in operators_of(model)] == ["blocks.1.context.mlp_end.0"]


def test_operators_of_one_place_are_applied_in_the_order_listed() -> None:
    context = [{"operator": "cb_s"}, {"operator": "add"}, {"operator": "halve"}]
    kinds = [type(placed).__name__ for _, placed in operators_of(made(context))][:3]
    assert kinds == ["ScaledContextBroadcast", "AddContext", "Halve"]
    model = made(context)
    called: list[str] = []
    for name, placed in operators_of(model):
        placed.register_forward_hook(lambda *_, name=name: called.append(name))
    model(images())
    assert called == [f"blocks.{b}.context.mlp_end.{i}" for b in range(2) for i in range(3)]


def test_a_copy_calls_its_own_operators() -> None:
    model = made({"operator": "cb_s"})
    before = model(images())
    twin = copy.deepcopy(model)
    for _, placed in operators_of(twin):
        for parameter in placed.parameters():
            nn.init.zeros_(parameter)
    assert torch.equal(model(images()), before)
    assert not torch.equal(twin(images()), before)


def test_weights_of_a_model_with_cb_load_into_the_plain_one() -> None:
    made().load_state_dict(made({"operator": "cb"}).state_dict(), strict=True)


def test_mid_and_end_are_one_function_of_the_weights_up_to_rounding() -> None:
    """A mean over tokens and an affine map commute, so CB has two places in an MLP, not three."""
    mid, end = (made({"operator": "cb", "place": p}).double() for p in ("mlp.mid", "mlp.end"))
    x = images().double()
    torch.testing.assert_close(mid(x), end(x), rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sentence"),
    [("vgg11", "no blocks that context"), ("efficientnet_b0", "looked for a sequence")],
)
def test_a_model_without_the_blocks_is_told_what_was_looked_for(name: str, sentence: str) -> None:
    config = {"model": {"name": name}, "context": [{"operator": "cb"}]}
    with pytest.raises(StudyError, match=sentence):
        build(config, seed=0, num_classes=10)


def test_a_place_that_a_block_lacks_is_told_with_what_it_has() -> None:
    model = {"name": "test_vit4"}
    config = {"model": model, "context": [{"operator": "cb", "place": "mlp.mid"}]}
    plain = build({"model": model}, seed=0, num_classes=10)
    plain.blocks[0].mlp.fc2 = None
    with pytest.raises(StudyError, match=r"no place mlp\.mid in block 'blocks\.0'.*'fc2'"):
        place(plain, config["context"])


def test_blocks_beyond_the_depth_are_refused() -> None:
    with pytest.raises(StudyError, match="'first 3' asks for 3 blocks, but the model has 2"):
        made({"operator": "cb", "blocks": "first 3"})


def test_a_hierarchical_model_has_blocks_in_every_stage() -> None:
    model = build(
        {"model": {"name": "pit_ti_224"}, "context": [{"operator": "cb"}]}, seed=0, num_classes=2
    )
    stages = {name.split(".blocks")[0] for name, _ in operators_of(model)}
    assert stages == {"transformers.0", "transformers.1", "transformers.2"}


def test_the_end_of_the_embedding_is_before_the_first_block_in_either_order() -> None:
    embed = {"operator": "bias", "place": "embed.end"}
    front = {"operator": "cb", "place": "block.front", "blocks": [0]}
    called: list[str] = []
    for context in ([embed, front], [front, embed]):
        model = made(context)
        for _, placed in operators_of(model):
            placed.register_forward_hook(lambda m, *_: called.append(type(m).__name__))
        model(images())
    assert called == ["LearnedBias", "ContextBroadcast"] * 2


def test_places_that_a_model_has_once_have_one_operator_in_the_models_own_name() -> None:
    model = made([{"operator": "cb_s", "place": place} for place in ("head.front", "embed.end")])
    names = [name for name, _ in operators_of(model)]
    assert names == ["context.head_front.0", "context.embed_end.0"]
    assert all(f"{name}.lam" in model.state_dict() for name in names)


def test_cb_before_a_head_that_pools_all_tokens_by_their_mean_does_nothing() -> None:
    model: dict[str, Any] = {"class_token": False, "global_pool": "avg"}
    mixed = made({"operator": "cb", "place": "head.front"}, **model)
    torch.testing.assert_close(mixed(images()), made(**model)(images()))


def test_operators_are_told_the_tokens_of_their_place() -> None:
    registers: dict[str, Any] = {"reg_tokens": 3}
    model = made({"operator": "cb", "over": "patches"}, **registers)
    assert {placed.source.start for _, placed in operators_of(model)} == {4}
    bare = made({"operator": "cb", "over": "patches"}, class_token=False)
    assert torch.equal(bare(images()), made({"operator": "cb"}, class_token=False)(images()))
    distilled = placed_in("deit_tiny_distilled_patch16_224", {"operator": "local", "radius": 1})
    assert {(o.layout.prefix, o.layout.grid) for _, o in operators_of(distilled)} == {(2, (14, 14))}
    wide = placed_in(
        "test_vit", {"operator": "regions", "grid": 2}, img_size=(32, 64), patch_size=8
    )
    assert {placed.layout.grid for _, placed in operators_of(wide)} == {(4, 8)}
    assert wide(torch.zeros(1, 3, 32, 64)).shape == (1, 10)


def placed_in(name: str, placement: dict[str, Any], **model: Any) -> nn.Module:
    config = {"model": {"name": name, **model}, "context": [placement]}
    return build(config, seed=0, num_classes=10)


SMALL_EVA: dict[str, Any] = {
    "img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("vit_small_patch16_dinov3", SMALL_EVA),
        ("eva02_tiny_patch14_224", {**SMALL_EVA, "qkv_fused": True, "qkv_bias": False}),
        ("beit_base_patch16_224", SMALL_EVA),
        ("test_vit", {"img_size": 32, "patch_size": 8}),
    ],
)
def test_a_local_mean_goes_into_every_family_whose_tokens_are_known(
    name: str, model: dict[str, Any]
) -> None:
    local = {"operator": "local", "radius": 1}
    for where in ("attn.front", "block.end", "embed.end"):
        mixed = placed_in(name, {**local, "place": where}, **model)
        assert mixed(torch.randn(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize(
    ("name", "model", "placement", "sentence"),
    [
        (
            "beit_base_patch16_224",
            SMALL_EVA,
            {"place": "attn.values"},
            "last, as timm's .*not Attention",
        ),
        ("cait_xxs24_224", {"depth": 1}, {"operator": "cls"}, "does not say that its rows begin"),
        ("levit_128s", {}, {"operator": "cb"}, "no layer of LevitMlp tells it"),
        ("visformer_tiny", {}, {"over": "patches"}, "use over: all"),
        ("visformer_tiny", {}, {"operator": "local", "radius": 1}, "lists the families"),
    ],
)
def test_what_a_model_cannot_take_is_refused_with_a_sentence(
    name: str, model: dict[str, Any], placement: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(StudyError, match=sentence):
        placed_in(name, {"operator": "cb", **placement}, **model)


@pytest.mark.slow
def test_cb_in_a_whole_deit_is_the_papers_line_bit_for_bit() -> None:
    model = {"model": {"name": "deit_tiny_patch16_224"}}
    hand = build(model, seed=0, num_classes=10).eval()
    by_hand(hand, "mlp.end")
    placed = build({**model, "context": [{"operator": "cb"}]}, seed=0, num_classes=10).eval()
    batch = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    one, other = placed(batch), hand(batch)
    assert torch.equal(one, other)
    one.square().sum().backward()
    other.square().sum().backward()
    for (name, parameter), twin in zip(placed.named_parameters(), hand.parameters(), strict=True):
        assert torch.equal(parameter.grad, twin.grad), name


def test_attention_without_one_qkv_layer_has_no_place_for_values() -> None:
    model = made()
    model.blocks[1].attn.qkv = None
    context = [{"operator": "cb", "place": "attn.values"}]
    with pytest.raises(StudyError, match=r"'blocks\.1': it needs.*one layer 'qkv'"):
        place(model, context)


def test_a_model_without_a_last_norm_has_no_front_of_the_head() -> None:
    model = made()
    model.norm = None
    with pytest.raises(StudyError, match="last norm under the name 'norm'"):
        place(model, [{"operator": "cb", "place": "head.front"}])


def test_dropped_patches_have_no_grid() -> None:
    model = made({"operator": "local", "radius": 1}, patch_drop_rate=0.5)
    with pytest.raises(StudyError, match="no patch_drop_rate"):
        model(images())
