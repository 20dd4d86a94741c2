from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cbablate.probes import geometry
from cbablate.probes import maps as maps_of
from cbablate.probes.attention import attention_rows, scores
from cbablate.probes.attention.attention import AttentionEntropy, attention_entropy
from cbablate.probes.attention.attention_rows import BINS, measure
from cbablate.probes.probe import Absent, ProbeResult, Subject
from cbablate.testing.probe import pictures
from tests.probes.subjects import subject
from tests.probes.test_jacobian import explicit

ALL = frozenset({"entropy", "distance", "jacobian", "share"})
WITH_REGISTERS = {"reg_tokens": 2}
WITHOUT_CLASS = {"class_token": False, "global_pool": "avg"}


def maps(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Each layer's whole map in float64, of shape (B, heads, N, N), block by block."""
    model = model.double().eval().requires_grad_(False)
    tokens = model.norm_pre(model._pos_embed(model.patch_embed(x.double())))
    found = []
    for block in model.blocks:
        layer, given = block.attn, block.norm1(tokens)
        shape = (*given.shape[:2], 3, layer.num_heads, -1)
        query, key, _ = layer.qkv(given).reshape(shape).permute(2, 0, 3, 1, 4)
        found.append((query @ key.transpose(-2, -1) * layer.scale).softmax(-1))
        tokens = block(tokens)
    model.float()
    return found


def expected(rows: Tensor, prefix: int, classes: int) -> dict[str, float]:
    entropies = torch.special.entr(rows).sum(-1)
    at = torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0)).double() * 2 + 1
    apart = torch.cdist(at, at)
    among = rows[..., prefix:, prefix:]
    among = among / among.sum(-1, keepdim=True)
    norms = explicit(rows).flatten(1).mean(dim=1).tolist()
    found = {
        "attention/distance": float((among * apart).sum(-1).mean()),
        "attention/distance_rms": float((among * apart.square()).sum(-1).sqrt().mean()),
        "attention/distance_relative": float((among * apart).sum(-1).mean() / apart.mean()),
        "attention/jacobian_nuclear": norms[0],
        "attention/jacobian_frobenius": norms[1],
        "attention/jacobian_spectral": norms[2],
    }
    if classes:
        found["attention/class_share"] = float(rows[..., 0].mean())
    if prefix > classes:
        found["attention/register_share"] = float(rows[..., classes:prefix].sum(-1).mean())
    for percent in (5, 25, 50, 75, 95):
        found[f"attention/entropy_q{percent:02}"] = float(entropies.quantile(percent / 100))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, WITH_REGISTERS, WITHOUT_CLASS])
@pytest.mark.parametrize("tile", [40, 1 << 18])
def test_every_statistic_is_that_of_the_explicit_map(
    changes: dict[str, Any], tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "_CACHED", tile)
    monkeypatch.setattr(attention_rows, "_BATCH", 5)
    made = subject(**changes)
    found = measure(made, ALL)
    classes = int(changes.get("class_token", True))
    prefix = classes + changes.get("reg_tokens", 0)
    images, _ = made.held_out.spaced(100)
    for layer, rows in enumerate(maps(made.model, images)):
        exact = expected(rows, prefix, classes)
        assert set(exact) == set(found.vectors) - {"attention/entropy_heads"}
        for name, value in exact.items():
            # between two sorted entropies a quantile is a matter of definition
            close = 0.02 if "_q" in name else 1e-5
            assert found.vectors[name][layer] == pytest.approx(value, abs=close), name
    heads = found.vectors["attention/entropy_heads"]
    again = attention_entropy(made.model, images)
    assert isinstance(again, AttentionEntropy)
    assert heads == pytest.approx([v for layer in again.per_head for v in layer], abs=1e-5)


@pytest.mark.parametrize("scale", [20.0, 200.0, 2000.0])
@pytest.mark.parametrize("changes", [{}, WITH_REGISTERS])
def test_a_row_that_looks_at_leading_tokens_alone_has_the_distance_of_what_is_left(
    changes: dict[str, Any], scale: float
) -> None:
    """Its mass on patches is 0 in float32, and its distribution over them is not."""
    made = subject(**changes)
    prefix = 1 + changes.get("reg_tokens", 0)
    patches = math.prod((4, 4))
    drawn = torch.Generator().manual_seed(0)
    query, key = (torch.randn(3, 2, prefix + patches, 4, generator=drawn) for _ in "qk")
    key[:, :, :prefix] = scale * query[:, :, -1:]
    call = scores.Attended(query, key, 0.5, value=torch.zeros_like(query))
    grid = geometry.grid_of(made.model)
    assert isinstance(grid, geometry.Grid)
    sums = attention_rows._Sums(
        scores.Layer(2, prefix + patches, prefix + patches), frozenset({"distance"}), grid
    )
    sums.add(call)
    found = sums.found()
    among = query[:, :, prefix:].double() @ key[:, :, prefix:].double().transpose(-1, -2) * 0.5
    at = torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0)).double() * 2 + 1
    apart = torch.cdist(at, at)
    exact = float((among.softmax(-1) * apart).sum(-1).mean())
    assert found["attention/distance"] == pytest.approx(exact, rel=1e-5)
    rms = float((among.softmax(-1) * apart.square()).sum(-1).sqrt().mean())
    assert found["attention/distance_rms"] == pytest.approx(rms, rel=1e-5)
    if prefix == 1:
        looked = maps_of._looked(call, grid)
        assert bool(looked.isfinite().all())
        whole = (query[:, :, :1].double() @ key.double().transpose(-1, -2) * 0.5).log_softmax(-1)
        shares = whole[:, :, 0, 1:].logsumexp(1).softmax(-1)
        torch.testing.assert_close(looked.double(), shares, atol=1e-6, rtol=1e-4)


def test_the_statistics_are_of_the_float32_network_inside_somebody_elses_autocast() -> None:
    made = subject()
    outside = measure(made, ALL)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert measure(made, ALL) == outside
        assert maps_of.measure(made, frozenset({"maps"})).sketches


def test_what_a_model_lacks_is_absent_with_its_reason() -> None:
    found = measure(subject(**WITHOUT_CLASS), frozenset({"share"}))
    assert found.metrics == {}
    assert "class token" in found.absent["attention/class_share"].reason
    assert "registers" in found.absent["attention/register_share"].reason


def test_patches_of_a_hybrid_are_as_large_as_what_they_are_of_the_image() -> None:
    """timm counts them in features of the CNN before them."""
    grid = geometry.grid_of(timm.create_model("vit_tiny_r_s16_p8_224", img_size=64))
    assert isinstance(grid, geometry.Grid)
    assert grid.sides == (2, 2)
    assert float(grid.distances(slice(0, 4), torch.device("cpu"))[0, 1]) == 32.0


class Windows(nn.Module):
    """A model whose attention can be read, and whose tokens lie nobody knows where."""

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.reshape(len(x) * 4, 1, 4, 4)
        return nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)


def test_of_windows_there_is_entropy_and_no_distance() -> None:
    found = measure(replace(subject(), model=Windows()), ALL)
    assert found.metrics["attention/entropy_q50"] <= math.log(4)
    assert "Windows" in found.absent["attention/distance"].reason
    assert "attention/class_share" in found.absent


def test_quantiles_are_exact_to_a_bin() -> None:
    made = subject()
    found = measure(made, frozenset({"entropy"}))
    images, _ = made.held_out.spaced(100)
    bin_ = math.log(17) / BINS
    for layer, rows in enumerate(maps(made.model, images)):
        entropies = torch.special.entr(rows).sum(-1).flatten()
        for percent in (5, 25, 50, 75, 95):
            at = found.vectors[f"attention/entropy_q{percent:02}"][layer]
            below = float((entropies < at - bin_).double().mean())
            above = float((entropies <= at + bin_).double().mean())
            assert below <= percent / 100 <= above


class Largest(TorchDispatchMode):
    """Sees the largest tensor that is made."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        sizes = [leaf.numel() for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]
        self.elements = max([self.elements, *sizes])
        return output


@pytest.mark.slow
def test_memory_grows_with_the_tokens_and_not_with_their_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scores, "_CACHED", 1 << 6)
    monkeypatch.setattr(attention_rows, "BINS", 64)
    largest = {}
    for tokens in (32, 128):
        call = scores.Attended(*(torch.randn(1, 1, tokens, 2) for _ in "qk"), scale=1.0)
        call = replace(call, value=torch.randn(1, 1, tokens, 2))
        sums = attention_rows._Sums(scores.Layer(1, tokens, tokens), ALL - {"distance"}, None)
        with torch.inference_mode(), Largest() as seen:
            sums.add(call)
        largest[tokens] = seen.elements
    assert largest[128] <= 4 * largest[32]
    assert largest[128] < 128 * 128 / 20


def test_a_model_without_attention_has_none_of_it() -> None:
    bare = Subject(nn.Flatten(), pictures(), pictures(), pictures())
    found = measure(bare, ALL)
    assert isinstance(found, ProbeResult)
    assert not found.metrics
    assert set(found.absent.values()) == {Absent("the model has no attention between tokens")}
