from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name, _validate_param_name

from cbablate.mirrors.mlflow_entry import MetricPoint, batches, study_entry, trial_entry
from cbablate.mirrors.mlflow_spelling import key_of
from cbablate.mirrors.port import Account, StudyState, accounts
from cbablate.testing.mirror_facts import Story, toy_plan

PLAN = toy_plan(replicates=1)


def account() -> Account:
    (found,) = accounts(PLAN, Story().complete(PLAN.trials[0]).facts)
    return found


@given(st.text(max_size=400))
def test_every_name_becomes_one_that_mlflow_takes(name: str) -> None:
    key = key_of(name)
    _validate_param_name(key)
    _validate_metric_name(key)
    assert len(key) <= 250
    assert key_of(key) == key


@given(st.text(max_size=300), st.text(max_size=300))
def test_two_names_stay_two(one: str, two: str) -> None:
    assert (key_of(one) == key_of(two)) == (one == two)


def test_a_good_name_stays_as_it_is() -> None:
    assert key_of("attention/entropy/layer.0") == "attention/entropy/layer.0"


@given(st.integers(0, 2500), st.integers(0, 180), st.integers(0, 180))
def test_batches_hold_everything_once_within_the_limits_of_a_request(
    points: int, params: int, tags: int
) -> None:
    metrics = [MetricPoint("loss", float(i), i, i) for i in range(points)]
    named = {f"p{i}": "x" for i in range(params)}
    said = {f"t{i}": "x" for i in range(tags)}
    parts = list(batches(metrics, named, said))
    assert [p for some, _, _ in parts for p in some] == metrics
    assert dict(p for _, some, _ in parts for p in some) == named
    assert dict(p for _, _, some in parts for p in some) == said
    assert all(len(a) + len(b) + len(c) <= 1000 for a, b, c in parts)
    assert all(max(len(b), len(c)) <= 100 for _, b, c in parts)


def test_what_is_too_long_is_cut_and_a_tag_says_so() -> None:
    found = account()
    long = replace(
        found,
        trial=replace(found.trial, config={"words": "w" * 7000, "rate": 1.0}),
        history=replace(found.history, traceback="start" + "x" * 9000 + "end"),
    )
    entry = trial_entry(PLAN, long, ledger="l")
    assert len(entry.params["words"]) == 6000
    assert entry.tags["cbablate.traceback"].endswith("xend")
    assert "param words: 7,000 characters, the first 6,000 kept" in entry.tags["cbablate.cut"]
    assert "tag cbablate.traceback: 9,008 characters, the last" in entry.tags["cbablate.cut"]
    assert all(len(text) <= 5000 for text in entry.tags.values())


def test_nothing_cut_says_nothing() -> None:
    assert "cbablate.cut" not in trial_entry(PLAN, account(), ledger="l").tags


def test_numbers_that_are_equal_are_one_param_text() -> None:
    found = account()
    one, other = (
        trial_entry(PLAN, replace(found, trial=replace(found.trial, config=c)), ledger="l").params
        for c in ({"lr": 1, "on": True, "many": [1.0, 2]}, {"lr": 1.0, "on": True, "many": [1, 2]})
    )
    assert one == other == {"lr": "1", "on": "true", "many": "[1,2]"}


def test_another_attempt_is_another_content_and_a_new_name_is_not() -> None:
    found = account()
    entry = trial_entry(PLAN, found, ledger="l")
    renamed = replace(found, arm=replace(found.arm, name="new"))
    assert trial_entry(PLAN, renamed, ledger="l").content == entry.content
    later = replace(found, history=replace(found.history, ended=found.history.ended + 1))
    assert trial_entry(PLAN, later, ledger="l").content != entry.content


def test_a_study_without_a_fact_of_its_own_still_has_an_entry() -> None:
    entry = study_entry(PLAN, [], told=[], state=StudyState.RUNNING, ledger="")
    assert entry.status == "RUNNING"
    assert {p.key: p.value for p in entry.points}["trials/planned"] == 2
