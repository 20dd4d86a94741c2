from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.errors import StudyError
from cbablate.planning.plan import MAX_ARMS, Plan, plan
from cbablate.planning.trial import replicate_seed
from cbablate.spec.description import Description
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe

TOY = describe("toy", Path())
IMAGE = describe("image_classification", Path())
KEYS = {"ceiling": 3.0, "start": 0.5, "noise": 0.2}
IMAGE_BASELINE = {
    "data": {"name": "digits"},
    "model": {"name": "vit_tiny_patch16_224", "embed_dim": 48, "num_heads": 2},
    "optimizer": {"lr": 1e-3},
}


def factor(name: str, *changes: dict[str, Any], first: dict[str, Any] | None = None) -> Any:
    """A factor whose first level changes nothing, then one level for each of `changes`."""
    levels: list[dict[str, Any]] = [{"name": f"{name} 0", "changes": first or {}}]
    levels += [{"name": f"{name} {i}", "changes": c} for i, c in enumerate(changes, 1)]
    return {"name": name, "levels": levels}


def study(**keys: Any) -> Study:
    said: dict[str, Any] = {
        "name": "x",
        "question": "Why?",
        "workload": "toy",
        "baseline": {},
        "budget": {"epochs": 2},
        "replicates": 3,
        "objective": {"metric": "val/score", "direction": "maximize"},
        "report": ["test/score"],
    }
    return Study.model_validate_json(json.dumps({**said, **keys}))


def planned(description: Description = TOY, **keys: Any) -> Plan:
    return plan(study(**keys), description)


def faults(description: Description = TOY, **keys: Any) -> list[tuple[tuple[Any, ...], str]]:
    with pytest.raises(StudyError) as caught:
        planned(description, **keys)
    assert str(caught.value) == "\n".join(fault.sentence for fault in caught.value.faults)
    return [(fault.path, fault.sentence) for fault in caught.value.faults]


def switches(*names: str) -> list[Any]:
    return [factor(name, {name: KEYS[name]}) for name in names]


designs = st.sampled_from(["one_at_a_time", "factorial", "leave_one_out", "cumulative"])
chosen = st.lists(st.sampled_from(sorted(KEYS)), max_size=3, unique=True)


@settings(deadline=None)
@given(designs, chosen, st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_trials_are_every_arm_with_every_seed_replicate_by_replicate(
    name: str, keys: list[str], replicates: int, seed: int
) -> None:
    drawn = planned(design=name, factors=switches(*keys), replicates=replicates, seed=seed)
    expected = [
        (replicate, arm.id, replicate_seed(seed, replicate))
        for replicate in range(replicates)
        for arm in drawn.arms
    ]
    assert [(t.replicate, t.arm, t.seed) for t in drawn.trials] == expected
    assert len(drawn.trial_of) == len(drawn.trials)
    assert len(drawn.arm_of) == len(drawn.arms)
    assert all(drawn.arm_of[t.arm].config == t.config for t in drawn.trials)


@settings(deadline=None)
@given(designs, chosen)
def test_every_arm_is_compared_with_the_first_and_the_first_with_none(
    name: str, keys: list[str]
) -> None:
    first, *others = planned(design=name, factors=switches(*keys)).arms
    assert first.against is None
    assert {arm.against for arm in others} <= {first.id}


@settings(deadline=None)
@given(chosen, chosen)
def test_studies_that_share_arms_share_their_trials(one: list[str], other: list[str]) -> None:
    first = planned(factors=switches(*one), question="How?", name="y")
    second = planned(factors=switches(*other))
    shared = len({*one} & {*other}) + 1
    assert len({*first.trial_of} & {*second.trial_of}) == 3 * shared


def test_a_trials_identity_is_its_whole_and_not_how_it_is_written() -> None:
    ids = {t.id for t in planned(baseline={"rate": 0.5, "ceiling": 1}).trials}
    assert ids == {t.id for t in planned().trials}
    assert ids.isdisjoint(t.id for t in planned(baseline={"rate": 0.6}).trials)
    assert ids.isdisjoint(t.id for t in planned(seed=1).trials)
    assert ids.isdisjoint(t.id for t in planned(budget={"epochs": 3}).trials)
    assert ids.isdisjoint(t.id for t in planned(budget={"steps": 2}).trials)


def test_more_replicates_keep_the_trials_there_were() -> None:
    fewer = planned(factors=switches("start"), replicates=2).trials
    assert planned(factors=switches("start"), replicates=4).trials[: len(fewer)] == fewer


def test_other_data_or_another_version_is_another_arm() -> None:
    def arm(**keys: Any) -> str:
        return planned(Description(**{**vars(TOY), **keys})).arms[0].id

    assert len({arm(), arm(version="2"), arm(data=lambda _config: "other"), arm(name="t")}) == 4


def test_data_may_depend_on_the_config() -> None:
    description = Description(**{**vars(TOY), "data": lambda config: str(config["start"])})
    arms = planned(description, factors=switches("start", "noise")).arms
    assert len({arm.id for arm in arms}) == 3


def test_a_factorial_names_its_arms_by_all_their_levels() -> None:
    arms = planned(design="factorial", factors=switches("start", "noise")).arms
    assert [arm.name for arm in arms] == [
        "start 0, noise 0",
        "start 0, noise 1",
        "start 1, noise 0",
        "start 1, noise 1",
    ]
    assert arms[2].levels == {"start": "start 1", "noise": "noise 0"}


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("one_at_a_time", ["baseline", "start 1", "noise 1"]),
        ("leave_one_out", ["full", "without start 1", "without noise 1"]),
        ("cumulative", ["baseline", "+ start 1", "+ noise 1"]),
    ],
)
def test_arms_are_called_by_what_sets_them_apart(name: str, called: list[str]) -> None:
    drawn = planned(design=name, factors=switches("start", "noise"))
    assert [arm.name for arm in drawn.arms] == called


def test_the_baseline_of_one_factor_is_called_by_its_level() -> None:
    assert planned(factors=switches("start")).arms[0].name == "start 0"
    assert planned().arms[0].name == "baseline"


@pytest.mark.parametrize("contrast", ["start", "noise"])
def test_a_contrast_compares_within_the_combinations_of_the_others(contrast: str) -> None:
    drawn = planned(design="factorial", factors=switches("start", "noise"), contrast=contrast)
    other = "noise" if contrast == "start" else "start"
    for arm in drawn.arms:
        if arm.levels[contrast].endswith("0"):
            assert arm.against is None
        else:
            assert arm.against is not None
            reference = drawn.arm_of[arm.against]
            assert reference.levels[contrast].endswith("0")
            assert reference.levels[other] == arm.levels[other]


def test_a_contrast_needs_a_factorial_and_a_factor_of_that_name() -> None:
    assert (
        "needs design: factorial, not cumulative"
        in faults(factors=switches("start"), contrast="start", design="cumulative")[0][1]
    )
    assert faults(factors=switches("start"), contrast="stop", design="factorial") == [
        (("contrast",), "this study has no factor 'stop' (start)")
    ]
    assert "(none)" in faults(contrast="stop", design="factorial")[0][1]


@pytest.mark.parametrize("name", ["leave_one_out", "cumulative"])
def test_what_is_switched_on_and_off_has_two_levels(name: str) -> None:
    factors = [*switches("start"), factor("noise", {"noise": 0.1}, {"noise": 0.2})]
    ((path, sentence),) = faults(design=name, factors=factors)
    assert path == ("factors", 1, "levels")
    assert "'noise' needs exactly two levels, not 3" in sentence


def test_too_many_arms_are_refused_before_any_is_made() -> None:
    factors = [factor(f"f{i}", *({"start": float(j)} for j in range(1, 10))) for i in range(12)]
    ((path, sentence),) = faults(design="factorial", factors=factors)
    assert path == ("design",)
    assert f"1,000,000,000,000 arms; at most {MAX_ARMS:,}" in sentence


def test_a_level_that_equals_the_baseline_is_refused_once() -> None:
    told = faults(factors=[factor("start", {"start": 0}), *switches("noise")], design="factorial")
    assert told == [(("factors", 0, "levels", 1), "level 'start 1' of 'start' equals the baseline")]


def test_a_first_level_that_changes_the_baseline_is_refused() -> None:
    ((path, sentence),) = faults(factors=[factor("start", {"start": 1}, first={"start": 2})])
    assert path == ("factors", 0, "levels", 0)
    assert "the first level of a factor is the baseline's" in sentence


def test_two_arms_with_one_identity_are_refused() -> None:
    told = faults(factors=[factor("start", {"start": 1}, {"start": 1.0})])
    assert told == [
        (
            ("factors", 0, "levels", 2),
            "arms 'start 1' and 'start 2' are the same configuration",
        )
    ]


def test_two_arms_with_one_name_are_refused() -> None:
    factors = switches("start", "noise")
    factors[1]["levels"][1]["name"] = "start 1"
    told = faults(factors=factors)
    assert told == [
        (
            ("factors", 1, "levels", 1),
            "two arms would be called 'start 1': rename one of their levels",
        )
    ]


def test_a_bad_baseline_is_told_once() -> None:
    told = faults(baseline={"rate": -1, "nois": 1}, factors=switches("start", "noise"))
    assert told == [
        (("baseline", "rate"), "must be greater than 0, found -1"),
        (("baseline", "nois"), "'nois' is not a key of workload toy"),
    ]


def test_an_arm_that_cannot_be_is_told_at_its_level_or_at_the_design() -> None:
    factors = [
        factor("heads", {"model.num_heads": 3}),
        factor("width", {"model.embed_dim": 50}, {"model": {"dept": 3}}),
    ]
    told = faults(IMAGE, baseline=IMAGE_BASELINE, factors=factors, design="factorial")
    paths = [path for path, _ in told]
    assert ("design",) in paths
    assert ("factors", 1, "levels", 2) in paths
    assert any("arm 'heads 1, width 1' cannot be: model: embed_dim 50" in said for _, said in told)
    assert any("model: 'dept' is not a key of workload image" in said for _, said in told)


def test_a_fault_of_the_whole_config_is_told_without_a_path() -> None:
    told = faults(factors=[factor("start", {"startt": 1})])
    assert told == [
        (
            ("factors", 0, "levels", 1),
            "arm 'start 1' cannot be: 'startt' is not a key of workload toy",
        )
    ]
