"""Every operator at every place: what holds for all of them."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cbablate.models.operators.catalog import OPERATORS
from cbablate.models.placing import operators_of
from tests.models.cases import CASES, STARTS_IDLE, VIT, images, made

MATRIX = list(itertools.product(CASES, sorted(VIT)))
IDENTITIES = [
    {"operator": name, **row.identity}
    for name, row in OPERATORS.items()
    if row.identity is not None
]


@cache
def plain() -> dict[str, Tensor]:
    return made(depth=1).state_dict()


@cache
def plain_output() -> Tensor:
    return made(depth=1)(images()).detach()


def output(model: nn.Module) -> Tensor:
    """What a model says of the images; placebos draw the same in every call."""
    torch.manual_seed(7)
    return model(images())


def test_the_cases_use_every_option() -> None:
    taken = {name for row in OPERATORS.values() for name in row.names}
    assert {key for case in CASES.values() for key in case} >= taken


@pytest.mark.parametrize(("case", "place"), MATRIX)
def test_it_learns_changes_the_function_and_keeps_names_and_bits_of_the_base_weights(
    case: str, place: str
) -> None:
    model = made({**CASES[case], "place": place}, depth=1)
    weights = model.state_dict()
    assert {name for name in weights if "context." not in name} == set(plain())
    assert [name for name, base in plain().items() if not torch.equal(base, weights[name])] == []
    with torch.no_grad():
        for _, placed in operators_of(model) if case in STARTS_IDLE else []:
            for parameter in placed.parameters():
                parameter.add_(0.1)
    said = output(model)
    assert not torch.equal(said, plain_output())
    said.square().sum().backward()
    assert said.isfinite().all()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    for name, placed in operators_of(model):
        told = [p.grad.abs().sum().item() for p in placed.parameters() if p.grad is not None]
        assert all(told), f"{name}: {told}"
    other = made({**CASES[case], "place": place}, depth=1)
    other.load_state_dict(
        {name: tensor + 0.1 for name, tensor in weights.items()},
        strict=True,
    )
    moved = output(other)
    assert not torch.equal(moved, said)
    other.load_state_dict(weights, strict=True)
    assert torch.equal(output(other), said)


@pytest.mark.slow
@pytest.mark.parametrize("place", sorted(VIT))
@pytest.mark.parametrize("context", IDENTITIES, ids=lambda context: context["operator"])
def test_at_its_identity_setting_the_model_is_the_untouched_one_bit_for_bit(
    context: dict[str, Any], place: str
) -> None:
    model = made({**context, "place": place}, proj_drop_rate=0.1, drop_path_rate=0.1)
    base = made(proj_drop_rate=0.1, drop_path_rate=0.1)
    assert torch.equal(output(model), output(base))
    assert torch.equal(output(model.eval()), output(base.eval()))


@pytest.mark.parametrize("case", CASES)
def test_only_an_operator_with_parameters_has_a_start_to_reset(case: str) -> None:
    for _, placed in operators_of(made(CASES[case])):
        assert hasattr(placed, "reset_parameters") == any(True for _ in placed.parameters()) or (
            case == "mix"
        )


@pytest.mark.parametrize("place", ["mlp.end", "attn.values"])
@pytest.mark.parametrize("case", CASES)
def test_it_learns_in_bfloat16(case: str, place: str) -> None:
    model = made({**CASES[case], "place": place})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        said = output(model)
    said.float().square().sum().backward()
    assert said.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.slow
def test_a_compiled_model_of_all_operators_computes_the_same() -> None:
    model = made(list(CASES.values()), depth=1)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert torch.equal(output(compiled), output(model))


@pytest.mark.slow
def test_a_compiled_model_with_an_operator_at_all_places_computes_the_same() -> None:
    model = made([{"operator": "cb_s", "place": place} for place in VIT])
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert torch.equal(output(compiled), output(model))


def test_operators_that_learn_start_from_the_seed_and_their_names() -> None:
    one, other = (
        {f"{n}.{k}": p for n, o in operators_of(m) for k, p in o.named_parameters()}
        for m in (made(CASES["se"]), made([CASES["cb"], CASES["se"]]))
    )
    assert torch.equal(
        one["blocks.0.context.mlp_end.0.squeeze.weight"],
        made(CASES["se"]).state_dict()["blocks.0.context.mlp_end.0.squeeze.weight"],
    )
    assert not torch.equal(
        one["blocks.0.context.mlp_end.0.squeeze.weight"],
        one["blocks.1.context.mlp_end.0.squeeze.weight"],
    )
    assert set(one) != set(other)
