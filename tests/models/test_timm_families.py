"""What `cbablate models` says of a model's places is what placing an operator there meets.

    CBABLATE_MATRIX=full python -m pytest tests/models/test_timm_families.py

asks for one model of each of timm's modules, which takes minutes; else for some. All of it is on
torch's meta device, as portraits are.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import timm
import torch
from torch import nn

from cbablate.errors import StudyError
from cbablate.models.places import ONCE, PLACES
from cbablate.models.placing import operators_of, place
from cbablate.models.portrait import Portrait, portrait
from cbablate.overviews.models_overview import listed

FULL = os.environ.get("CBABLATE_MATRIX") == "full"
SOME = (
    "levit_128s", "convit_tiny", "mvitv2_tiny", "pit_ti_224", "mobilevit_xxs",
    "convnext_atto", "vgg11",
)  # fmt: skip


def smallest_of_every_module() -> list[str]:
    """The model of each of timm's modules whose name is shortest, and among these the first."""
    found = []
    for module in timm.list_modules():
        names = sorted(timm.list_models(module=module), key=lambda name: (len(name), name))
        tiny = [
            name for name in names if any(word in name for word in ("tiny", "xs", "_s", "nano"))
        ]
        found += (tiny or names)[:1]
    return found


def plain(name: str) -> nn.Module:
    """The model of this name, without numbers."""
    with torch.device("meta"):
        model = timm.create_model(name, pretrained=False)
    return model.eval().requires_grad_(False)


def met(model: nn.Module, size: Sequence[int], *placements: Mapping[str, Any]) -> str:
    """Why halvings there are refused by who places them or by their run; "" where all work."""
    model, idle = copy.deepcopy(model), set[str]()
    try:
        place(model, [{"operator": "halve", **placement} for placement in placements])
        for where, placed in operators_of(model):
            idle.add(where)
            placed.register_forward_hook(lambda *_, where=where: idle.discard(where))
        with torch.no_grad():
            model(torch.empty(1, *size, device="meta"))
    except StudyError as error:
        return str(error)
    return f"{sorted(idle)} are never called" if idle else ""


@pytest.mark.slow
@pytest.mark.parametrize("name", smallest_of_every_module() if FULL else SOME)
def test_a_place_is_offered_or_not_with_a_reason_and_placing_there_agrees(name: str) -> None:
    try:
        found = portrait(name)
    except StudyError as error:
        assert "cannot be made or run without numbers" in str(error)  # noqa: PT017 - most can
        return
    assert {*found.places} | {*found.absent} == {*PLACES}
    assert {*found.places} & {*found.absent} == set()
    assert {*found.partial} <= {*found.absent} - ONCE
    assert all(found.absent.values())
    assert all(0 < len(indices) < len(found.blocks) for indices in found.partial.values())
    model = plain(name)
    some = [{"place": where, "blocks": list(found.partial[where])} for where in found.partial]
    offered = [*({"place": where} for where in found.places), *some]
    assert met(model, found.size, *offered) == ""
    for where in found.absent:
        assert met(model, found.size, {"place": where}), where


@pytest.mark.slow
@pytest.mark.parametrize("name", ["levit_128s", "convit_tiny"])
def test_what_is_not_known_of_a_block_is_said_to_be_unknown(name: str) -> None:
    said = listed(name)
    assert "0 tokens" not in said
    assert "0 channels" not in said
    assert "tokens and channels unknown" in said
    found: Portrait = portrait(name)
    unknown = [index for index, tokens in enumerate(found.tokens) if tokens is None]
    assert unknown == [index for index, width in enumerate(found.widths) if width is None]
    assert all(index not in found.partial.get("block.front", ()) for index in unknown)


@pytest.mark.slow
def test_a_place_that_only_some_blocks_have_is_told_with_their_numbers() -> None:
    said = listed("convit_tiny")
    assert "block.front in some blocks alone, blocks: [10, 11]; not in the others: it needs" in said
    offered = next(line for line in said.splitlines() if line.startswith("places:"))
    assert "block.front" not in offered
    sentence = met(plain("convit_tiny"), (3, 224, 224), {"place": "block.front"})
    assert "write blocks: [10, 11]" in sentence
