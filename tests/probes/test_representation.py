from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from cbablate.probes.probe import Held, Subject
from cbablate.probes.representation import cka, effective_rank, measure, similarity
from tests.probes.subjects import subject


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_effective_rank_is_how_many_directions_are_used_alike() -> None:
    assert effective_rank(torch.eye(7)) == pytest.approx(7)
    assert effective_rank(torch.diag(torch.tensor([4.0, 4.0, 0.0]))) == pytest.approx(2)
    assert effective_rank(torch.zeros(3, 3)) == 0
    # singular values 3 and 1
    shares = (0.75, 0.25)
    expected = math.exp(-sum(p * math.log(p) for p in shares))
    assert effective_rank(torch.diag(torch.tensor([9.0, 1.0]))) == pytest.approx(expected)


def test_similarity_is_the_mean_cosine_of_two_tokens() -> None:
    tokens = drawn(3, 6, 4)
    units = nn.functional.normalize(tokens, dim=-1)
    cosines = units @ units.transpose(-1, -2)
    pairs = [cosines[:, i, j] for i in range(6) for j in range(6) if i != j]
    torch.testing.assert_close(similarity(tokens), torch.stack(pairs).mean(dim=0))
    torch.testing.assert_close(similarity(tokens[:, :1].expand(3, 6, 4)), torch.ones(3).double())


def test_cka_sees_neither_rotation_nor_scale_and_sees_the_rest() -> None:
    features = drawn(40, 5)
    rotation, _ = torch.linalg.qr(drawn(5, 5, seed=1))
    assert cka(features, 3 * features @ rotation + 2) == pytest.approx(1)
    other = cka(features, drawn(40, 5, seed=2))
    assert other is not None
    assert other < 0.5
    assert cka(features, torch.ones(40, 5)) is None


def test_the_rank_is_that_of_all_tokens_of_all_images() -> None:
    made = subject()
    found = measure(made, frozenset({"rank", "similarity", "cka"}))
    seen: list[torch.Tensor] = []
    handle = made.blocks[1].register_forward_hook(lambda _m, _a, output: seen.append(output))
    with torch.inference_mode():
        made.model(made.held_out.spaced(100)[0])
    handle.remove()
    rows = seen[0].flatten(0, 1).double()
    values = torch.linalg.svdvals(rows - rows.mean(dim=0))
    shares = values / values.sum()
    exact = float(torch.special.entr(shares).sum().exp())
    assert found.vectors["tokens/effective_rank"][1] == pytest.approx(exact, rel=1e-4)
    assert found.vectors["tokens/similarity"][1] == pytest.approx(
        float(similarity(seen[0]).mean()), abs=1e-6
    )
    assert all(0 <= value <= 1 for value in found.vectors["tokens/cka_initial"])


def test_a_network_as_it_started_is_aligned_with_its_start() -> None:
    made = subject()
    same = replace(made, initial=lambda: made.model)
    assert measure(same, frozenset({"cka"})).metrics["tokens/cka_initial"] == pytest.approx(1)


def test_blocks_that_hand_on_no_tokens_have_no_rank() -> None:
    block = nn.Conv2d(1, 1, 1)
    held = Held(torch.zeros(1, 1, 2, 2), torch.zeros(1))
    found = measure(Subject(block, held, held, held, blocks=(block,)), frozenset({"rank"}))
    assert "not a row of tokens" in found.absent["tokens/effective_rank"].reason


@pytest.mark.parametrize("mean", [0.0, 5.0, 50.0])
def test_the_rank_does_not_see_where_the_tokens_mean_lies(mean: float) -> None:
    made, seen = subject(), list[torch.Tensor]()

    def moved(_block: nn.Module, _given: object, output: torch.Tensor) -> torch.Tensor:
        seen.append(0.01 * output.detach().double() + mean)
        return seen[-1].float()

    handle = made.blocks[1].register_forward_hook(moved)
    found = measure(made, frozenset({"rank"})).vectors["tokens/effective_rank"][1]
    handle.remove()
    looked = seen[1:]  # the first is one image, to see whether there are tokens
    rows = torch.cat([one.flatten(0, 1) for one in looked]).float().double()
    values = torch.linalg.svdvals(rows - rows.mean(dim=0))
    exact = float(torch.special.entr(values / values.sum()).sum().exp())
    assert found == pytest.approx(exact, rel=1e-3)
