from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import timm
from torch import Tensor, nn

from cbablate.models import building
from cbablate.models.operators import catalog as operators
from cbablate.models.operators.layout import Layout
from cbablate.models.placing import place
from cbablate.models.verification import InputShape, examine, verify
from tests.models.cases import CASES
from tests.models.families import FAMILIES, SIDES
from tests.workloads.images import tiny

PLACEMENT: dict[str, Any] = {
    "none": None,
    "front": {"operator": "cb", "place": "mlp.front"},
    "mid": {"operator": "cb", "place": "mlp.mid"},
    "end": {"operator": "cb", "place": "mlp.end"},
    "attention": {"operator": "cb", "place": "attn.end"},
    "halving": {"operator": "halve"},
    "scaled": {"operator": "cb_s"},
    "add": {"operator": "add"},
}


def told(configs: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    return verify(configs, lambda _: InputShape(1, 8, 10))


def test_arms_that_differ_in_what_they_compute_pass() -> None:
    assert told({name: tiny({"context": context}) for name, context in PLACEMENT.items()}) == {}


@pytest.mark.slow
def test_every_operator_passes_and_what_is_idle_by_its_options_is_told() -> None:
    configs = {
        name: tiny({"context": context, "model": {"patch_size": 2}})
        for name, context in CASES.items()
    }
    idle = {"operator": "mix", "alpha": 0}
    configs["idle"] = tiny({"context": idle, "model": {"patch_size": 2}})
    assert {name: len(faults) for name, faults in told(configs).items()} == {"idle": 1}


def test_one_detached_context_in_two_spellings_is_told() -> None:
    cb = {"operator": "cb", "detach": True}
    both = [{**cb, "blocks": [index]} for index in (0, 1)]
    faults = told({"all": tiny({"context": cb}), "both": tiny({"context": both})})
    assert set(faults) == {"all", "both"}


def test_two_arms_with_one_placebo_are_one_function() -> None:
    noise = {"operator": "noise"}
    faults = told(
        {
            "all": tiny({"context": noise}),
            "both": tiny({"context": {**noise, "blocks": "first 100%"}}),
        }
    )
    assert set(faults) == {"all", "both"}


def test_two_ways_to_write_one_function_are_told_to_both_arms() -> None:
    cb = {"operator": "cb"}
    faults = told(
        {
            "all": tiny({"context": cb}),
            "both": tiny({"context": {**cb, "blocks": [0, 1]}}),
            "one": tiny({"context": {**cb, "blocks": [0]}}),
        }
    )
    assert set(faults) == {"all", "both"}
    assert "arm 'both'" in faults["all"][0]


def test_a_context_without_effect_is_told() -> None:
    one_token = {"class_token": False, "global_pool": "avg", "patch_size": 8}
    faults = told({"idle": tiny({"context": {"operator": "cb"}, "model": one_token})})
    assert "does not change what the model computes" in faults["idle"][0]


def test_an_effect_too_small_to_see_at_the_start_is_still_an_effect() -> None:
    small = {"init_values": 1e-9}
    assert told({"scaled": tiny({"context": {"operator": "cb"}, "model": small})}) == {}


def test_every_arm_is_told_what_is_wrong_with_it() -> None:
    configs = {
        "size": tiny({"model": {"img_size": None}}),
        "channels": tiny({"model": {"in_chans": None}}),
        "depth": tiny({"context": {"operator": "cb", "blocks": "last 3"}}),
        "name": tiny({"model": {"name": "vit_tiny"}}),
        "fine": tiny(),
    }
    faults = told(configs)
    assert set(faults) == set(configs) - {"fine"}
    assert "model.img_size" in faults["size"][0]
    assert "1 x 8 x 8" in faults["channels"][0]
    assert "the model has 2" in faults["depth"][0]
    assert "no model 'vit_tiny'" in faults["name"][0]


def test_a_model_that_pools_nothing_is_no_classifier() -> None:
    assert "(2, 10)" in told({"maps": tiny({"model": {"global_pool": ""}})})["maps"][0]


def test_what_arms_add_is_told_and_which_are_one_function_but_for_rounding() -> None:
    configs = {name: tiny({"context": context}) for name, context in PLACEMENT.items()}
    found = examine(configs, lambda _: InputShape(1, 8, 10))
    assert found.faults == {}
    assert found.notes["scaled"] == ["adds 2 ScaledContextBroadcast at mlp.end, with 32 parameters"]
    assert "none" not in found.notes
    kin = {name for name, notes in found.notes.items() if any("rounding" in n for n in notes)}
    assert kin == {"mid", "end"}


class Dead(nn.Module):
    """A switch that is wired to nothing."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x


class Leaking(nn.Module):
    """An operator that changes how every model of the class computes, from when it is made."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        timm.layers.Mlp.forward = lambda self, x: 0.5 * self.fc2(self.act(self.fc1(x)))

    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * x


class Drifting(nn.Module):
    """An operator that at its identity setting is not quite the identity."""

    def __init__(self, layout: Layout, *, radius: int) -> None:
        super().__init__()
        self.radius = radius

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + 1e-9 + self.radius)


def plant(monkeypatch: pytest.MonkeyPatch, name: str, kind: type[nn.Module]) -> None:
    made = f"{kind.__module__}:{kind.__name__}"
    row = dataclasses.replace(operators.OPERATORS[name], made=made, defaults={})
    monkeypatch.setattr(operators, "OPERATORS", {**operators.OPERATORS, name: row})


def test_a_dead_switch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "halve", Dead)
    faults = told({"none": tiny(), "dead": tiny({"context": {"operator": "halve"}})})
    assert set(faults) == {"dead"}
    assert "does not change what the model computes" in faults["dead"][0]


def test_an_operator_that_leaks_into_the_baseline_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch, "halve", Leaking)
    monkeypatch.setattr(timm.layers.Mlp, "forward", timm.layers.Mlp.forward)
    faults = told({"none": tiny(), "leak": tiny({"context": {"operator": "halve"}})})
    assert any("leaks into the baseline" in sentence for sentence in faults["none"])


def test_surgery_that_changes_more_than_it_adds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(model: Any, context: Any) -> Any:
        place(model, context)
        if context:
            model.blocks[1].mlp.act = nn.ReLU()
            nn.init.ones_(model.blocks[0].norm1.bias)
        return model

    monkeypatch.setattr(building, "place", careless)
    faults = told({"none": tiny(), "cb": tiny({"context": {"operator": "cb"}})})
    assert faults["cb"] == [
        "its context changes more of the model than it adds to it: "
        "blocks.0.norm1.bias, blocks.1.mlp.act"
    ]


def test_an_operator_that_is_not_the_identity_where_it_says_so_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch, "local", Drifting)
    faults = told({"drift": tiny({"context": {"operator": "local", "radius": 1}})})
    assert faults["drift"] == [
        "at its identity setting 'local' does not give the untouched model's output"
    ]


@pytest.mark.parametrize("family", ["Swin v2", "XCiT", "PiT", "ResMLP", "ConvNeXt"])
def test_the_surgery_of_other_families_is_proven_too(family: str) -> None:
    context = [{"operator": name, "place": "block.end"} for name in ("cb_s", "uniform_head")]
    configs = {
        name: {"model": FAMILIES[family], "data": {}, "context": arm}
        for name, arm in (("none", []), ("cb", context[:1]), ("head", context[1:]))
    }
    shape = InputShape(FAMILIES[family].get("in_chans", 3), SIDES.get(family, 8), 10)
    found = examine(configs, lambda _: shape)
    assert found.faults == {}
    assert set(found.notes) == {"cb", "head"}
