from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cbablate.errors import StudyError
from cbablate.models.building import build
from cbablate.models.operators import OPERATORS
from cbablate.models.placing import PLACES, blocks_of, operators_of
from tests.workloads.images import tiny

PAIRS = list(itertools.product(sorted(OPERATORS), sorted(PLACES)))


def made(context: Any = None, **model: Any) -> nn.Module:
    return build(tiny({"context": context, "model": model}), seed=0, num_classes=10)


def images(count: int = 3) -> Tensor:
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def line(x: Tensor) -> Tensor:
    return 0.5 * (x + x.mean(dim=1, keepdim=True))


def by_hand(place: str) -> Callable[[nn.Module], None]:
    """timm's own forward of an MLP or attention, written out with the paper's line in it."""

    def mlp(block: Any) -> Callable[[Tensor], Tensor]:
        m = block.mlp

        def forward(x: Tensor) -> Tensor:
            x = line(x) if place == "mlp.front" else x
            x = m.norm(m.drop1(m.act(m.fc1(x))))
            x = line(x) if place == "mlp.mid" else x
            x = m.drop2(m.fc2(x))
            return line(x) if place == "mlp.end" else x

        return forward

    def alter(model: nn.Module) -> None:
        for _, block in blocks_of(model):
            if place == "attn.end":
                plain = block.attn.forward
                block.attn.forward = lambda x, plain=plain, **kw: line(plain(x, **kw))
            else:
                block.mlp.forward = mlp(block)

    return alter


@pytest.mark.parametrize("place", sorted(PLACES))
def test_cb_at_a_place_equals_the_papers_line_written_there_by_hand(place: str) -> None:
    placed, hand = made({"operator": "cb", "place": place}), made()
    by_hand(place)(hand)
    left, right = images().requires_grad_(), images().requires_grad_()
    one, other = placed(left), hand(right)
    assert torch.equal(one, other)
    one.square().sum().backward()
    other.square().sum().backward()
    assert torch.equal(left.grad, right.grad)
    for (name, parameter), (same, twin) in zip(
        placed.named_parameters(), hand.named_parameters(), strict=True
    ):
        assert name == same
        assert torch.equal(parameter.grad, twin.grad), name


@pytest.mark.parametrize(("operator", "place"), PAIRS)
def test_every_operator_at_every_place_learns_and_changes_the_function(
    operator: str, place: str
) -> None:
    model = made({"operator": operator, "place": place})
    output = model(images())
    assert not torch.equal(output, made()(images()))
    output.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize(("operator", "place"), PAIRS)
def test_only_cb_s_adds_parameters_one_a_channel_of_its_place(operator: str, place: str) -> None:
    plain, placed = made(), made({"operator": operator, "place": place})
    more = sum(p.numel() for p in placed.parameters()) - sum(p.numel() for p in plain.parameters())
    width = 32 if place == "mlp.mid" else 16
    assert more == (2 * width if operator == "cb_s" else 0)


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


def test_weights_go_through_a_state_dict_and_back(tmp_path: Any) -> None:
    model = made({"operator": "cb_s"})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1)
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    other = made({"operator": "cb_s"})
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert torch.equal(other(images()), model(images()))


def test_weights_of_a_model_with_cb_load_into_the_plain_one() -> None:
    made().load_state_dict(made({"operator": "cb"}).state_dict(), strict=True)


def test_a_compiled_model_computes_the_same() -> None:
    model = made([{"operator": "cb_s", "place": place} for place in PLACES])
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert torch.equal(compiled(images()), model(images()))


def test_mid_and_end_are_one_function_of_the_weights_up_to_rounding() -> None:
    """A mean over tokens and an affine map commute, so CB has two places in an MLP, not three."""
    mid, end = (made({"operator": "cb", "place": p}).double() for p in ("mlp.mid", "mlp.end"))
    x = images().double()
    torch.testing.assert_close(mid(x), end(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("mixer_s32_224", "no transformer blocks"), ("resnet10t", "looked for a sequence")],
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
    from cbablate.models.placing import place

    with pytest.raises(StudyError, match=r"needs 'mlp\.fc2' in every block"):
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


def test_an_operator_refuses_what_is_no_row_of_tokens() -> None:
    model = made({"operator": "cb"})
    with pytest.raises(StudyError, match=r"\(2, 4, 4, 16\)"):
        model.blocks[0].mlp(torch.zeros(2, 4, 4, 16))
