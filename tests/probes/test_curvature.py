from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cbablate.probes import gradient
from cbablate.probes.curvature import measure, top_eigenvalue
from cbablate.probes.probe import Held, Subject
from tests.probes.subjects import subject


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
