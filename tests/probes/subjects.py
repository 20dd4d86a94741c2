"""Subjects of probes that are small and sharp."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from cbablate.models.building import build
from cbablate.models.placing import blocks_of
from cbablate.probes.probe import Subject
from cbablate.testing.probe import subject_of
from tests.workloads.images import tiny


def network(**changes: Any) -> nn.Module:
    """A ViT of two blocks with scores far enough apart for its rows to differ."""
    keys = {"model.patch_size": 2, **{f"model.{key}": value for key, value in changes.items()}}
    model = build(tiny(keys), seed=0, num_classes=10)
    drawn = torch.Generator().manual_seed(0)
    for _, block in blocks_of(model):
        weight = block.get_parameter("attn.qkv.weight")
        nn.init.normal_(weight, std=0.8, generator=drawn)
    return model.eval()


def subject(**changes: Any) -> Subject:
    """That network as a subject; it started with other scores."""
    model = network(**changes)
    made = subject_of(model, tuple(block for _, block in blocks_of(model)))
    started = tiny({"model.patch_size": 2, **{f"model.{key}": v for key, v in changes.items()}})
    return replace(made, initial=lambda: build(started, seed=1, num_classes=10))
