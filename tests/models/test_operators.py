from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.models.cb import ContextBroadcast
from cbablate.models.operators import OPERATORS, operator, table

shapes = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 8))


def _tokens(shape: tuple[int, int, int]) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@settings(deadline=None)
@given(shapes)
def test_cb_is_the_papers_line_bit_for_bit(shape: tuple[int, int, int]) -> None:
    x = _tokens(shape)
    assert torch.equal(ContextBroadcast(shape[2])(x), 0.5 * (x + x.mean(dim=1, keepdim=True)))


@settings(deadline=None)
@given(shapes)
def test_cb_keeps_the_mean_token_and_halves_deviations_from_it(
    shape: tuple[int, int, int],
) -> None:
    x = _tokens(shape).double()
    mean = x.mean(dim=1, keepdim=True)
    mixed = OPERATORS["cb"](shape[2])(x)
    torch.testing.assert_close(mixed.mean(dim=1, keepdim=True), mean)
    torch.testing.assert_close(mixed - mean, 0.5 * (x - mean))


@settings(deadline=None)
@given(shapes)
def test_the_controls_take_cb_apart(shape: tuple[int, int, int]) -> None:
    x = _tokens(shape)
    cb, add, halve = (OPERATORS[name](shape[2]) for name in ("cb", "add", "halve"))
    assert torch.equal(halve(add(x)), cb(x))
    assert torch.equal(halve(x), x / 2)


@settings(deadline=None)
@given(shapes)
def test_cb_s_starts_as_cb_and_at_weight_zero_is_halving(shape: tuple[int, int, int]) -> None:
    x = _tokens(shape)
    scaled = OPERATORS["cb_s"](shape[2])
    assert torch.equal(scaled(x), OPERATORS["cb"](shape[2])(x))
    with torch.no_grad():
        scaled.lam.zero_()
    assert torch.equal(scaled(x), OPERATORS["halve"](shape[2])(x))


@pytest.mark.parametrize(
    ("name", "parameters", "flops"),
    [("cb", 0, 3 * 5 * 8), ("cb_s", 8, 3 * 5 * 8 + 8), ("add", 0, 2 * 5 * 8), ("halve", 0, 5 * 8)],
)
def test_an_operator_has_the_parameters_and_operations_it_says(
    name: str, parameters: int, flops: int
) -> None:
    made = OPERATORS[name](8)
    assert sum(p.numel() for p in made.parameters()) == parameters
    assert made.flops(5) == flops  # type: ignore[operator]  # every operator has it


def test_a_clash_of_names_raises_and_a_miss_lists_the_choices() -> None:
    with pytest.raises(ValueError, match="two context operators are called 'cb'"):
        table([("cb", ContextBroadcast), ("cb", ContextBroadcast)])
    with pytest.raises(LookupError, match="add, cb, cb_s, halve"):
        operator("se")
