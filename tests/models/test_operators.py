from __future__ import annotations

import inspect
import itertools
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cbablate.errors import StudyError
from cbablate.models.operators.catalog import OPERATORS, Operator, operator, table
from cbablate.models.operators.layout import Layout

shapes = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 8))


def _tokens(shape: tuple[int, int, int]) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@settings(deadline=None)
@given(shapes)
def test_cb_is_the_papers_line_bit_for_bit(shape: tuple[int, int, int]) -> None:
    x = _tokens(shape)
    mixed = OPERATORS["cb"](Layout(shape[2]))(x)
    assert torch.equal(mixed, 0.5 * (x + x.mean(dim=1, keepdim=True)))


@settings(deadline=None)
@given(shapes)
def test_cb_keeps_the_mean_token_and_halves_deviations_from_it(
    shape: tuple[int, int, int],
) -> None:
    x = _tokens(shape).double()
    mean = x.mean(dim=1, keepdim=True)
    mixed = OPERATORS["cb"](Layout(shape[2]))(x)
    torch.testing.assert_close(mixed.mean(dim=1, keepdim=True), mean)
    torch.testing.assert_close(mixed - mean, 0.5 * (x - mean))


@settings(deadline=None)
@given(shapes)
def test_the_controls_take_cb_apart(shape: tuple[int, int, int]) -> None:
    x = _tokens(shape)
    cb, add, halve = (OPERATORS[name](Layout(shape[2])) for name in ("cb", "add", "halve"))
    assert torch.equal(halve(add(x)), cb(x))
    assert torch.equal(halve(x), x / 2)


@settings(deadline=None)
@given(shapes)
def test_cb_s_starts_as_cb_and_at_weight_zero_is_halving(shape: tuple[int, int, int]) -> None:
    x = _tokens(shape)
    scaled = OPERATORS["cb_s"](Layout(shape[2]))
    assert torch.equal(scaled(x), OPERATORS["cb"](Layout(shape[2]))(x))
    with torch.no_grad():
        scaled.lam.zero_()
    assert torch.equal(scaled(x), OPERATORS["halve"](Layout(shape[2]))(x))


GRID = Layout(8, prefix=2, grid=(3, 4), class_token=True)
N = 14
"""Tokens of the grid and the two before it."""


NEEDED: dict[str, dict[str, Any]] = {
    "mix": {"alpha": 0.3},
    "local": {"radius": 1},
    "regions": {"grid": 1},
}
"""Options that an operator needs, where any will do."""


def on_grid(name: str, **options: Any) -> nn.Module:
    return OPERATORS[name](GRID, **options)


def row(*, images: int = 3) -> Tensor:
    return torch.randn(images, N, 8, generator=torch.Generator().manual_seed(1)).double()


def context_of(name: str, x: Tensor, **options: Any) -> Tensor:
    """What an operator that halves as CB does adds before it halves."""
    said: Tensor = on_grid(name, **options).double()(x)
    return 2 * said - x


@pytest.mark.parametrize(
    ("name", "options", "parameters", "flops"),
    [
        ("cb", {}, 0, 3 * N * 8),
        ("cb", {"over": "patches"}, 0, (3 * N - 2) * 8),
        ("cb_s", {}, 8, 3 * N * 8 + 8),
        ("cb_s", {"form": "residual"}, 8, 2 * N * 8 + 8),
        ("cb_s", {"form": "outer"}, 8, 4 * N * 8),
        ("add", {}, 0, 2 * N * 8),
        ("halve", {}, 0, N * 8),
        ("mix", {"alpha": 0.2}, 0, (3 * N + 1) * 8),
        ("mix", {"alpha": 0.2, "learned": "block"}, 1, (3 * N + 1) * 8),
        ("mix", {"alpha": 0.2, "learned": "channel"}, 8, (3 * N + 1) * 8),
        ("cls", {}, 0, 2 * N * 8),
        ("max", {}, 0, 3 * N * 8),
        ("gem", {}, 0, (8 * N + 6) * 8),
        ("se", {"reduction": 4}, 2 * 16 + 2 + 8, 2 * N * 8 + 4 * 16 + 2 * 2 + 2 * 8),
        ("ge", {}, 0, (2 * N + 1) * 8),
        ("gc", {"reduction": 1}, 8 + 2 * 64 + 3 * 8 + 8, 5 * N * 8 + 3 * N + 4 * 64 + 8 * 8 + 8),
        ("uniform_head", {"width": 3}, 2 * 3 * 8, 2 * N * 8 + 4 * 3 * 8),
        ("local", {"radius": 1}, 0, 11 * 12 * 8),
        ("regions", {"grid": 1}, 0, 3 * 12 * 8),
        ("random_tokens", {"count": 5}, 0, (2 * N + 5) * 8),
        ("other_image", {}, 0, 3 * N * 8),
        ("noise", {}, 0, (3 * N + 6) * 8),
        ("bias", {}, 8, 2 * N * 8),
        ("channel_mix", {}, 0, 3 * N * 8),
    ],
)
def test_an_operator_has_the_parameters_and_operations_it_says(
    name: str, options: dict[str, Any], parameters: int, flops: int
) -> None:
    made = on_grid(name, **options)
    assert sum(p.numel() for p in made.parameters()) == parameters
    assert made.flops(N) == flops  # type: ignore[operator]  # every operator has it


@pytest.mark.parametrize("name", OPERATORS)
def test_a_class_takes_the_options_of_its_row_and_has_no_defaults_of_its_own(name: str) -> None:
    taken = dict(inspect.signature(type(on_grid(name, **NEEDED.get(name, {})))).parameters)
    del taken["layout"]
    assert set(taken) == set(OPERATORS[name].names)
    assert {one.default for one in taken.values()} <= {inspect.Parameter.empty}


@pytest.mark.parametrize("name", [n for n, row in OPERATORS.items() if "over" in row.names])
def test_a_context_of_patches_does_not_depend_on_the_tokens_before_them(name: str) -> None:
    x = row()
    moved = x.clone()
    moved[:, :2] += 100.0
    made = on_grid(name, over="patches", **NEEDED.get(name, {})).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1)
    torch.manual_seed(0)
    one = made(x)
    torch.manual_seed(0)
    torch.testing.assert_close(one[:, 2:], made(moved)[:, 2:], rtol=0, atol=0)


@pytest.mark.parametrize("name", [n for n, row in OPERATORS.items() if "detach" in row.names])
def test_a_detached_context_is_the_same_forward_and_sends_nothing_back(name: str) -> None:
    grads = []
    for detach in (False, True):
        made = on_grid(name, detach=detach, **NEEDED.get(name, {})).double()
        with torch.no_grad():
            for index, parameter in enumerate(made.parameters()):
                drawn = torch.Generator().manual_seed(index)
                parameter.copy_(torch.rand(parameter.shape, generator=drawn).double())
        x = row().requires_grad_()
        torch.manual_seed(0)
        said = made(x)
        said[:, 3].sum().backward()
        grads.append((said.detach(), x.grad))
    assert torch.equal(grads[0][0], grads[1][0])
    others = [i for i in range(N) if i != 3]
    assert not grads[1][1][:, others].any()
    if name != "channel_mix":
        assert grads[0][1][:, others].any()


def test_the_forms_of_cb_s_are_their_formulas() -> None:
    x = row()
    mean = x.mean(dim=1, keepdim=True)
    lam = torch.linspace(-1, 2, 8).double()
    for form, wanted in {
        "cb": 0.5 * (x + lam * mean),
        "residual": x + lam * mean,
        "outer": lam * 0.5 * (x + mean),
    }.items():
        made = on_grid("cb_s", form=form).double()
        start = made(x)
        assert torch.equal(start, x if form == "residual" else on_grid("cb")(x))
        with torch.no_grad():
            made.lam.copy_(lam)
        torch.testing.assert_close(made(x), wanted)


def test_a_mixing_weight_of_one_half_is_cb_and_of_one_leaves_the_mean_alone() -> None:
    x = row()
    torch.testing.assert_close(on_grid("mix", alpha=0.5)(x), on_grid("cb")(x))
    whole = on_grid("mix", alpha=1.0, learned="channel").double()(x)
    torch.testing.assert_close(whole, x.mean(dim=1, keepdim=True).expand_as(x))


def test_a_generalised_mean_rises_from_the_mean_to_the_maximum() -> None:
    x = row()
    torch.testing.assert_close(on_grid("gem", p=1.0)(x), on_grid("cb")(x))
    means = [context_of("gem", x, p=p)[:, 0] for p in (1.0, 2.0, 4.0, 100.0)]
    for lower, upper in itertools.pairwise(means):
        assert (lower < upper).all()
    top = x.amax(dim=1)
    spread = top - x.amin(dim=1)
    assert ((top - means[-1]) / spread < 1 - N ** (-1 / 100) + 1e-9).all()


def test_a_generalised_mean_of_tokens_that_agree_has_a_gradient() -> None:
    x = torch.full((2, N, 8), 0.5, requires_grad=True)
    said = on_grid("gem")(x)
    said.sum().backward()
    torch.testing.assert_close(said, x)
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_the_class_token_and_the_maximum_are_broadcast() -> None:
    x = row()
    torch.testing.assert_close(context_of("cls", x), x[:, :1].expand_as(x))
    torch.testing.assert_close(context_of("max", x), x.amax(dim=1, keepdim=True).expand_as(x))


@pytest.mark.parametrize("radius", [0, 1, 2, 9])
def test_a_local_mean_is_that_of_the_window_counted_out(radius: int) -> None:
    x = row()
    patches = x[:, 2:].reshape(3, 3, 4, 8)
    context = context_of("local", x, radius=radius)
    torch.testing.assert_close(context[:, :2], x[:, :2])
    for i in range(3):
        for j in range(4):
            window = patches[
                :, max(0, i - radius) : i + radius + 1, max(0, j - radius) : j + radius + 1
            ]
            torch.testing.assert_close(context[:, 2 + 4 * i + j], window.mean(dim=(1, 2)))


def test_region_means_are_those_of_the_regions_counted_out() -> None:
    layout = Layout(8, prefix=1, grid=(4, 6))
    x = torch.randn(2, 25, 8, generator=torch.Generator().manual_seed(0)).double()
    context = 2 * OPERATORS["regions"](layout, grid=2)(x) - x
    patches = x[:, 1:].reshape(2, 4, 6, 8)
    torch.testing.assert_close(context[:, 0], x[:, 0])
    for i in range(4):
        for j in range(6):
            down, across = i // 2 * 2, j // 3 * 3
            region = patches[:, down : down + 2, across : across + 3]
            torch.testing.assert_close(context[:, 1 + 6 * i + j], region.mean(dim=(1, 2)))


def test_one_region_and_a_window_over_all_are_cb_among_the_patches() -> None:
    x = row()
    cb = on_grid("cb", over="patches")(x)[:, 2:]
    torch.testing.assert_close(on_grid("regions", grid=1)(x)[:, 2:], cb)
    torch.testing.assert_close(on_grid("local", radius=4)(x)[:, 2:], cb)


def test_a_uniform_head_is_attention_with_equal_weights() -> None:
    made = on_grid("uniform_head", width=4).double()
    with torch.no_grad():
        made.out.weight.normal_()
    x = row()
    uniform = torch.full((N, N), 1 / N).double()
    torch.testing.assert_close(made(x), x + made.out(uniform @ made.value(x)))


def test_global_context_starts_idle_and_pools_by_one_map_for_all_queries() -> None:
    made = on_grid("gc").double()
    x = row()
    assert torch.equal(made(x), x)
    with torch.no_grad():
        made.expand.weight.normal_()
        made.score.weight.zero_()
    added = made(x) - x
    torch.testing.assert_close(added, added[:, :1].expand_as(added))
    pooled = made.scale(made.squeeze(x.mean(dim=1)))
    torch.testing.assert_close(added[:, 0], made.expand(pooled.relu()))


def test_squeeze_and_gather_gate_channels_by_the_mean_alone() -> None:
    x = row()
    mean = x.mean(dim=1, keepdim=True)
    torch.testing.assert_close(on_grid("ge")(x), x * mean.sigmoid())
    made = on_grid("se").double()
    assert made.squeeze.out_features == 1
    gate = made.excite(made.squeeze(mean).relu()).sigmoid()
    torch.testing.assert_close(made(x), x * gate)


def test_channels_mix_within_each_token() -> None:
    x = row()
    turned = OPERATORS["cb"](Layout(N))(x.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(on_grid("channel_mix")(x), turned)


def test_another_images_context_is_that_of_the_one_before() -> None:
    x = row()
    means = x.mean(dim=1)
    torch.testing.assert_close(context_of("other_image", x)[:, 0], means[[2, 0, 1]])
    assert torch.equal(on_grid("other_image")(x[:1]), on_grid("cb")(x[:1]))


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_who_looks_across_the_batch_is_known(name: str) -> None:
    """Their evaluation depends on which images are evaluated together."""
    x = row(images=4).float()
    made = on_grid(name, **NEEDED.get(name, {})).float()
    found = []
    for others in (x, torch.cat([x[:1], x[1:] * 2 + 1])):
        torch.manual_seed(0)
        found.append(made(others)[0])
    assert (not torch.equal(*found)) == bool(OPERATORS[name].across)


def test_noise_keeps_mean_and_spread_over_images_of_every_channel() -> None:
    x = row(images=4000) + torch.arange(8) * 0.1
    context, means = context_of("noise", x)[:, 0], x.mean(dim=1)
    assert (context - context_of("noise", x)[:, 0]).abs().max() > 0.1
    torch.testing.assert_close(context.mean(dim=0), means.mean(dim=0), rtol=0, atol=0.03)
    torch.testing.assert_close(context.std(dim=0), means.std(dim=0), rtol=0.06, atol=0)
    both = torch.stack((context[:, 0], means[:, 0]))
    assert abs(torch.corrcoef(both)[0, 1].item()) < 0.1


def test_random_tokens_differ_by_image_and_average_to_the_mean() -> None:
    x = row(images=1).expand(4000, -1, -1)
    context = context_of("random_tokens", x)[:, 0]
    tokens = x[0]
    nearest = (context.unsqueeze(1) - tokens).abs().sum(dim=2).min(dim=1)
    assert nearest.values.max() < 1e-9
    assert set(nearest.indices.tolist()) == set(range(N))
    torch.testing.assert_close(context.mean(dim=0), tokens.mean(dim=0), rtol=0, atol=0.1)
    many = context_of("random_tokens", x, count=100)[:, 0]
    assert (many.std(dim=0) < 2 * context.std(dim=0) / math.sqrt(100)).all()


def test_placebos_draw_from_the_generator_that_training_seeds() -> None:
    x = row()
    for name in ("noise", "random_tokens"):
        drawn = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            drawn.append(on_grid(name)(x))
        assert torch.equal(drawn[0], drawn[1])
        assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize(
    ("layout", "name", "options", "sentence"),
    [
        (Layout(8, prefix=None), "cb", {"over": "patches"}, "use over: all"),
        (Layout(8, prefix=1), "cls", {}, "class_token: true"),
        (Layout(8, prefix=None), "local", {"radius": 1}, "lists the families of which"),
        (Layout(8, prefix=1), "local", {"radius": 1}, "needs the grid of the patches"),
        (Layout(8, prefix=1), "regions", {"grid": 2}, "needs the grid of the patches"),
        (GRID, "regions", {"grid": 3}, "cannot cut 3 x 4 patches into 3 x 3 regions"),
    ],
)
def test_what_an_operator_must_know_and_is_not_told_is_refused(
    layout: Layout, name: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(StudyError, match=sentence):
        OPERATORS[name](layout, **options)


@pytest.mark.parametrize(("name", "options"), [("local", {"radius": 1}), ("regions", {"grid": 1})])
def test_a_row_that_is_not_the_grids_is_refused(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(StudyError, match=r"needs 2 \+ 3 x 4 tokens, but is given 13"):
        on_grid(name, **options)(row()[:, 1:])


def test_a_clash_of_names_raises_and_a_miss_lists_the_choices() -> None:
    with pytest.raises(ValueError, match="two context operators are called 'cb'"):
        table([Operator("cb", "cb:ContextBroadcast"), Operator("cb", "halve:Halve")])
    with pytest.raises(LookupError, match="add, bias, cb, cb_s"):
        operator("cbb")
