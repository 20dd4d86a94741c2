"""Every family: what can be placed where, what it does there, and what is refused.

    CBABLATE_MATRIX=full python -m pytest tests/models/test_families.py

tries every operator at every place of every family and says how many that were, which takes
minutes; else CB is tried everywhere, and each other operator somewhere.
"""

from __future__ import annotations

import copy
import itertools
import os
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cbablate.errors import StudyError
from cbablate.models.anatomy import Anatomy, SurgeryPoint, anatomy
from cbablate.models.building import build
from cbablate.models.operators.catalog import OPERATORS, operator
from cbablate.models.operators.layout import Layout
from cbablate.models.places import ONCE, PLACES
from cbablate.models.placing import operators_of, place
from cbablate.models.view import View
from tests.models.cases import CASES, STARTS_IDLE
from tests.models.families import FAMILIES, images_for, plain, plain_output, with_context
from tests.reporting import golden

FULL = os.environ.get("CBABLATE_MATRIX") == "full"
IDENTITIES = {
    name: {"operator": name, **row.identity}
    for name, row in OPERATORS.items()
    if row.identity is not None
}


ENDINGS = (
    "choose a model with class_token: true",
    "grid must divide both sides",
    "says what is known of a model)",
)
"""Of the sentences that refuse an operator at a place that there is."""


@cache
def anatomy_of(family: str) -> Anatomy:
    return anatomy(plain(family))


def matrix(family: str) -> list[tuple[str, str]]:
    """Operators and places to try in a family: all, or a part that moves on from family to family.

    Every operator is then tried in a quarter of the families, and CB at all places of all.
    """
    found = anatomy_of(family).places
    whole = list(itertools.product(CASES, found))
    if FULL:
        return whole
    turn = list(FAMILIES).index(family)
    others = [case for case in CASES if case != "cb"][turn % 4 :: 4]
    return [(case, where) for case, where in whole if case == "cb"] + [
        (case, found[(index + turn) % len(found)]) for index, case in enumerate(others)
    ]


def said(model: nn.Module, family: str) -> Tensor:
    """What a model says of the images; placebos draw the same in every call."""
    torch.manual_seed(7)
    told: Tensor = model(images_for(family))
    return told


def refusal(family: str, placement: dict[str, Any]) -> str:
    """The sentence that refuses a placement, empty where it is taken."""
    try:
        with_context(family, placement)
    except StudyError as error:
        return str(error)
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_an_operator_that_is_taken_computes_learns_and_keeps_its_state(family: str) -> None:
    taken = refused = 0
    every = 10 if family.startswith("MobileViT") else 3  # whose convolutions are slow in bfloat16
    for index, (case, where) in enumerate(matrix(family)):
        try:
            whole(family, case, where, lower=FULL or index % every == 0)
            taken += 1
        except StudyError as error:
            assert str(error).endswith(ENDINGS), str(error)  # noqa: PT017 - most do not raise
            refused += 1
    print(f"{family}: {taken} taken, {refused} refused")
    assert taken >= len(anatomy_of(family).places)


def whole(family: str, case: str, where: str, *, lower: bool) -> None:
    blocks = {} if where in ONCE else {"blocks": [0, len(anatomy_of(family).blocks) - 1]}
    model = with_context(family, {**CASES[case], "place": where, **blocks})
    with torch.no_grad():
        for _, placed in operators_of(model) if case in STARTS_IDLE else []:
            for parameter in placed.parameters():
                parameter.add_(torch.linspace(-0.3, 0.5, parameter.numel()).view_as(parameter))
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert {name for name in weights if "context." not in name} == set(plain(family).state_dict())
    first = said(model, family)
    assert first.shape == (2, 10)
    assert first.isfinite().all()
    if where != "head.front":  # a head may look at the class token, or at the mean, alone
        assert not torch.equal(first, plain_output(family)), f"{case} at {where} does nothing"
    first.square().sum().backward()
    for name, parameter in model.named_parameters():
        if "context." in name:
            assert parameter.grad is not None, name
        assert parameter.grad is None or parameter.grad.isfinite().all(), name
    state = {n: t + 0.1 if t.is_floating_point() else t for n, t in weights.items()}
    model.load_state_dict(state, strict=True)
    model.load_state_dict(weights, strict=True)
    assert torch.equal(said(model, family), first)
    if not lower:
        return
    model.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = said(model, family)
    half.float().square().sum().backward()
    assert half.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_at_their_identity_settings_operators_leave_the_model_as_it_was_bit_for_bit(
    family: str,
) -> None:
    """All of them at all places at once, so that one that is not the identity shows."""
    placements = [
        {**context, "place": where}
        for where in anatomy_of(family).places
        for name, context in IDENTITIES.items()
        if name != "local" or not refusal(family, {**context, "place": where})
    ]
    model = with_context(family, *placements)
    with torch.no_grad():
        assert torch.equal(said(model, family), plain_output(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_of_a_family_start_the_same_with_context_as_without(family: str) -> None:
    config = {"model": FAMILIES[family]}
    context = [{"operator": "se", "place": anatomy_of(family).places[0]}]
    without = build(config, seed=3, num_classes=10).state_dict()
    mixed = build({**config, "context": context}, seed=3, num_classes=10).state_dict()
    assert [name for name in without if not torch.equal(without[name], mixed[name])] == []
    assert set(mixed) > set(without)


def test_what_every_family_takes_and_refuses_is_what_was_approved() -> None:
    lines = []
    for family in FAMILIES:
        found = anatomy_of(family)
        lines += [f"{family}: {len(found.blocks)} blocks", f"  at {', '.join(found.places)}"]
        lines += [f"  not {', '.join(places)}: {reason}" for reason, places in absent(found)]
        told: dict[str, list[str]] = {}
        for where, case in itertools.product(found.places, CASES):
            sentence = refused_by_layout(case, found.point(where, 0))
            if sentence:
                told.setdefault(sentence, []).append(where)
        lines += [
            f"  not {case_of(sentence)} at {', '.join(dict.fromkeys(wheres))}: {sentence}"
            for sentence, wheres in told.items()
        ]
    golden.check("places.txt", "\n".join(lines) + "\n")


@cache
def refused(case: str, layout: Layout) -> str:
    placement = dict(CASES[case])
    try:
        operator(placement.pop("operator"))(layout, **placement)
    except StudyError as error:
        return str(error)
    return ""


def refused_by_layout(case: str, point: SurgeryPoint | str) -> str:
    """The sentence, by all that it may depend on; the width is no part of that."""
    return refused(case, replace(point.layout, dim=8)) if isinstance(point, SurgeryPoint) else ""


def case_of(sentence: str) -> str:
    return sentence.split("'")[1]


def absent(found: Anatomy) -> list[tuple[str, list[str]]]:
    reasons: dict[str, list[str]] = {}
    for points in (*(block.points for block in found.blocks[:1]), found.once):
        for name, point in points.items():
            if not isinstance(point, SurgeryPoint):
                reasons.setdefault(point, []).append(name)
    return list(reasons.items())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_place_that_a_family_lacks_is_refused_with_the_places_it_has(family: str) -> None:
    lacking = [name for name in PLACES if name not in anatomy_of(family).places]
    assert lacking
    for name in lacking:
        sentence = refusal(family, {"operator": "cb", "place": name})
        assert f"no place {name}" in sentence
        assert anatomy_of(family).places[-1] in sentence


@pytest.mark.slow
@pytest.mark.parametrize("family", ["Swin", "Swin v2", "MobileViT", "MobileViT v2", "PiT"])
def test_a_mean_is_over_the_whole_image_and_not_over_a_window_or_a_part_of_its_pixels(
    family: str,
) -> None:
    """What CB adds at a block is one vector an image, whatever the model cuts it into."""
    for where in [name for name in anatomy_of(family).places if name.partition(".")[2] != "mid"]:
        model = with_context(family, {"operator": "cb", "place": where})
        for _, placed in operators_of(model):
            placed.register_forward_hook(one_vector_an_image)
        with torch.no_grad():
            model(images_for(family))


def one_vector_an_image(_: nn.Module, args: tuple[Tensor, ...], mixed: Tensor) -> None:
    assert len(args[0]) == 2
    added = 2 * mixed - args[0]
    torch.testing.assert_close(added, added[:, :1].expand_as(added), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["Swin", "Swin v2"])
def test_context_around_the_windows_is_what_their_attention_reads_and_gives(family: str) -> None:
    """Halving what attention is given after its norm, or gives, is halving it by hand."""
    model, hand = with_context(family, {"operator": "halve", "place": "attn.end"}), plain(family)
    hand = copy.deepcopy(hand)
    for block in anatomy(hand).blocks:
        inner: Any = block.module
        inner._attn = lambda x, plain=inner._attn: 0.5 * plain(x)
    with torch.no_grad():
        assert torch.equal(model(images_for(family)), hand(images_for(family)))


def test_a_mixer_has_two_mlps_with_places_of_their_own() -> None:
    tokens = with_context("Mixer", {"operator": "cb", "place": "mlp_tokens.end"})
    hand = copy.deepcopy(plain("Mixer"))
    for block in anatomy(hand).blocks:
        mlp: Any = block.module.mlp_tokens
        mlp.forward = lambda x, plain=mlp.forward: (
            0.5 * (plain(x) + plain(x).mean(dim=2, keepdim=True))
        )
    with torch.no_grad():
        torch.testing.assert_close(tokens(images_for("Mixer")), hand(images_for("Mixer")))


def test_only_the_class_token_of_a_cait_goes_on_after_its_blocks_which_are_left_alone() -> None:
    for family in ("CaiT", "XCiT"):
        found = anatomy_of(family)
        assert [block.name for block in found.blocks] == ["blocks.0", "blocks.1"]
        assert len(found.beside) == 1


def test_the_stages_of_a_pit_have_grids_of_their_own() -> None:
    points = [block.points["block.end"] for block in anatomy_of("PiT").blocks]
    grids = [point.layout.grid for point in points if isinstance(point, SurgeryPoint)]
    assert grids == [(7, 7), (4, 4)]
    model = with_context("PiT", {"operator": "local", "radius": 1})
    assert said(model, "PiT").isfinite().all()


def test_regions_are_cut_from_the_map_that_comes_and_one_that_cannot_be_is_refused() -> None:
    placement = {"operator": "regions", "grid": 2, "place": "block.end"}
    fine = with_context("ResNet", {**placement, "blocks": "first 3"})
    assert said(fine, "ResNet").isfinite().all()
    with pytest.raises(StudyError, match=r"cannot cut 1 x 1 patches into 2 x 2"):
        said(with_context("ResNet", placement), "ResNet")


def test_maps_and_rows_that_are_no_tokens_of_the_width_are_refused() -> None:
    model = with_context("ViT", {"operator": "cb"})
    with pytest.raises(StudyError, match=r"gives it \(2, 16\)"):
        anatomy(model).blocks[0].module.mlp(torch.zeros(2, 16))
    view = View(channels=1)
    with pytest.raises(StudyError, match=r"\(batch, 8, tokens\).*gives it \(2, 4, 8\)"):
        view.tokens(torch.zeros(2, 4, 8), 8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "where"),
    [("Swin", "attn.end"), ("Mixer", "mlp_tokens.end"), ("MobileViT v2", "block.end")],
)
def test_a_compiled_block_of_another_layout_computes_the_same(family: str, where: str) -> None:
    model = with_context(
        family, *({**CASES[case], "place": where, "blocks": [0]} for case in ("cb", "se", "mix"))
    )
    block = anatomy(model).blocks[0].module
    handed: list[Tensor] = []
    listening = block.register_forward_pre_hook(lambda _, args: handed.append(args[0]))
    with torch.no_grad():
        model(images_for(family))
        listening.remove()
        torch.compiler.reset()
        compiled = torch.compile(block, backend="eager", fullgraph=True)
        assert torch.equal(compiled(handed[0]), block(handed[0]))


def test_an_argument_that_timms_own_function_sets_can_be_replaced() -> None:
    model = build({"model": FAMILIES["ResMLP"]}, seed=0, num_classes=10)
    assert type(anatomy(model).blocks[0].module).__name__ == "ResBlock"
    assert len(anatomy(model).blocks) == 2
    assert place(model, ()) is model
