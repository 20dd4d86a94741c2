"""Trials as rows, and what they measured as rows."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from cbablate.errors import CbablateError, EnvironmentFault
from cbablate.notebook.card import MOST_ROWS
from cbablate.notebook.reading import importance
from cbablate.notebook.rows import Rows
from cbablate.notebook.trials import trials
from cbablate.planning.plan import Plan
from cbablate.records.facts import Measured, Started
from cbablate.records.measurement import Measurement
from tests.analysis.fabrication import Telling
from tests.analysis.tuned import replicated, searched, thirds, tuned_toys
from tests.toys import toy_plan


def told() -> tuple[Plan, Telling]:
    planned, telling = toy_plan({"ceiling": 2.0}, replicates=2), Telling()
    first, second, third, _ = planned.trials
    telling.complete(first, {"test/score": 0.25, "val/score": 1 / 3})
    telling.measure(second, {"test/score": float("inf"), "state": 7.0})
    telling.end(second, "failed", "diverged")
    telling.tell(third.id, Started(1, "session 1"))
    telling.tell(
        third.id,
        Measured(Measurement(1, {"val/score": 0.5}, {"attention/entropy": (1.0, 2.0)}, 3.0)),
    )
    return planned, telling


def test_each_trial_is_a_row_whatever_became_of_it() -> None:
    planned, telling = told()
    found = trials(planned, telling.facts)
    assert [row["state"] for row in found] == ["complete", "failed", "running", "waiting"]
    assert [row["failure"] for row in found] == [None, "diverged", None, None]
    assert [row["replicate"] for row in found] == [0, 0, 1, 1]
    factor = planned.study.factors[0].name
    assert found[1][f"factor {factor}"] == planned.arms[1].levels[factor]
    assert found[-1]["spent"] == 0
    assert found[-1]["seconds"] is None
    assert found[1]["trial"] == planned.trials[1].id
    assert len({row["seed"] for row in found}) == 2


def test_metrics_are_those_of_the_last_measurement_as_recorded() -> None:
    planned, telling = told()
    found = trials(planned, telling.facts)
    assert found[0]["val/score"] == 1 / 3
    assert found[1]["test/score"] == float("inf")
    assert found[2]["val/score"] == 0.5
    assert found[3]["val/score"] is None


def test_a_metric_named_like_a_column_hides_none() -> None:
    planned, telling = told()
    found = trials(planned, telling.facts)
    assert found[1]["state"] == "failed"
    assert found[1]["metric state"] == 7.0
    assert len(set(found.columns)) == len(found.columns)


def test_curves_have_every_value_and_vectors_their_layers() -> None:
    planned, telling = told()
    rows = [row for row in trials(planned, telling.facts).curves() if row["state"] == "running"]
    assert [(row["metric"], row["layer"], row["value"]) for row in rows] == [
        ("val/score", None, 0.5),
        ("attention/entropy", 0, 1.0),
        ("attention/entropy", 1, 2.0),
    ]
    assert {row["seconds"] for row in rows} == {3.0}


def test_trials_of_a_tuned_study_say_what_they_were_for() -> None:
    planned, telling = tuned_toys({"ceiling": 2.0}), Telling()
    searched(telling, planned, lambda s, n, p: {"val/score": p["rate"] + s}, ending=thirds)
    replicated(telling, planned, primary="test/score")
    rows = [*trials(planned, telling.facts)]
    assert Counter(row["stage"] for row in rows) == {
        "as written": 12,
        "search": 12,
        "confirmation": 12,
    }
    search = [row for row in rows if row["stage"] == "search"]
    assert {row["state"] for row in search} == {"complete", "pruned"}
    assert all(row["search"] and row["rate"] is not None for row in search)
    best = max((row for row in search if row["state"] == "complete"), key=lambda r: r["val/score"])
    confirmed = {row["rate"] for row in rows if row["stage"] == "confirmation"}
    assert best["rate"] in confirmed


def test_a_shown_set_of_rows_is_cut_and_says_so() -> None:
    many = Rows("values", ("a",), tuple((one,) for one in range(1000)), noun="value")
    shown = many._repr_html_()
    assert shown.count("<tr>") == MOST_ROWS + 1
    assert "And 980 more values." in shown
    assert repr(many) == "<values: 1,000 values, 1 column>"
    assert [row["a"] for row in many[-2:]] == [998, 999]


def test_foreign_words_are_escaped_wherever_they_are_shown() -> None:
    rows = Rows("<b>x", ("<i>",), (("<script>alert(1)</script>\x1b",),))
    assert "<script>" not in rows._repr_html_()
    assert "<b>" not in rows._repr_html_()
    assert "&lt;i&gt;" in rows._repr_html_()
    assert "\x1b" not in rows._repr_html_()
    assert "<script>" not in rows._repr_markdown_()


def test_without_pandas_a_data_frame_is_a_sentence_and_rows_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planned, telling = told()
    found = trials(planned, telling.facts)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(EnvironmentFault, match="pip install pandas"):
        found.to_pandas()
    assert found[0]["val/score"] == 1 / 3


def test_pandas_gets_numbers_as_numbers() -> None:
    planned, telling = told()
    frame = trials(planned, telling.facts).to_pandas()
    assert frame.shape == (4, len(trials(planned, telling.facts).columns))
    assert frame["val/score"].dtype == float
    assert frame["val/score"].isna().tolist() == [False, True, False, True]


def test_importance_is_asked_of_a_study_that_tunes() -> None:
    with pytest.raises(CbablateError, match="names no sweep"):
        importance(toy_plan({"ceiling": 2.0}))
