from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name, _validate_param_name

from cbablate.mirrors.mlflow_entry import MetricPoint, batches, study_entry, trial_entry
from cbablate.mirrors.mlflow_spelling import key_of
from cbablate.mirrors.mlflow_view import views
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


def test_what_is_measured_at_the_end_alone_has_step_0_and_curves_their_budgets() -> None:
    found = account()
    *early, last = found.history.measurements
    scored = [replace(one, metrics={"val/score": one.metrics["val/score"]}) for one in early]
    history = replace(found.history, measurements=(*scored, last))
    entry = trial_entry(PLAN, replace(found, history=history), ledger="l")
    steps: dict[str, list[int]] = {}
    for point in entry.points:
        steps.setdefault(point.key, []).append(point.step)
    assert steps["val/score"] == [1, 2, 3]
    assert steps["test/score"] == [0]
    assert steps["attention/entropy/layer.2"] == [0]


def test_trials_sort_as_the_rows_of_the_table_and_their_replicates() -> None:
    plan = toy_plan(levels=("slow", "steep", "brisk"), replicates=2)
    told = accounts(plan, Story().complete(*plan.trials).facts)
    rows = {
        entry.name: entry.tags["cbablate.row"]
        for entry in (trial_entry(plan, one, ledger="l") for one in told)
    }
    assert sorted(rows, key=rows.__getitem__) == [
        f"{arm} #{replicate}" for arm in ("slow", "steep", "brisk") for replicate in range(2)
    ]


def test_views_begin_with_the_objective_and_the_reference() -> None:
    view = json.loads(views(PLAN)["mlflow.sharedViewState.curves"])
    first, *others = view["compareRunCharts"]
    assert (first["type"], first["metricKey"]) == ("LINE", "val/score")
    assert [one["metricKey"] for one in others] == list(PLAN.study.report)
    assert {one["type"] for one in others} == {"BAR"}
    assert view["orderByKey"] == "tags.`cbablate.row`"
    assert view["groupBy"]["groupByKeys"][0]["groupByData"] == "cbablate.arm"
