from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cbablate.models.building import build
from cbablate.probes.attention import attention, scores
from cbablate.probes.attention.attention import AttentionEntropy, attention_entropy, row_entropy
from cbablate.probes.probe import Absent
from tests.workloads.images import tiny


def made(**changes: Any) -> nn.Module:
    return build(tiny({"model.patch_size": 2, **changes}), seed=0, num_classes=10)


def images(count: int = 5) -> Tensor:
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def sharpened(model: nn.Module) -> nn.Module:
    """The model with scores far enough apart for its rows to differ."""
    for block in model.blocks:  # type: ignore[union-attr]  # a ViT has blocks
        nn.init.normal_(block.attn.qkv.weight, std=0.8)
    return model


def explicit(model: nn.Module, x: Tensor) -> list[list[float]]:
    """Entropy by layer and head from whole maps in float64, block by block."""
    model = model.double().eval()
    tokens = model.norm_pre(model._pos_embed(model.patch_embed(x.double())))
    found = []
    for block in model.blocks:
        layer, given = block.attn, block.norm1(tokens)
        batch, count, _ = given.shape
        query, key = (
            layer.qkv(given).reshape(batch, count, 3, layer.num_heads, -1).permute(2, 0, 3, 1, 4)[i]
            for i in (0, 1)
        )
        query, key = layer.q_norm(query), layer.k_norm(key)
        map_ = (query @ key.transpose(-2, -1) * layer.scale).softmax(-1)
        torch.testing.assert_close(map_.sum(-1), torch.ones_like(map_[..., 0]))
        found.append((-(map_ * map_.log()).sum(-1)).mean(dim=(0, 2)).tolist())
        tokens = block(tokens)
    return found


@pytest.mark.parametrize("context", [None, {"operator": "cb", "place": "attn.end"}])
@pytest.mark.parametrize("qk_norm", [False, True])
def test_entropy_equals_that_of_the_explicit_map(
    context: Any, qk_norm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "_CACHED", 64)
    monkeypatch.setattr(attention, "_BATCH", 2)
    model = sharpened(made(context=context, **{"model.qk_norm": qk_norm}))
    found = attention_entropy(model, images())
    assert isinstance(found, AttentionEntropy)
    expected = explicit(model, images())
    assert found.tokens == (17, 17)
    for heads, exact in zip(found.per_head, expected, strict=True):
        assert heads == pytest.approx(exact, abs=1e-5)
    assert found.per_layer == pytest.approx([sum(h) / 2 for h in expected], abs=1e-5)
    assert found.mean == pytest.approx(sum(sum(h) / 2 for h in expected) / 2, abs=1e-5)
    assert 0 < found.normalized < 1
    assert found.normalized == pytest.approx(found.mean / math.log(17))


def test_uniform_attention_has_entropy_ln_n_and_one_hot_attention_none() -> None:
    key = torch.eye(7).expand(2, 3, 7, 7)
    even = row_entropy(torch.zeros(2, 3, 7, 7), key, scale=1.0)
    torch.testing.assert_close(even, torch.full((2, 3, 7), math.log(7)))
    sharp = row_entropy(1e4 * key, key, scale=1.0)
    assert torch.equal(sharp, torch.zeros(2, 3, 7))


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(st.integers(1, 30), st.floats(0.0, 50.0), st.integers(0, 99), st.sampled_from([1, 64, 4096]))
def test_entropy_lies_between_0_and_ln_n_and_does_not_depend_on_the_tile(
    tokens: int, spread: float, seed: int, tile: int
) -> None:
    drawn = torch.Generator().manual_seed(seed)
    query, key = (spread * torch.randn(2, 2, tokens, 4, generator=drawn) for _ in range(2))
    whole = row_entropy(query, key, scale=0.5)
    assert whole.min() >= 0
    assert whole.max() <= math.log(tokens) + 1e-5
    before, scores._CACHED = scores._CACHED, tile
    try:
        # float32 scores of size s carry errors of about 6e-8 s, and s grows as spread squared
        close = 1e-5 * (1 + spread**2 / 100)
        torch.testing.assert_close(row_entropy(query, key, scale=0.5), whole, atol=close, rtol=1e-5)
    finally:
        scores._CACHED = before


def test_a_model_with_equal_keys_attends_evenly() -> None:
    model = made()
    for block in model.blocks:  # type: ignore[union-attr]  # a ViT has blocks
        nn.init.zeros_(block.attn.qkv.weight)
    found = attention_entropy(model, images())
    assert isinstance(found, AttentionEntropy)
    assert found.per_layer == pytest.approx([math.log(17)] * 2, abs=1e-5)
    assert found.normalized == pytest.approx(1.0, abs=1e-6)


def test_looking_leaves_the_model_as_it_was() -> None:
    model = made(**{"model.attn_drop_rate": 0.5}).train()
    layers = [block.attn for block in model.blocks]  # type: ignore[union-attr]  # a ViT has blocks
    fused = [layer.fused_attn for layer in layers]
    one, other = (attention_entropy(model, images()) for _ in range(2))
    assert one == other, "dropout was on"
    assert model.training
    assert all(not layer._forward_pre_hooks for layer in layers)
    assert [layer.fused_attn for layer in layers] == fused
    with pytest.raises(AssertionError):
        attention_entropy(model, torch.zeros(1, 1, 9, 9))
    assert all(not (m._forward_pre_hooks or m._forward_hooks) for m in model.modules())


def test_the_kernel_that_is_not_fused_is_read_too_and_stays_as_it_was() -> None:
    model = sharpened(made())
    fused = attention_entropy(model, images())
    for block in model.blocks:  # type: ignore[union-attr]  # a ViT has blocks
        block.attn.fused_attn = False
    slow = attention_entropy(model, images())
    assert isinstance(fused, AttentionEntropy)
    assert isinstance(slow, AttentionEntropy)
    assert slow.per_layer == pytest.approx(fused.per_layer, abs=1e-5)
    assert not any(b.attn.fused_attn for b in model.blocks)  # type: ignore[union-attr]  # a ViT


def test_reading_does_not_change_what_a_network_answers() -> None:
    model = sharpened(made()).eval()
    plain = model(images())
    with scores.listening(model, lambda _index, _call: None):
        assert torch.equal(model(images()), plain)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("resnet10t", "no attention"),
        ("mixer_s32_224", "no attention"),
        ("xcit_nano_12_p16_224", "XCA"),
        ("mobilevitv2_050", "LinearSelfAttention"),
        ("cait_xxs24_224", "TalkingHeadAttn"),
        ("vit_dlittle_patch16_reg1_gap_256", "DiffAttention"),
        ("vit_dpwee_patch16_reg1_gap_256", "DiffParallelScalingBlock"),
    ],
)
def test_a_model_without_attention_that_can_be_read_has_no_entropy(name: str, reason: str) -> None:
    model = build({"model": {"name": name}}, seed=0, num_classes=2)
    side = 256 if name.endswith("256") else 224
    found = attention_entropy(model, torch.zeros(1, 3, side, side))
    assert isinstance(found, Absent)
    assert reason in found.reason


class Kernels(nn.Module):
    """Modules that call the kernel so many times each, with heads as written."""

    def __init__(self, *calls: int, images: int = 2, dims: int = 4) -> None:
        super().__init__()
        self.shape = (images, *[1] * (dims - 3), 5, 8)
        self.parts = nn.ModuleList(map(self.Part, calls))

    class Part(nn.Module):
        def __init__(self, calls: int) -> None:
            super().__init__()
            self.calls = calls

        def forward(self, x: Tensor) -> Tensor:
            kernel = nn.functional.scaled_dot_product_attention
            return x + sum(kernel(x, x, x) for _ in range(self.calls))

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(len(x), *self.shape[1:])
        for part in self.parts:
            x = part(x)
        return x


@pytest.mark.parametrize(("calls", "layers"), [((1, 1), 2), ((1, 0, 1), 2), ((1, 2), 0), ((3,), 0)])
def test_a_module_that_combines_several_softmaxes_is_not_read_whatever_it_is_called(
    calls: tuple[int, ...], layers: int
) -> None:
    found = scores.layers_of(Kernels(*calls), torch.ones(2, 40))
    assert len(found) == layers if not isinstance(found, Absent) else layers == 0
    if isinstance(found, Absent):
        assert "Part" in found.reason


def test_a_kernels_call_that_cannot_be_read_is_not_left_out_of_the_mean() -> None:
    found = scores.layers_of(Kernels(1, dims=5), torch.ones(2, 40))
    assert isinstance(found, Absent)


def test_one_module_that_runs_twice_is_two_layers() -> None:
    model = Kernels(1)
    model.parts.append(model.parts[0])
    found = scores.layers_of(model, torch.ones(2, 40))
    assert not isinstance(found, Absent)
    assert len(found) == 2


@pytest.mark.parametrize("cache", [True, False])
def test_entropy_is_that_of_the_float32_network_inside_somebody_elses_autocast(
    cache: bool,
) -> None:
    model = sharpened(made())
    outside = attention_entropy(model, images())
    with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=cache):
        if cache:
            model(images())  # weights in bfloat16 lie in autocast's cache now
        inside = attention_entropy(model, images())
    assert inside == outside


class Biased(nn.Module):
    """Attention of two heads with positions added to its scores, one key of them hidden."""

    def __init__(self) -> None:
        super().__init__()
        drawn = torch.Generator().manual_seed(0)
        self.bias = torch.randn(1, 2, 5, 5, generator=drawn)
        self.bias[..., 3] = -torch.inf

    def forward(self, x: Tensor) -> Tensor:
        heads = x.reshape(len(x), 5, 2, 4).transpose(1, 2)
        return nn.functional.scaled_dot_product_attention(heads, heads, heads, self.bias)


def test_what_is_added_to_the_scores_is_part_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "_CACHED", 20)
    x = torch.randn(3, 40, generator=torch.Generator().manual_seed(1))
    model = Biased()
    heads = x.reshape(3, 5, 2, 4).transpose(1, 2).double()
    rows = (heads @ heads.transpose(-1, -2) / 2 + model.bias.double()).softmax(-1)
    told: list[Tensor] = []

    def read(_index: int, call: scores.Attended) -> None:
        told.append(torch.cat([tile.softmax(-1).flatten() for *_, tile in scores.tiles(call)]))

    with scores.listening(model, read):
        model(x)
    # tiles hold two rows of one image at a time
    parts = [rows[i : i + 1, :, top : top + 2].flatten() for i in range(3) for top in (0, 2, 4)]
    torch.testing.assert_close(told[0].double(), torch.cat(parts), atol=1e-6, rtol=1e-5)


def test_a_layer_whose_rows_have_one_key_is_in_no_normalised_mean() -> None:
    found = AttentionEntropy(per_head=((0.0,), (math.log(2), math.log(2))), tokens=(1, 4))
    assert found.normalized == pytest.approx(0.5)
    assert found.mean == pytest.approx(math.log(2) / 2)
    assert isinstance(AttentionEntropy(per_head=((0.0,),), tokens=(1,)).normalized, Absent)
