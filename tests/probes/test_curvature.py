from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from cbablate.data.images import load
from cbablate.models.building import build
from cbablate.probes import gradient
from cbablate.probes.curvature import measure, top_eigenvalue
from cbablate.probes.probe import Absent, Held, Subject
from tests.probes.subjects import subject
from tests.workloads.images import tiny


@pytest.mark.parametrize("values", [[3.0, 1.0, -2.0], [1.0, -5.0, 0.5], [-1.0, -4.0, -2.0]])
def test_the_top_eigenvalue_is_the_largest_not_the_largest_in_size(values: list[float]) -> None:
    rotation, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)))
    matrix = rotation @ torch.diag(torch.tensor(values)) @ rotation.T

    def product(vector: list[Tensor]) -> list[Tensor]:
        return [matrix @ vector[0]]

    start = [torch.tensor([1.0, 0.5, -0.3])]
    assert top_eigenvalue(product, start) == pytest.approx(max(values), abs=0.01)


def test_a_flat_map_has_eigenvalue_0() -> None:
    assert top_eigenvalue(lambda v: [0 * part for part in v], [torch.ones(3)]) == 0


STARTS = range(6)


def largest(values: Tensor, seed: int = 0) -> float | Absent:
    """What is found of the map that multiplies each number by one of `values`."""
    drawn = torch.Generator().manual_seed(seed)
    return top_eigenvalue(lambda x: [x[0] * values], [torch.randn(len(values), generator=drawn)])


@pytest.mark.parametrize("seed", STARTS)
@pytest.mark.parametrize(
    "values",
    [
        [1.0, -1.0],
        [50.74, -50.06, 24.3, *[1.0] * 100],
        [3.0, -3.0, *[0.0] * 40],
        [-1.0, *[-7.0] * 60],
        [*[0.0] * 200, *[-1.0] * 20],
        [18.74, -50.2, 18.7, *[0.01 * i for i in range(-300, 300)]],
        [-float(i) for i in range(1, 200)],
        [2.0] * 50,
    ],
)
def test_an_eigenvalue_is_found_from_every_start_whatever_the_others_are(
    values: list[float], seed: int
) -> None:
    found = largest(torch.tensor(values), seed)
    assert found == pytest.approx(max(values), rel=1e-3, abs=1e-6)
    assert found == largest(torch.tensor(values), seed), "the same start gives the same bits"


def test_an_eigenvalue_that_is_not_reached_is_absent_and_never_another_number() -> None:
    found = largest(torch.cat([torch.linspace(-50, 50, 3000), torch.tensor([50.02])]))
    assert isinstance(found, Absent)
    assert "40 restarts" in found.reason
    assert isinstance(largest(torch.tensor([math.nan, *[1.0] * 50])), Absent)


def test_a_map_that_is_not_symmetric_leaves_a_residual_and_is_absent() -> None:
    drawn = torch.Generator().manual_seed(0)
    matrix = torch.randn(200, 200, generator=drawn)
    found = top_eigenvalue(lambda x: [matrix @ x[0]], [torch.randn(200, generator=drawn)])
    assert isinstance(found, Absent)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_untrained_transformers_have_the_top_of_the_explicit_hessian(seed: int) -> None:
    """There the most negative eigenvalue often is as large as the largest."""
    changes = {"model.embed_dim": 4, "model.num_heads": 1, "model.depth": 1, "model.mlp_ratio": 1.0}
    start = {"model.weight_init": ("reset", "")[seed % 2]}
    model = build(tiny({**changes, **start}), seed=seed, num_classes=10).eval()
    images, labels = load("digits").train.held(0).pair
    images, labels = images[seed::36], labels[seed::36]
    held = Held(images, labels)
    found = measure(Subject(model, held, held, held, seed=seed), frozenset({"curvature"}))
    names, shapes = zip(*[(n, t.shape) for n, t in model.named_parameters()], strict=True)
    at = torch.cat([t.detach().flatten() for t in model.parameters()]).double()
    model.double()

    def loss(flat: Tensor) -> Tensor:
        parts = flat.split([shape.numel() for shape in shapes])
        weights = {n: p.view(s) for n, p, s in zip(names, parts, shapes, strict=True)}
        return nn.functional.cross_entropy(functional_call(model, weights, images.double()), labels)

    with sdpa_kernel(SDPBackend.MATH):
        hessian = torch.autograd.functional.hessian(loss, at, vectorize=True)
    top = float(torch.linalg.eigvalsh(hessian)[-1])
    assert found.metrics["loss/hessian_top"] == pytest.approx(top, rel=1e-3)


@pytest.mark.slow
def test_an_operator_that_draws_is_one_function_while_its_loss_is_bent() -> None:
    config = tiny({"model.patch_size": 2, "context": {"operator": "noise", "place": "block.end"}})
    made = replace(subject(), model=build(config, seed=0, num_classes=10).eval())
    found = [measure(made, frozenset({"curvature"})) for _ in range(2)]
    assert found[0] == found[1]
    assert not found[0].absent


def test_curvature_is_that_of_the_whole_hessian() -> None:
    drawn = torch.Generator().manual_seed(0)
    images = torch.randn(70, 1, 2, 2, generator=drawn)
    labels = torch.randint(3, (70,), generator=drawn)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    nn.init.normal_(model[1].weight, generator=drawn)  # type: ignore[arg-type]  # a linear layer's
    nn.init.zeros_(model[1].bias)  # type: ignore[arg-type]  # a linear layer's
    weight, bias = (t.detach() for t in model.parameters())

    def loss(flat: Tensor) -> Tensor:
        outputs = images.flatten(1) @ flat[:12].view(3, 4).T + flat[12:]
        return nn.functional.cross_entropy(outputs, labels)

    at = torch.cat([weight.flatten(), bias])
    held = Held(images, labels)
    found = measure(Subject(model, held, held, held), frozenset({"curvature"})).metrics
    hessian = torch.autograd.functional.hessian(loss, at)
    top = float(torch.linalg.eigvalsh(hessian)[-1])
    assert found["loss/hessian_top"] == pytest.approx(top, rel=0.02)
    slope = torch.autograd.functional.jacobian(loss, at)
    away = at + 0.05 * slope / slope.norm()
    assert found["loss/sharpness"] == pytest.approx(float(loss(away) - loss(at)), abs=1e-5)


def test_gradient_norms_are_those_of_the_blocks() -> None:
    made = subject()
    images, labels = made.train.spaced(4)
    nn.functional.cross_entropy(made.model(images), labels).backward()
    found = gradient.norms(made.blocks)
    for norm, block in zip(found, made.blocks, strict=True):
        whole = torch.cat([t.grad.flatten() for t in block.parameters() if t.grad is not None])
        assert norm == pytest.approx(float(whole.norm()), rel=1e-5)
    made.model.zero_grad()
    assert gradient.norms(made.blocks) == (0.0, 0.0)
