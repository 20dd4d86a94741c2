"""`html`, `markdown` and `latex`: how a notebook shows studies, plans, completions, tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import singledispatch
from typing import Any

from cbablate.character import brief, visible
from cbablate.notebook.card import TEMPLATES, Card, card_of
from cbablate.notebook.mathematics import array
from cbablate.phrases import counted
from cbablate.planning.plan import Plan
from cbablate.records.history import LONGEST_REASON, History
from cbablate.records.state import TrialState
from cbablate.reporting.forms.markdown import markdown as table_markdown
from cbablate.reporting.forms.web_page import template
from cbablate.reporting.model.table import Table
from cbablate.running.completion import Completion
from cbablate.spec.loading.load import StudyFile

__all__ = ["html", "latex", "markdown"]

_MOST_ROWS = 200
"""A longer table is cut in a notebook; its file has all rows."""
_FAILURES = 5


@singledispatch
def html(value: Any) -> str:
    """The value as a part of a page."""
    return card(value).html


@singledispatch
def markdown(value: Any) -> str:
    """The same as Markdown."""
    return card(value).markdown


@singledispatch
def latex(_value: Any) -> str | None:
    """The same as LaTeX that MathJax sets; None where there is none."""
    return None


@latex.register
def _(value: Table) -> str:
    return array(_cut(value)[0])


@html.register
def _(value: Table) -> str:
    notes = [*value.warnings, *([value.bold] if value.bold else [])]
    shown, left = _cut(value)
    return template("table_fragment.html", TEMPLATES).render(table=shown, notes=[*left, *notes])


@markdown.register
def _(value: Table) -> str:
    shown, left = _cut(value)
    return "\n".join([table_markdown(shown), *left])


def _cut(table: Table) -> tuple[Table, list[str]]:
    more = len(table.rows) - _MOST_ROWS
    if more <= 0:
        return table, []
    return replace(table, rows=table.rows[:_MOST_ROWS]), [f"And {counted(more, 'more row')}."]


@singledispatch
def card(value: Any) -> Card:
    """What is shown of a value."""
    raise TypeError(f"a notebook has no face for a {type(value).__name__}")


@card.register
def _(value: StudyFile) -> Card:
    study = value.study
    tune = f"; each arm is tuned by {study.tune.name}" if study.tune else ""
    return card_of(
        f"{study.name}: {study.question}",
        [
            f"Workload {value.description.name}; {study.design}, {study.repetitions} of "
            f"{study.budget}{tune}.",
            f"Decides on {study.objective.metric} ({study.objective.direction}); reports "
            f"{', '.join(study.report)}.",
            *([] if study.factors else ["No factors: a single arm."]),
        ],
        header=("factor", "levels, the baseline's first") if study.factors else (),
        rows=[(one.name, ", ".join(level.name for level in one.levels)) for one in study.factors],
        noun="factor",
    )


@card.register
def _(value: Plan) -> Card:
    study, names = value.study, {arm.id: arm.name for arm in value.arms}
    most = " at most" if study.sequential else ""
    tuned = ", besides tuning and confirmations" if study.tune else ""
    return card_of(
        f"{study.name}: {study.question}",
        [
            f"{counted(len(value.arms), 'arm')} ({study.design}) x {study.repetitions} = "
            f"{counted(len(value.trials), 'trial')} of {study.budget}{most}{tuned}."
        ],
        header=("arm", "compared with", *(f"factor {one.name}" for one in study.factors)),
        rows=[
            (arm.name, names.get(arm.against or "", ""), *arm.levels.values()) for arm in value.arms
        ],
        noun="arm",
    )


@card.register
def _(value: Completion) -> Card:
    plan, unknown = value.plan, History(trial="")
    past = value.book.past
    states = {
        arm.id: Counter(past.get(t.id, unknown).state for t in plan.trials if t.arm == arm.id)
        for arm in plan.arms
    }
    shown = [state for state in TrialState if any(counts[state] for counts in states.values())]
    return card_of(
        f"{plan.study.name}: {value.words}",
        _ending(value),
        header=("arm", *(state.value for state in shown)),
        rows=[(arm.name, *(states[arm.id][state] for state in shown)) for arm in plan.arms],
        noun="arm",
    )


def _ending(value: Completion) -> Iterator[str]:
    """What went wrong, what the searches found, and where files lie."""
    yield from value.unanswered
    for trial, history in [*value.failures.items()][:_FAILURES]:
        label = value.plan.label(value.plan.trial_of[trial])
        reason = visible(brief(history.reason, LONGEST_REASON))
        yield f"{label} failed ({history.failure}): {reason}"
    more = len(value.failures) - _FAILURES
    if more > 0:
        yield f"{counted(more, 'more trial')} failed."
    yield from value.searched
    yield from (f"Not shown yet: {sentence}" for sentence in value.missed)
    if value.published:
        yield f"{counted(len(value.published), 'file')} in {value.published[0].parent}"
