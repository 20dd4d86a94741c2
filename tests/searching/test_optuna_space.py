"""Spaces as Optuna is told of them: steps, choices of any value, and what 0.1.0 recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import create_trial

from cbablate.fingerprint import canonical
from cbablate.planning.search import Search, searches
from cbablate.records.facts import Proposed
from cbablate.searching.optuna_sampler import OptunaSampler
from cbablate.searching.optuna_space import distribution, spelled, typed
from cbablate.searching.searches import Searching
from cbablate.spec.space import among, nearest, values_of
from cbablate.spec.sweep import Parameter, Sampler, Sweep
from tests.searching.proposals import CASES, RECORDED, SPACES, completed, proposed, search_of
from tests.toys import tuned_plan

FIFTHS = {"ceiling": Parameter(kind="float", low=0.0, high=0.6, step=0.2)}
SAMPLERS = ["tpe", "gp", "nsgaii", "qmc", "random", "grid"]


def case(sampler: str, space: str) -> Any:
    """A case of both tests of them all; `gp` takes seconds, and is searched once for the two."""
    marks = [pytest.mark.slow, pytest.mark.xdist_group(f"gp {space}")] if sampler == "gp" else []
    return pytest.param(sampler, space, marks=marks)


EVERY = pytest.mark.parametrize(("sampler", "space"), [case(*each) for each in CASES])


@cache
def uninterrupted(sampler: str, space: str) -> list[dict[str, Any]]:
    return proposed(search_of(sampler, space))


def recorded_by_0_1_0(sampler: str, space: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(RECORDED.read_text())[f"{sampler} {space}"]
    return found


def on_steps(space: str, proposals: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The proposals with their floats on the steps of the space, where they were only nearly."""
    floats = {key: one for key, one in SPACES[space].items() if one.kind == "float"}
    return [
        {key: nearest(floats[key], v) if key in floats else v for key, v in proposal.items()}
        for proposal in proposals
    ]


@EVERY
def test_every_sampler_proposes_what_version_0_1_0_did_but_for_the_rounding_of_steps(
    sampler: str, space: str
) -> None:
    recorded = on_steps(space, recorded_by_0_1_0(sampler, space))
    found = uninterrupted(sampler, space)
    assert len(recorded) > 5
    assert [{*one} for one in found] == [{*one} for one in recorded]
    for one, before in zip(found, recorded, strict=True):
        for key, value in one.items():
            parameter = SPACES[space][key]
            if parameter.kind == "float" and not parameter.step:  # processors round exp otherwise
                assert value == pytest.approx(before[key], rel=1e-9)
            else:
                assert (value, type(value)) == (before[key], type(before[key]))
            assert not parameter.step or value in values_of(parameter)


@EVERY
def test_a_search_that_0_1_0_began_goes_on_as_if_nothing_had_happened(
    sampler: str, space: str
) -> None:
    search, whole = search_of(sampler, space), uninterrupted(sampler, space)
    recorded = [
        {key: was[key] if SPACES[space][key].step else value for key, value in one.items()}
        for one, was in zip(whole, recorded_by_0_1_0(sampler, space), strict=True)
    ]
    half = len(recorded) // 2
    again = OptunaSampler(search)
    for number, proposal in enumerate(recorded[:half]):
        assert again.replay(number, typed(search.sweep, proposal))
        completed(again, number, proposal)
    rest = []
    for number in range(half, len(recorded)):
        asked = again.ask()
        rest.append(dict(asked.proposal))
        completed(again, number, asked.proposal)
    assert rest == whole[half:]


def test_a_proposal_that_0_1_0_recorded_keeps_its_value_and_its_trial() -> None:
    plan = tuned_plan(space=FIFTHS, sampler="random", trials=4)
    (search,) = searches(plan)
    numbers = {round(value, 6): value for value in (0.0, 0.2, 0.4, 3 * 0.2)}
    asked = OptunaSampler(search)
    old = [{"ceiling": numbers[asked.ask().proposal["ceiling"]]} for _ in range(4)]
    assert {"ceiling": 0.6000000000000001} in old, "the seed draws the value that is rounded"
    trials = [search.trial(number, one, plan.description) for number, one in enumerate(old)]
    facts = [
        Proposed(search.id, number, one).record(trial.id, 0.0)
        for number, (trial, one) in enumerate(zip(trials, old, strict=True))
    ]
    searching = Searching(plan, facts)
    assert [trial.id for trial in searching.left()] == [trial.id for trial in trials]
    assert searching.remarks == []


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_constraint_at_the_end_of_a_stepped_range_loses_no_value(sampler: str) -> None:
    sweep = {"constraints": ("ceiling <= 0.6",)}
    (search,) = searches(tuned_plan(space=FIFTHS, sampler=sampler, trials=24, sweep=sweep))
    found = [one["ceiling"] for one in proposed(search, count=24)]
    assert set(found) <= {0.0, 0.2, 0.4, 0.6}
    if sampler in ("grid", "random", "qmc"):
        assert set(found) == {0.0, 0.2, 0.4, 0.6}
    if sampler == "grid":
        assert len(found) == 4


ODD: dict[str, tuple[Any, ...]] = {
    "zero and false": (0, False),
    "one and true": (1, True, "1", "true"),
    "a number as a word": (1.5, "1.5"),
    "null": (None, 1.0, "null"),
    "lists": ([0.9, 0.999], [0.8, 0.99], None),
    "lists of equals": ([0], [False], ["0"]),
    "mappings": ({"name": "sgd", "lr": 0.1}, {"name": "adam"}),
    "a list and its text": ([1], "[1]"),
    "nested": ([[1, 2], [3]], [[1, 2], [4]], {"a": {"b": []}}),
    "empty": ([], {}, "", None),
}


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("choices", ODD.values(), ids=[*ODD])
def test_each_choice_is_proposed_as_it_was_written_and_told_from_its_equals(
    sampler: str, choices: tuple[Any, ...]
) -> None:
    (search,) = searches(tuned_plan(sampler=sampler, trials=40))
    space = {"a": Parameter(kind="choice", choices=choices), "b": search.sweep.space["start"]}
    if sampler == "grid":
        space["b"] = Parameter(kind="int", low=0, high=4)
    search = with_space(search, space, sampler)
    asked = OptunaSampler(search)
    found = [asked.ask().proposal for _ in range(20 if sampler != "grid" else 5 * len(choices))]
    texts = {canonical(one) for one in choices}
    assert {canonical(one["a"]) for one in found} == texts
    for one in found:
        assert among(one["a"], choices)
        assert canonical(typed(search.sweep, json.loads(canonical(one)))) == canonical(one)
    again = OptunaSampler(search)
    assert all(again.replay(number, one) for number, one in enumerate(found))


def with_space(search: Search, space: dict[str, Parameter], sampler: str) -> Search:
    """The search, over another space by another sampler."""
    named = Sampler(name=sampler)
    changed = {"space": space, "sampler": named}
    return replace(search, sweep=search.sweep.model_copy(update=changed))


@pytest.mark.parametrize("choices", ODD.values(), ids=[*ODD])
def test_what_depends_on_a_choice_exists_at_that_choice_alone(choices: tuple[Any, ...]) -> None:
    (search,) = searches(tuned_plan(trials=40))
    space = {
        "a": Parameter(kind="choice", choices=choices),
        "b": Parameter(kind="int", low=0, high=4, when={"a": choices[:1]}),
    }
    asked = OptunaSampler(with_space(search, space, "random"))
    found = [asked.ask().proposal for _ in range(30)]
    first = canonical(choices[0])
    assert {(canonical(one["a"]) == first, "b" in one) for one in found} == {
        (True, True),
        (False, False),
    }


@pytest.mark.parametrize("choices", ODD.values(), ids=[*ODD])
def test_optuna_keeps_each_choice_under_a_name_that_a_person_can_read(
    choices: tuple[Any, ...],
) -> None:
    sweep = Sweep(name="s", space={"a": Parameter(kind="choice", choices=choices)}, trials=9)
    over = distribution(sweep.space["a"])
    kept = []
    for one in choices:
        params = spelled(sweep, {"a": one})
        create_trial(params=params, distributions={"a": over}, value=0.0)
        kept.append(params["a"])
        assert kept[-1] in (one, canonical(one))
    assert len({*kept}) == len(choices)


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
@pytest.mark.parametrize(
    ("low", "high", "step"), [(0.0, 0.6, 0.2), (-0.3, 0.3, 0.1), (1e-4, 7e-4, 1e-4)]
)
def test_what_a_sampler_proposes_on_steps_is_one_of_the_decimal_values(
    low: float, high: float, step: float, sampler: str
) -> None:
    parameter = Parameter(kind="float", low=low, high=high, step=step)
    (search,) = searches(tuned_plan(space={"ceiling": parameter}, sampler=sampler, trials=30))
    assert {one["ceiling"] for one in proposed(search, count=30)} <= {*values_of(parameter)}


@given(st.integers(0, 6), st.integers(-4, 4))
def test_a_recorded_value_beside_its_step_is_the_step_to_optuna(index: int, off: int) -> None:
    parameter = Parameter(kind="float", low=-0.3, high=0.3, step=0.1)
    sweep = Sweep(name="s", space={"a": parameter}, trials=9)
    value = values_of(parameter)[index]
    assert spelled(sweep, {"a": value + off * 1e-16}) == {"a": value}
