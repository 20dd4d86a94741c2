"""The contract of a probe: every one's tests inherit this class."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from cbablate.probes.catalog import metrics_of, sketches_of
from cbablate.probes.measuring import untouched
from cbablate.probes.probe import Held, Probe, ProbeResult, Subject
from cbablate.records.sketch import Sketch


class Convolutions(nn.Module):
    """A network without attention, blocks or patches: what is of those is undefined for it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(4, 10)

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.layers(x).mean(dim=(2, 3)))
        return outputs


def pictures(count: int = 12) -> Held:
    drawn = torch.Generator().manual_seed(0)
    return Held(torch.randn(count, 1, 8, 8, generator=drawn), torch.arange(count) % 10)


def subject_of(model: nn.Module, blocks: tuple[nn.Module, ...] = ()) -> Subject:
    return Subject(
        model=model,
        held_out=pictures(),
        test=pictures(),
        train=pictures(),
        blocks=blocks,
        batch_size=4,
        gradients=(1.0, 2.0) if blocks else (),
    )


class ProbeContract:
    """What `measuring` relies on, whoever measures. Say what to call and for which probes."""

    probe: ClassVar[Probe]
    asked: ClassVar[frozenset[str]]

    @pytest.fixture
    def subject(self) -> Subject:
        raise LookupError("a test class that inherits the contract gives the subject")

    def found(self, subject: Subject) -> ProbeResult:
        with untouched(subject.model, seed=0):
            return type(self).probe(subject, self.asked)

    def test_every_metric_is_found_or_absent_and_none_is_both(self, subject: Subject) -> None:
        found = self.found(subject)
        assert not {*found.metrics, *found.sketches} & set(found.absent)
        told = {*found.metrics, *found.sketches, *found.absent}
        assert told == {*metrics_of(self.asked), *sketches_of(self.asked)}
        assert set(found.vectors) <= set(found.metrics)
        assert all(Sketch.unpacked(sketch.packed).rows for sketch in found.sketches.values())
        values = [
            *found.metrics.values(),
            *(v for vector in found.vectors.values() for v in vector),
        ]
        assert all(isinstance(value, float) and math.isfinite(value) for value in values)

    def test_the_same_network_gives_the_same_numbers(self, subject: Subject) -> None:
        assert self.found(subject) == self.found(subject)

    def test_the_network_and_the_random_numbers_are_left_as_they_were(
        self, subject: Subject
    ) -> None:
        model = subject.model.train()
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for tensor in model.parameters():
            tensor.grad = torch.ones_like(tensor)
        hooks = _hooks(model)
        images = subject.held_out.spaced(100)[0].clone()
        state = torch.get_rng_state()
        self.found(subject)
        assert torch.equal(torch.get_rng_state(), state)
        assert _hooks(model) == hooks
        assert all(module.training for module in model.modules())
        assert all(torch.equal(tensor, before[n]) for n, tensor in model.state_dict().items())
        assert all(t.requires_grad for t in model.parameters())
        assert all(
            t.grad is not None and torch.equal(t.grad, torch.ones_like(t))
            for t in model.parameters()
        )
        assert torch.equal(subject.held_out.spaced(100)[0], images)

    def test_a_network_it_is_not_defined_for_is_told_with_a_reason_and_never_as_0(self) -> None:
        found = self.found(subject_of(Convolutions().eval()))
        told = {*found.metrics, *found.sketches, *found.absent}
        assert told == {*metrics_of(self.asked), *sketches_of(self.asked)}
        for name, absent in found.absent.items():
            assert name not in {*found.metrics, *found.sketches}
            assert absent.reason.strip(" .\n") == absent.reason != "", "a clause, without a stop"
        named = (*metrics_of(self.asked), *sketches_of(self.asked))
        of_attention = [n for n in named if n.startswith(("attention", "tokens"))]
        assert set(of_attention) <= set(found.absent)


def _hooks(model: nn.Module) -> list[int]:
    kinds: list[Callable[[nn.Module], int]] = [
        lambda m: len(m._forward_hooks),
        lambda m: len(m._forward_pre_hooks),
        lambda m: len(m._backward_hooks),
    ]
    return [kind(module) for module in model.modules() for kind in kinds]
