from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cbablate.probes.attention.jacobian import frobenius, nuclear, spectral


def explicit(rows: Tensor) -> Tensor:
    """Nuclear, Frobenius and spectral norm from whole matrices in float64."""
    rows = rows.double()
    matrices = torch.diag_embed(rows) - rows[..., :, None] * rows[..., None, :]
    values = torch.linalg.svdvals(matrices)
    return torch.stack([values.sum(-1), values.square().sum(-1).sqrt(), values[..., 0]])


def ours(rows: Tensor) -> Tensor:
    squares, cubes = rows.square().sum(-1), rows.pow(3).sum(-1)
    return torch.stack([nuclear(squares), frobenius(squares, cubes), spectral(rows)])


@settings(deadline=None, max_examples=60)
@given(
    st.integers(2, 40),
    st.sampled_from([0.0, 1e-6, 1e-3, 0.1, 1.0, 3.0, 10.0, 60.0]),
    st.integers(0, 999),
)
def test_the_norms_are_those_of_the_matrix(tokens: int, spread: float, seed: int) -> None:
    drawn = torch.Generator().manual_seed(seed)
    scores = spread * torch.randn(8, tokens, generator=drawn, dtype=torch.float64)
    rows = scores.softmax(-1)
    exact = explicit(rows)
    torch.testing.assert_close(ours(rows), exact, atol=1e-6, rtol=1e-6)
    # in float32 the Frobenius norm is the root of a difference of nearly equal sums
    found = ours(rows.float()).double()
    torch.testing.assert_close(found[0], exact[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[1].square(), exact[1].square(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[2], exact[2], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("row", "norm"),
    [
        ([1.0, 0.0, 0.0], 0.0),
        ([0.5, 0.5, 0.0], 0.5),
        ([0.25] * 4, 0.25),
        ([0.4, 0.4, 0.2], 0.4),
        ([1.0], 0.0),
        ([1e-30, 1.0, 0.0], 0.0),
    ],
)
def test_the_spectral_norm_where_it_is_known(row: list[float], norm: float) -> None:
    assert spectral(torch.tensor(row)).item() == pytest.approx(norm, abs=1e-7)


def test_uniform_rows_have_the_norms_of_theory() -> None:
    """1 - 1/N, sqrt(N - 1) / N and 1/N."""
    for tokens in (2, 16, 197):
        found = ours(torch.full((tokens,), 1 / tokens, dtype=torch.float64))
        expected = [1 - 1 / tokens, (tokens - 1) ** 0.5 / tokens, 1 / tokens]
        assert found.tolist() == pytest.approx(expected)
