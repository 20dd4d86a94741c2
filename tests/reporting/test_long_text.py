"""A stranger's exception of millions of characters makes no report of millions."""

from __future__ import annotations

from cbablate.analysis.summary import summarize
from cbablate.overviews.overview import standing
from cbablate.reporting.forms.form import FORMS, render
from cbablate.reporting.pages.explanation import explanation
from cbablate.reporting.pages.report import report
from cbablate.reporting.tables.arms import ablation_table
from tests.analysis.fabrication import Telling, placement

LONG = "ValueError: " + "spam " * 500_000


def test_what_a_failure_says_is_cut_where_it_is_read() -> None:
    plan = placement(replicates=2)
    facts = Telling()
    facts.session()
    for trial in plan.trials:
        facts.measure(trial, {"val/top1": 1.0, "test/top1": 1.0})
        facts.end(trial, "failed", reason=LONG, traceback=LONG + "\nthe end")
    page = report(plan, facts.facts)
    assert len(page) < 2_000_000
    assert "the end" in page, "the cause stands at the end of a traceback"
    assert "characters before" in page
    status = standing(plan, facts.facts)
    assert len(status) < 100_000
    assert "more characters" in status
    table = ablation_table(plan, summarize(plan, facts.facts))
    for form in FORMS:
        assert len(render(table, form)) < 100_000
    assert len(explanation(plan, facts.facts, "1:2")) < 100_000
