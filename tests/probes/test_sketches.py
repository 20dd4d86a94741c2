"""What probes leave of a network for later: held against the network itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cbablate.analysis.measures.alignment import cka
from cbablate.probes import maps as probe_of_maps
from cbablate.probes.alignment import IMAGES, triangle
from cbablate.probes.attention import scores
from cbablate.probes.catalog import GRAMS, MAPS
from cbablate.probes.measuring import measure
from cbablate.probes.probe import Held, Subject
from cbablate.probes.representation import cka as explicit
from cbablate.probes.representation import features
from cbablate.records.sketch import Sketch
from cbablate.testing.probe import pictures
from tests.probes.subjects import subject
from tests.probes.test_attention_rows import maps as whole_maps

WITHOUT_CLASS = {"class_token": False, "global_pool": "avg"}


def left(made: Subject, probe: str, name: str) -> Sketch:
    return Sketch.unpacked(measure(made, [probe]).sketches[name].packed)


def test_two_networks_are_aligned_from_their_sketches_as_from_their_features() -> None:
    one, other = subject(), subject(embed_dim=32, depth=2)
    kept = [left(each, "alignment", GRAMS) for each in (one, other)]
    assert kept[0].about == kept[1].about
    images, _ = one.held_out.spaced(IMAGES)
    whole = [features(each.model, each.blocks, images) for each in (one, other)]
    assert len(kept[0].rows) == len(whole[0]) == 2
    for layer in range(2):
        found = cka(kept[0].rows[layer], kept[1].rows[layer])
        wanted = explicit(whole[0][layer], whole[1][layer])
        assert found is not None
        assert wanted is not None
        assert found[1] == pytest.approx(wanted, abs=1e-4)
        assert cka(kept[0].rows[layer], kept[0].rows[layer]) == pytest.approx((1, 1), abs=1e-12)
        assert triangle(whole[0][layer]).tolist() == pytest.approx(
            kept[0].rows[layer], abs=float(triangle(whole[0][layer]).abs().max()) / 60_000
        )


def test_networks_shown_other_images_can_be_told_apart() -> None:
    made = subject()
    other = replace(made, held_out=Held(made.held_out.spaced(12)[0] + 1, torch.arange(12)))
    assert left(made, "alignment", GRAMS).about != left(other, "alignment", GRAMS).about


def test_of_fewer_than_four_images_there_is_nothing_to_align() -> None:
    found = measure(replace(subject(), held_out=pictures(3)), ["alignment"])
    assert found.absent[GRAMS].reason == "fewer than 4 images are held out"


@pytest.mark.parametrize("tile", [1 << 18, 40])
@pytest.mark.parametrize("changes", [{}, {"reg_tokens": 2}, WITHOUT_CLASS])
def test_a_map_is_where_the_class_token_looks_or_all_patches_on_the_mean(
    changes: dict[str, Any], tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "_CACHED", tile)
    made = subject(**changes)
    kept = left(made, "maps", MAPS)
    images, _ = made.held_out.spaced(probe_of_maps.IMAGES)
    assert [round(each) for each in kept.rows[0]] == [8, 8, 1]
    assert [round(each) for each in kept.rows[1]] == [4, 4, 1, 2]
    prefix = 1 - ("class_token" in changes) + changes.get("reg_tokens", 0)
    whole = whole_maps(made.model, images)
    for place, layer in enumerate((whole[0], whole[-1]), start=1):
        rows = layer[:, :, prefix:] if changes is WITHOUT_CLASS else layer[:, :, :1]
        among = rows[..., prefix:].sum(dim=(1, 2))
        wanted = among / among.sum(dim=-1, keepdim=True)
        for image in range(len(images)):
            found = kept.rows[2 + 3 * image + place]
            assert np.allclose(found, wanted[image].tolist(), atol=4e-5)


def test_images_are_kept_as_they_look_and_no_larger_than_a_thumbnail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = subject()
    images, _ = made.held_out.spaced(4)
    low, high = made.range()
    shown = ((images - low) / (high - low)).flatten(1)
    assert np.allclose(left(made, "maps", MAPS).rows[2], shown[0].tolist(), atol=4e-5)
    monkeypatch.setattr(probe_of_maps, "PIXELS", 2)
    monkeypatch.setattr(probe_of_maps, "SIDE", 2)
    small = left(made, "maps", MAPS)
    assert [round(each) for each in (*small.rows[0], *small.rows[1])] == [2, 2, 1, 2, 2, 1, 2]
    assert np.allclose(
        small.rows[2], shown[0].reshape(2, 4, 2, 4).mean(dim=(1, 3)).flatten().tolist(), atol=4e-5
    )
