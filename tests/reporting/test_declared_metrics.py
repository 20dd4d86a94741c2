"""Declared metrics are written, aligned, bolded, compared and drawn as those that ship are."""

from __future__ import annotations

import pytest

from cbablate.analysis.absence import unreported
from cbablate.analysis.course import course
from cbablate.analysis.measures.curve import curves
from cbablate.analysis.outcome import outcome
from cbablate.analysis.standing import Standing
from cbablate.analysis.summary import summarize
from cbablate.analysis.trial_outcome import outcomes
from cbablate.planning.plan import plan
from cbablate.records.book import Book
from cbablate.reporting.forms.form import render
from cbablate.reporting.forms.terse_table import without_spans
from cbablate.reporting.pages.explanation import explanation
from cbablate.reporting.tables.arms import outcome_table
from cbablate.spec.metric import DeclaredMetric
from cbablate.spec.sequential import Sequential
from tests.analysis.fabrication import Telling
from tests.analysis.tuned import searched, tuned_toys
from tests.reporting import golden
from tests.reporting.declared import DECLARED, own_facts, own_study


def text(form: str = "text", **other: object) -> str:
    """The table of the study in this form."""
    planned = own_study(**other)
    return render(outcome_table(outcome(planned, own_facts(planned))), form)


def words(**other: object) -> str:
    """The text of the table in one line."""
    return " ".join(text(**other).split())


def test_a_table_of_declared_metrics_is_as_a_person_approved_of_it() -> None:
    golden.check("declared.txt", text())
    golden.check("declared.md", text("markdown"))


def test_a_share_that_is_printed_in_per_cent_is_one_that_was_recorded_so() -> None:
    """In every form: cells, findings, margin, units and the sheet behind them."""
    recorded = {**DECLARED, "acc/test": DECLARED["acc/test"].model_copy(update={"scale": 1.0})}
    shares, percent = own_study(margin=0.5), own_study(margin=0.5, metrics=recorded)
    ours = outcome_table(outcome(shares, own_facts(shares)))
    theirs = outcome_table(outcome(percent, own_facts(percent, share=1e4)))
    for form in ("text", "markdown", "latex", "csv", "html"):
        assert render(ours, form) == render(theirs, form), form


def test_what_is_declared_better_helps_or_hurts() -> None:
    assert "helps: batch" in text()
    turned = DECLARED["acc/test"].model_copy(update={"better": "lower"})
    assert "hurts: batch" in text(metrics={**DECLARED, "acc/test": turned})
    bare = words(metrics={})
    assert "differs: batch" in bare
    assert "It is not declared which direction is better: acc/test; time/step; drift." in bare


def test_a_test_metric_takes_the_objectives_direction() -> None:
    planned = own_study()
    assert planned.description.metrics["loss/test"].direction == "minimize"
    assert "loss/test" not in text().partition("It is not declared")[2]


def test_a_vector_by_layer_is_in_the_table_by_its_mean() -> None:
    planned = own_study()
    summary = summarize(planned, own_facts(planned))
    one = summary.arms[0]
    layers = [layer.mean for layer in one.vectors["grad/norm"] if layer.mean is not None]
    assert one.estimates["grad/norm"].mean is not None
    assert abs(one.estimates["grad/norm"].mean - sum(layers) / 4) < 1e-12


def test_a_declared_timing_is_a_median_and_in_no_test() -> None:
    planned = own_study()
    summary = summarize(planned, own_facts(planned))
    assert "time/step" not in summary.metrics
    timing = summary.arms[0].timings["time/step"]
    assert 10 < timing.low < timing.median < timing.high < 14  # ms
    assert timing.rounds == 6
    assert "timed while others may have trained beside them: no difference is tested" in words()


def test_explanations_curves_and_outcomes_are_in_the_printed_unit_and_histories_are_not() -> None:
    planned = own_study()
    facts = own_facts(planned)
    every = outcomes(planned, facts)
    first = every[0]
    assert first.history.last is not None
    assert first.value("acc/test") == round(first.history.last.metrics["acc/test"] * 100, 4)
    end = curves(every, "acc/test")[planned.arms[0].id][-1]
    assert end[1].mean == summarize(planned, facts).arms[0].estimates["acc/test"].mean
    told = explanation(planned, facts, "none", "Accuracy")
    assert f"Unrounded: {end[1].mean!r} %" in told
    assert repr(first.value("acc/test")) in told
    (head,) = (line for line in told.splitlines() if "seed  " in line)
    assert "Accuracy (%)" in head and "acc/test" not in head, "its values are not as reported"


def test_facts_stay_as_they_were_reported() -> None:
    planned = own_study()
    book = Book.of(own_facts(planned))
    outcome(planned, book)
    last = book.histories[planned.trials[0].id].last
    assert last is not None
    assert 0.8 < last.metrics["acc/test"] < 1.0


def test_labels_change_no_number() -> None:
    planned = own_study()
    plain = own_study(metrics={**DECLARED, "acc/test": replace_label("Hits")})
    facts = own_facts(planned)
    ours, theirs = (summarize(one, facts) for one in (planned, plain))
    assert ours.data == theirs.data
    assert [one.estimates for one in ours.arms] == [one.estimates for one in theirs.arms]


def replace_label(label: str) -> DeclaredMetric:
    """The accuracy, called so."""
    return DECLARED["acc/test"].model_copy(update={"label": label})


def test_what_no_trial_reports_is_told_and_a_vector_that_needs_a_word_too() -> None:
    planned = own_study(report=(*DECLARED, "never"))
    past = Book.of(own_facts(planned)).histories.values()
    (said,) = unreported(planned, past)
    assert said.startswith("No trial reported 'never'; they reported acc/test, drift, ")
    bare = own_study(metrics={})
    (said,) = unreported(bare, Book.of(own_facts(bare)).histories.values())
    assert said.startswith("Trials report 'grad/norm' as a vector alone: with `per: layer`")


def test_looks_at_growing_replicates_measure_the_margin_in_the_printed_unit() -> None:
    recorded = {**DECLARED, "acc/test": DECLARED["acc/test"].model_copy(update={"scale": 1.0})}
    grows = {"replicates": Sequential(min=5, max=6, until="decided"), "margin": 1.0}
    shares, percent = own_study(**grows), own_study(**grows, metrics=recorded)
    ours = course(shares, Book.of(own_facts(shares)).histories)
    theirs = course(percent, Book.of(own_facts(percent, share=1e4)).histories)
    assert ours is not None
    assert theirs is not None
    assert ours.decisions == theirs.decisions
    assert {one.claim for one in ours.decisions.values()} == {"differs", "equivalent"}


def test_a_search_is_shown_in_the_printed_unit_and_decides_on_what_was_reported() -> None:
    said = {"val/score": DeclaredMetric(unit="%", scale=100)}
    planned = tuned_toys({"ceiling": 2.0})
    labelled = plan(planned.study.model_copy(update={"metrics": said}), planned.description)
    telling = Telling()
    telling.session()
    searched(telling, labelled, lambda _search, number, _: {"val/score": 0.5 + number % 4 / 100})
    facts = telling.facts
    shown = outcome(labelled, facts).tuned
    assert shown is not None
    reported = Standing(labelled, facts).tunings
    for ours, theirs in zip(shown.tunings, reported, strict=True):
        assert ours.best is not None
        assert theirs.best is not None
        assert ours.best.number == theirs.best.number
        assert ours.best.values is not None
        assert theirs.best.values is not None
        assert ours.best.values[0] == pytest.approx(100 * theirs.best.values[0])
        assert ours.best.curve[-1][1] == pytest.approx(100 * theirs.best.curve[-1][1])


def test_a_narrow_table_that_leaves_out_the_spans_of_timings_tells_the_widest() -> None:
    planned = own_study()
    table = outcome_table(outcome(planned, own_facts(planned)))
    short, _ = without_spans(table)
    (note,) = (one for one in short.notes if one.startswith("Step: "))
    assert note.startswith("Step: median of 6 trials, timed while others")
    assert "; no trial is further than " in note
