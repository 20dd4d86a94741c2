"""The cost of `image_classification`: the cost of a trial, from a few updates."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
import torch

from cbablate.data.images import load
from cbablate.spec.budget import Budget
from cbablate.training.compute import choose
from cbablate.workloads.images import image_cost
from cbablate.workloads.images.image_cost import cost
from tests.workloads.images import tiny


def test_it_tells_memory_and_device_and_leaves_the_generator_alone() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    found = cost(tiny({"probes": ["entropy"]}), budget=Budget(epochs=3))
    assert torch.equal(torch.get_rng_state(), before)
    assert found["memory"] > 50_000_000
    assert found["device"] == choose().name


def test_an_epoch_is_its_updates_and_one_scoring_of_the_validation_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a clock by which each thing that is timed takes a second."""
    ticks = itertools.count()
    monkeypatch.setattr(image_cost, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    images = load("digits")
    updates = len(images.train) // 64
    found = cost(tiny(), budget=Budget(epochs=2))
    assert found["units"] == pytest.approx([updates + 1.0] * 3)
    assert found["setup"] == 1
    scored = (len(images.test) + len(images.train)) / len(images.val)
    assert found["end"] == pytest.approx(scored + 1)
    in_steps = cost(tiny(), budget=Budget(steps=40))
    assert in_steps["units"] == pytest.approx([1 + 1 / updates] * 3)
