from __future__ import annotations

from typing import Any

from cbablate.models.verification import Shape, verify
from tests.models.cases import CASES
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
    return verify(configs, lambda _: Shape(1, 8, 10))


def test_arms_that_differ_in_what_they_compute_pass() -> None:
    assert told({name: tiny({"context": context}) for name, context in PLACEMENT.items()}) == {}


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
